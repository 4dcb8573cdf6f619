"""The composition root: builds the services from the settings, and nothing else."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.addresses import Addresses, addresses_of
from backend.chores import Chores
from backend.delivery import build_templates, find_delivery_problems
from backend.routing import build_sms
from backend.vendors import OpenTransport, Vendor, build_vendors
from config.config import Settings, SettingsError, load_settings
from config.fields import Environment
from config.webhook_rules import find_private_webhook
from services.abuse.guard import Guard, SharedLimits
from services.events import Emit
from services.identity.keys import SigningKeys, derived_signing_key
from services.identity.sessions import Sessions
from services.identity.subjects import Subjects
from services.identity.tokens import Tokens
from services.otp.codes import phone_tag
from services.otp.conversions import Conversions
from services.otp.deliveries import Deliveries
from services.otp.messages import MessageStore
from services.otp.numbers import Numbers, TestRange
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.records import PhoneLimits
from services.otp.sending import CodeSender
from services.otp.service import OtpService
from services.otp.store import OtpStore
from services.redis_health import RedisHealth, check_redis
from services.scripts import EmbeddedConnections, HeldConnections, ScriptRunner
from services.sms.provider import Provider
from services.sms.receipts import ReceiptReader
from services.sms.service import SmsService
from services.sms.transport import HttpTransport
from utils.clock import Clock, SystemClock
from utils.crypto import derive_key

# Redis is near and fast; when it takes longer than this it is as good as gone.
_REDIS_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes are given."""

    otp: OtpService
    sms: SmsService
    deliveries: Deliveries
    addresses: Addresses
    tokens: Tokens
    sessions: Sessions
    subjects: Subjects
    check_store: Callable[[], RedisHealth]
    chores: Chores


def build_services(
    settings: Settings,
    *,
    emit: Emit,
    clock: Clock | None = None,
    offset_seconds: Callable[[], float] = lambda: 0.0,
    open_transport: OpenTransport | None = None,
    chores: Chores | None = None,
) -> Services:
    """Build everything from ``settings``; what runs beside requests is not started.

    Redis need not be there yet. Tests bring their own ``clock``, ``open_transport`` and
    ``chores``, and move Redis's time by ``offset_seconds``.
    """
    clock = clock or SystemClock()
    open_transport = open_transport or partial(HttpTransport, clock=clock)
    secret = settings.secret_key.get_secret_value().encode()
    tag_of = partial(phone_tag, derive_key(secret, "phone tag"))
    client, scripts = open_redis(settings, emit)
    subjects = Subjects(
        key=derive_key(secret, "subject"), admin_phones=settings.admin_phones
    )
    addresses = addresses_of(settings)
    vendors = build_vendors(settings, addresses, open_transport)
    templates = build_templates(settings)
    sms, health = build_sms(
        settings,
        [vendor.provider for vendor in vendors],
        templates=templates,
        scripts=scripts,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    chores = chores or Chores(emit=emit)
    store = OtpStore(scripts, offset_seconds=offset_seconds)
    guard = Guard(
        scripts,
        _shared_limits(settings),
        key=derive_key(secret, "limit subject"),
        emit=emit,
        offset_seconds=offset_seconds,
    )
    phonebook = Phonebook(
        numbers=_numbers(settings, clock),
        tag_of=tag_of,
        pepper=derive_key(secret, "code pepper"),
        limits=_phone_limits(settings),
    )
    planner = Planner(sms, whatsapp_first=settings.whatsapp_first)
    sender = CodeSender(
        store=store,
        sms=sms,
        whatsapp_falls_back=settings.whatsapp_wait > 0,
        emit=emit,
    )
    deliveries = Deliveries(
        scripts=scripts,
        store=store,
        messages=MessageStore(
            scripts, key=derive_key(secret, "message"), offset_seconds=offset_seconds
        ),
        guard=guard,
        sms=sms,
        planner=planner,
        sender=sender,
        health=health,
        readers=_readers(vendors) if addresses.base_url else {},
        phonebook=phonebook,
        whatsapp_wait_seconds=settings.whatsapp_wait,
        notes=chores.notes,
        sends=chores.sends,
        emit=emit,
    )
    otp = OtpService(
        scripts=scripts,
        store=store,
        guard=guard,
        planner=planner,
        sender=sender,
        deliveries=deliveries,
        conversions=Conversions(
            sms=sms, health=health, background=chores.sends, clock=clock, emit=emit
        ),
        templates=templates,
        phonebook=phonebook,
        clock=clock,
        emit=emit,
    )
    chores.add("vendor health", partial(health.flush, sms.is_open), seconds=3.0)
    chores.at_end(health.close)
    if any("whatsapp" in it.provider.channels for it in vendors):
        chores.add("whatsapp waits", deliveries.look_again, seconds=1.0)
    return Services(
        otp=otp,
        sms=sms,
        deliveries=deliveries,
        addresses=addresses,
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
        chores=chores,
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
    problems = list(find_delivery_problems(settings, configured_providers(settings)))
    problems += find_private_webhook(settings)
    if settings.redis_url is not None:
        try:
            pool = _pool(settings.redis_url.get_secret_value())
            pool.connection_class(**pool.connection_kwargs)
        except (ValueError, TypeError, redis.RedisError):
            problems.append("REDIS_URL: has an option that is unknown or not valid")
    return tuple(problems)


def configured_providers(settings: Settings) -> list[Provider]:
    """Return the vendors that are configured, in the order of preference."""
    open_transport = partial(HttpTransport, clock=SystemClock())
    addresses = addresses_of(settings)
    return [
        vendor.provider for vendor in build_vendors(settings, addresses, open_transport)
    ]


def _readers(vendors: Sequence[Vendor]) -> dict[str, ReceiptReader]:
    return {it.provider.name: it.receipts for it in vendors if it.receipts}


def open_redis(settings: Settings, emit: Emit) -> tuple[redis.Redis, ScriptRunner]:
    """Return a client of the store, and what runs scripts on it."""
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
