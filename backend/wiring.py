"""The composition root: builds the services from the settings, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.config import Settings, SettingsError, load_settings
from config.fields import Environment
from services.abuse.guard import Guard, SharedLimits
from services.events import Emit
from services.identity.keys import SigningKeys, derived_signing_key
from services.identity.sessions import Sessions
from services.identity.subjects import Subjects
from services.identity.tokens import Tokens
from services.otp.codes import phone_tag
from services.otp.numbers import Numbers, TestRange
from services.otp.service import OtpService
from services.otp.store import OtpStore, PhoneLimits
from services.redis_health import RedisHealth, check_redis
from services.scripts import EmbeddedConnections, HeldConnections, ScriptRunner
from services.sms.provider import Provider
from services.sms.providers.console import ConsoleProvider
from services.sms.providers.fast2sms import Fast2SmsProvider
from services.sms.providers.twilio import TwilioProvider
from services.sms.service import SmsService
from services.sms.templates import TemplateError, Templates
from services.sms.transport import Transport
from utils.clock import Clock, SystemClock
from utils.crypto import derive_key

# Redis is near and fast; when it takes longer than this it is as good as gone.
_REDIS_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes are given."""

    otp: OtpService
    sms: SmsService
    tokens: Tokens
    sessions: Sessions
    subjects: Subjects
    check_store: Callable[[], RedisHealth]


def build_services(
    settings: Settings,
    *,
    emit: Emit,
    clock: Clock | None = None,
    offset_seconds: Callable[[], float] = lambda: 0.0,
) -> Services:
    """Build everything from ``settings``.

    Redis need not be there yet. Tests bring their own ``clock`` and move Redis's time
    by ``offset_seconds``.
    """
    clock = clock or SystemClock()
    secret = settings.secret_key.get_secret_value().encode()
    tag_of = partial(phone_tag, derive_key(secret, "phone tag"))
    client, scripts = _open_redis(settings, emit)
    subjects = Subjects(
        key=derive_key(secret, "subject"), admin_phones=settings.admin_phones
    )
    sms = SmsService(
        build_providers(settings, clock),
        clock=clock,
        emit=emit,
        deadline_seconds=settings.sms_deadline_seconds,
    )
    otp = OtpService(
        scripts=scripts,
        store=OtpStore(scripts, offset_seconds=offset_seconds),
        guard=Guard(
            scripts,
            _shared_limits(settings),
            key=derive_key(secret, "limit subject"),
            emit=emit,
            offset_seconds=offset_seconds,
        ),
        sms=sms,
        templates=_templates(settings),
        numbers=_numbers(settings, clock),
        tag_of=tag_of,
        pepper=derive_key(secret, "code pepper"),
        limits=_phone_limits(settings),
        clock=clock,
        emit=emit,
    )
    return Services(
        otp=otp,
        sms=sms,
        tokens=Tokens(
            SigningKeys(settings.signing_key_pem or derived_signing_key(secret)),
            issuer=settings.token_issuer,
            audience=settings.token_audience,
            ttl_seconds=settings.access_token_seconds,
            clock=clock,
        ),
        sessions=Sessions(
            client,
            subjects=subjects,
            tag_of=tag_of,
            key=derive_key(secret, "session phone"),
            ttl_seconds=settings.access_token_seconds,
            clock=clock,
        ),
        subjects=subjects,
        check_store=partial(check_redis, client, embedded=settings.embedded_store),
    )


def load_checked_settings(
    default_environment: Environment = "production",
) -> Settings:
    """Read the settings, and see that the services can be built from them.

    Raises:
        SettingsError: they cannot; the settings' own problems come first.
    """
    settings = load_settings(default_environment=default_environment)
    if problems := find_problems(settings):
        raise SettingsError(problems)
    return settings


def find_problems(settings: Settings) -> tuple[str, ...]:
    """Name the settings that are well-formed and still cannot work.

    What ``config`` cannot know, because only the services know what they can do.
    """
    problems = []
    try:
        _templates(settings)
    except TemplateError as error:
        problems.append(f"BRAND_NAME, AUTOFILL_HOST: {error}")
    if settings.redis_url is not None:
        try:
            pool = _pool(settings.redis_url.get_secret_value())
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, redis.RedisError):
            problems.append("REDIS_URL: has an option that is unknown or not valid")
    providers = build_providers(settings, SystemClock())
    problems += [
        f"ALLOWED_COUNTRIES: no SMS provider that is configured serves {country}"
        for country in settings.allowed_countries
        if not any(it.countries is None or country in it.countries for it in providers)
    ]
    return tuple(problems)


def build_providers(settings: Settings, clock: Clock) -> list[Provider]:
    """Return the vendors that are configured, in the order of preference.

    In development the console stands last; in production it cannot be had.
    """
    providers: list[Provider] = []
    if settings.twilio_account_sid and settings.twilio_auth_token:
        providers.append(
            TwilioProvider(
                account_sid=settings.twilio_account_sid,
                auth_token=settings.twilio_auth_token.get_secret_value(),
                sender=settings.twilio_phone_number,
                messaging_service_sid=settings.twilio_messaging_service_sid,
                transport=Transport(settings.twilio_base_url, clock=clock),
            )
        )
    if settings.fast2sms_api_key:
        providers.append(
            Fast2SmsProvider(
                api_key=settings.fast2sms_api_key.get_secret_value(),
                route=settings.fast2sms_route,
                sender_id=settings.fast2sms_sender_id,
                message_id=settings.fast2sms_message_id,
                transport=Transport(settings.fast2sms_base_url, clock=clock),
            )
        )
    if settings.environment == "development":
        providers.append(ConsoleProvider())
    return providers


def _open_redis(settings: Settings, emit: Emit) -> tuple[redis.Redis, ScriptRunner]:
    if settings.redis_url is None:
        embedded = fakeredis.FakeRedis(server=fakeredis.FakeServer())
        return embedded, ScriptRunner(EmbeddedConnections(embedded), emit=emit)
    pool = _pool(settings.redis_url.get_secret_value())
    return redis.Redis(connection_pool=pool), ScriptRunner(
        HeldConnections(pool), emit=emit
    )


def _pool(url: str) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        # What is tried again, and when, is decided in services/scripts.py.
        retry=Retry(NoBackoff(), 0),
    )


def _templates(settings: Settings) -> Templates:
    return Templates(
        brand=settings.brand_name,
        autofill_host=settings.autofill_host,
        ttl_seconds=settings.code_ttl_seconds,
    )


def _numbers(settings: Settings, clock: Clock) -> Numbers:
    return Numbers(
        default_region=settings.default_country,
        allowed_regions=settings.allowed_countries or (settings.default_country,),
        test_ranges=[
            TestRange(first=it.first, last=it.last, code=it.code)
            for it in settings.test_numbers
        ],
        test_until=settings.test_numbers_until,
        clock=clock,
    )


def _phone_limits(settings: Settings) -> PhoneLimits:
    return PhoneLimits(
        life=settings.code_ttl_seconds,
        max_checks=settings.code_max_checks,
        max_live=settings.live_verifications_per_phone,
        cooldowns=settings.resend_cooldowns,
        sends=settings.sends_per_phone,
        wrongs=settings.wrong_checks_per_phone,
        locks=settings.lock_ladder,
    )


def _shared_limits(settings: Settings) -> SharedLimits:
    return SharedLimits(
        sends_per_ip=settings.sends_per_ip,
        sends_per_prefix=settings.sends_per_prefix,
        sends_global=settings.sends_global,
        wrong_checks_per_ip=settings.wrong_checks_per_ip,
        wrong_checks_global=settings.wrong_checks_global,
    )
