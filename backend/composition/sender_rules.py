"""What is seen at start-up of senders and prices: whose they are, and what for."""

from collections.abc import Collection, Iterator, Sequence

from config.config import Settings
from config.lists import SENDER_NAME, is_name
from config.number_settings import served_by
from config.tables import Row
from services.sms.provider import Provider

# Vendors that pick the sender themselves.
_SENDERLESS = frozenset({"twilio_verify", "whatsapp"})

# The senders of vendors' own settings that may be names.
_OWN_SENDERS = {
    "twilio": "TWILIO_PHONE_NUMBER",
    "vonage": "VONAGE_SENDER",
    "plivo": "PLIVO_SENDER",
    "infobip": "INFOBIP_SENDER",
    "messagebird": "MESSAGEBIRD_SENDER",
    "aws": "AWS_SMS_SENDER",
}

# Where names cannot send (services/sms/senders.py), and how numbers begin there.
_NUMBERS_ONLY = ("US", "CA")
_NUMBERS_ONLY_PREFIX = "+1"


def find_sender_problems(
    settings: Settings, providers: Sequence[Provider]
) -> Iterator[str]:
    """Name every sender and price that would not be used as it is meant."""
    names = {provider.name for provider in providers}
    for variable, rows in (
        ("SENDER_IDS", settings.sender_ids),
        ("SMS_PRICES", settings.sms_prices),
    ):
        for place, vendor in enumerate((row.vendor for row in rows), start=1):
            if vendor not in names:
                yield f"{variable}: entry {place}: {vendor} is not configured"
    for place, row in enumerate(settings.sender_ids, start=1):
        if row.vendor in names and (fault := _fault(settings, row)):
            yield f"SENDER_IDS: entry {place}: {row.vendor} {fault}"
    yield from _names_to_north_america(settings, names)


def _fault(settings: Settings, row: Row[tuple[str, ...]]) -> str | None:
    if row.vendor in _SENDERLESS:
        return "picks the sender itself"
    if row.vendor == "fast2sms" and settings.fast2sms_route != "dlt":
        return "picks the sender itself, save on FAST2SMS_ROUTE=dlt"
    if row.vendor == "twilio_voice" and not all(it.startswith("+") for it in row.value):
        return "calls from phone numbers only"
    return None


def _names_to_north_america(
    settings: Settings, names: Collection[str]
) -> Iterator[str]:
    reached = [it for it in _NUMBERS_ONLY if it in served_by(settings, "sms")]
    if not reached:
        return
    for vendor, variable in _OWN_SENDERS.items():
        sender = getattr(settings, variable.lower())
        if (
            vendor in names
            and sender
            and SENDER_NAME.fullmatch(sender)
            and _carries_north_america(settings, vendor)
            and not _has_number(settings, vendor)
        ):
            yield (
                f"{variable}: is a name, which cannot send to {reached[0]}; give"
                f" numbers for {vendor} +1 in SENDER_IDS"
            )


def _carries_north_america(settings: Settings, vendor: str) -> bool:
    rows = settings.sms_routes
    # An entry for everybody is for whom no other entry is.
    has_own = any(row.prefix == _NUMBERS_ONLY_PREFIX for row in rows)
    used = [
        row
        for row in rows
        if row.prefix.startswith(_NUMBERS_ONLY_PREFIX)
        or (not row.prefix and not has_own)
    ]
    return not rows or any(vendor in dict(row.value) for row in used)


def _has_number(settings: Settings, vendor: str) -> bool:
    return any(
        row.vendor == vendor
        and row.prefix in {"", _NUMBERS_ONLY_PREFIX}
        and not all(map(is_name, row.value))
        for row in settings.sender_ids
    )
