"""What settings must be together, and what production asks of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from config.abuse_rules import find_abuse_conflicts
from config.alert_settings import find_alert_conflicts
from config.challenge_settings import find_challenge_conflicts
from config.delivery_rules import Fault, find_delivery_conflicts
from config.keys import find_weakness
from config.limits import most_per_day
from config.lists import is_safe_url
from config.number_settings import find_number_conflicts
from config.vendor_settings import BASE_URLS, REQUIRED
from config.webhook_rules import find_webhook_conflicts

if TYPE_CHECKING:
    from config.config import Settings

# NIST SP 800-63B-4 3.2.2: no more than 100 consecutive failed attempts on one account.
WRONG_CHECKS_MAX_PER_DAY = 100
# Shorter than an SMS usually takes, a cooldown only doubles the bill.
FIRST_COOLDOWN_MIN_SECONDS = 15
# What stands behind an audience in the tokens that only tell of a verified phone.
VERIFICATION = "/verification"
# Each counted event of a phone is a time in its record, read at every request.
PHONE_COUNT_MAX = 1_000

_SUBJECT_KEY = "`FLASK_ENV=development python -m backend.cli keys subject`"
_NEW_SUBJECT_KEY = "`python -m backend.cli keys subject --new`"


@dataclass(frozen=True, slots=True)
class Conflict:
    """A broken rule: its message belongs to the first of the variables it reads."""

    variables: tuple[str, ...]
    message: str


def find_conflicts(settings: "Settings") -> Iterator[Conflict]:
    """Yield every broken rule."""
    yield from _half_configured(settings)
    yield from _fast2sms_conflicts(settings)
    for variables, message in _faults(settings):
        yield Conflict(variables, message)
    for name, limits in (
        ("SENDS_PER_PHONE", settings.sends_per_phone),
        ("WRONG_CHECKS_PER_PHONE", settings.wrong_checks_per_phone),
    ):
        if any(count > PHONE_COUNT_MAX for count, _ in limits):
            yield Conflict((name,), f"must not count beyond {PHONE_COUNT_MAX}")
    yield from _secret_conflicts(settings)
    yield from _audience_conflicts(settings)
    if settings.environment == "production":
        for conflict in _production_conflicts(settings):
            yield Conflict((*conflict.variables, "FLASK_ENV"), conflict.message)
        return
    if settings.test_numbers and not settings.test_numbers_until:
        yield Conflict(
            ("TEST_NUMBERS_UNTIL", "TEST_NUMBERS"),
            "missing; test numbers need a last day",
        )
    if settings.secret_key_previous and settings.subject_key is None:
        yield Conflict(
            ("SUBJECT_KEY", "SECRET_KEY_PREVIOUS"),
            f"missing; names must not change with SECRET_KEY: set what {_SUBJECT_KEY} "
            "prints while SECRET_KEY is still the first one and SECRET_KEY_PREVIOUS is "
            "not set",
        )


def _faults(settings: "Settings") -> Iterator[Fault]:
    """Yield what is wrong by the rules that stand elsewhere."""
    for variable, message in find_webhook_conflicts(settings):
        yield (variable,), message
    yield from find_delivery_conflicts(settings)
    yield from find_challenge_conflicts(settings)
    yield from find_alert_conflicts(settings)
    yield from find_number_conflicts(settings)
    yield from find_abuse_conflicts(settings)


def _audiences_of_nobody(settings: "Settings") -> Iterator[Conflict]:
    if "*" in settings.storefront_origins:
        return
    for storefront, _ in settings.storefront_audiences:
        if "://" in storefront and storefront not in settings.storefront_origins:
            yield Conflict(
                ("STOREFRONT_AUDIENCES", "STOREFRONT_ORIGINS"),
                f"names {storefront}, which is not one of STOREFRONT_ORIGINS",
            )


def _secret_conflicts(settings: "Settings") -> Iterator[Conflict]:
    previous, subject_key = settings.secret_key_previous, settings.subject_key
    if subject_key and subject_key == settings.secret_key:
        yield Conflict(
            ("SUBJECT_KEY", "SECRET_KEY"),
            "must be another one than SECRET_KEY, which may have to be replaced",
        )
    if previous is None:
        return
    if settings.ephemeral_secret:
        yield Conflict(
            ("SECRET_KEY", "SECRET_KEY_PREVIOUS"),
            "missing; SECRET_KEY_PREVIOUS stands beside it, not in its place",
        )
    elif previous.get_secret_value() == settings.secret_key.get_secret_value():
        yield Conflict(
            ("SECRET_KEY_PREVIOUS", "SECRET_KEY"),
            "must be another secret than SECRET_KEY; leave it out to have one alone",
        )


def _audience_conflicts(settings: "Settings") -> Iterator[Conflict]:
    """See that no kind of token can be for whom another kind is.

    Service tokens are for the issuer, and verification tokens for an audience with
    ``/verification`` behind it.
    """
    yield from _audiences_of_nobody(settings)
    issuer = settings.token_issuer
    for name, audiences in (
        ("TOKEN_AUDIENCE", (settings.token_audience,)),
        ("STOREFRONT_AUDIENCES", [it for _, it in settings.storefront_audiences]),
    ):
        if any(it.endswith(VERIFICATION) for it in audiences):
            yield Conflict(
                (name,), f"must not end with {VERIFICATION}; other tokens are for that"
            )
        if issuer in audiences:
            yield Conflict(
                (name, "TOKEN_ISSUER"),
                "must not be TOKEN_ISSUER: the tokens of service clients are for that",
            )
        if issuer in [f"{it}{VERIFICATION}" for it in audiences]:
            yield Conflict(
                ("TOKEN_ISSUER", name),
                f"must not be {name} with {VERIFICATION} behind it",
            )


def _half_configured(settings: "Settings") -> Iterator[Conflict]:
    for vendor, required in REQUIRED.items():
        parts = [names.split("|") for names in required]
        missing = [names for names in parts if not _any_given(settings, names)]
        if len(missing) in {0, len(parts)}:
            continue
        variables = tuple(name for names in parts for name in names)
        for names in missing:
            hint = f" (or {' or '.join(names[1:])})" if names[1:] else ""
            yield Conflict(
                (names[0], *(it for it in variables if it != names[0])),
                f"missing{hint}; {vendor} is half configured",
            )


def _any_given(settings: "Settings", names: Sequence[str]) -> bool:
    return any(getattr(settings, name.lower()) for name in names)


def _fast2sms_conflicts(settings: "Settings") -> Iterator[Conflict]:
    variables = {
        "FAST2SMS_SENDER_ID": settings.fast2sms_sender_id,
        "FAST2SMS_MESSAGE_ID": settings.fast2sms_message_id,
    }
    dlt = settings.fast2sms_route == "dlt"
    if not settings.has_fast2sms and (dlt or any(variables.values())):
        yield Conflict(
            ("FAST2SMS_API_KEY", "FAST2SMS_ROUTE", *variables),
            "missing; Fast2SMS is half configured",
        )
    for name, value in variables.items():
        if dlt and not value:
            yield Conflict((name, "FAST2SMS_ROUTE"), "missing; route dlt needs it")
        elif value and settings.has_fast2sms and not dlt:
            yield Conflict(
                (name, "FAST2SMS_ROUTE"), "means nothing without FAST2SMS_ROUTE=dlt"
            )


def _production_conflicts(settings: "Settings") -> Iterator[Conflict]:
    yield from _exposures(settings)
    yield from _missing_parts(settings)
    yield from _loose_limits(settings)


def _exposures(settings: "Settings") -> Iterator[Conflict]:
    if settings.flask_debug:
        yield Conflict(("FLASK_DEBUG",), "must be off in production")
    if settings.test_numbers:
        yield Conflict(("TEST_NUMBERS",), "must be empty in production")
    if "*" in settings.storefront_origins:
        yield Conflict(
            ("STOREFRONT_ORIGINS",), "must name each origin in production, not *"
        )
    if not all(is_safe_url(origin) for origin in settings.storefront_origins):
        yield Conflict(("STOREFRONT_ORIGINS",), "must be https in production")
    for name in ("TOKEN_ISSUER", "PUBLIC_BASE_URL", *BASE_URLS):
        url = getattr(settings, name.lower())
        if url and not is_safe_url(url):
            yield Conflict((name,), "must be https in production")


def _missing_parts(settings: "Settings") -> Iterator[Conflict]:
    yield from _missing_secrets(settings)
    if settings.embedded_store:
        yield Conflict(
            ("REDIS_URL",),
            "required in production; the embedded store forgets and is not shared",
        )
    if not settings.token_issuer:
        yield Conflict(
            ("TOKEN_ISSUER",), "required in production: this service's public URL"
        )
    # What a half configured provider lacks is named above.
    wanted = [
        *(
            name
            for names in REQUIRED.values()
            for part in names
            for name in part.split("|")
        ),
        "FAST2SMS_API_KEY",
    ]
    if not _any_given(settings, wanted):
        yield Conflict(
            ("TWILIO_ACCOUNT_SID", *wanted),
            "production needs an SMS provider: set Twilio's or another one's",
        )


def _missing_secrets(settings: "Settings") -> Iterator[Conflict]:
    if settings.ephemeral_secret:
        yield Conflict(
            ("SECRET_KEY",), "required in production: openssl rand -base64 48"
        )
    elif weakness := find_weakness(settings.secret_key.get_secret_value()):
        yield Conflict(("SECRET_KEY",), weakness)
    previous = settings.secret_key_previous
    if previous and (weakness := find_weakness(previous.get_secret_value())):
        yield Conflict(("SECRET_KEY_PREVIOUS",), weakness)
    if settings.subject_key is None:
        yield Conflict(
            ("SUBJECT_KEY",),
            f"required in production: {_NEW_SUBJECT_KEY}; where people have names "
            f"without one, what {_SUBJECT_KEY} prints",
        )
    elif find_weakness(settings.subject_key.get_secret_value()):
        yield Conflict(("SUBJECT_KEY",), f"is no random key: {_NEW_SUBJECT_KEY}")


def _loose_limits(settings: "Settings") -> Iterator[Conflict]:
    # A send under way must be settled before the next may begin.
    least = max(FIRST_COOLDOWN_MIN_SECONDS, math.ceil(settings.sms_deadline_seconds))
    if settings.resend_cooldowns[0] < least:
        yield Conflict(
            ("RESEND_COOLDOWNS", "SMS_DEADLINE_SECONDS"),
            f"must start with at least {least} in production",
        )
    if not settings.sends_per_phone:
        yield Conflict(("SENDS_PER_PHONE",), "cannot be off in production")
    if not settings.wrong_checks_per_phone:
        yield Conflict(("WRONG_CHECKS_PER_PHONE",), "cannot be off in production")
    elif most_per_day(settings.wrong_checks_per_phone) > WRONG_CHECKS_MAX_PER_DAY:
        yield Conflict(
            ("WRONG_CHECKS_PER_PHONE",),
            f"must not let more than {WRONG_CHECKS_MAX_PER_DAY} a day through",
        )
