"""What the settings of delivery must be together: channels, and options of vendors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from config.vendor_settings import OPTIONS, REQUIRED

if TYPE_CHECKING:
    from config.config import Settings

# The variables that a rule reads, and what is wrong, which belongs to the first.
Fault = tuple[tuple[str, ...], str]


def find_delivery_conflicts(settings: "Settings") -> Iterator[Fault]:
    """Yield what would be sent in another way than it was meant, or not at all."""
    yield from _lonely_options(settings)
    yield from _channel_conflicts(settings)
    if settings.routing == settings.routing_shadow:
        variables = ("ROUTING_SHADOW", "ROUTING")
        yield variables, "must be off: ROUTING=adaptive is obeyed already"


def _lonely_options(settings: "Settings") -> Iterator[Fault]:
    for vendor, options in OPTIONS.items():
        needed = [name for names in REQUIRED[vendor] for name in names.split("|")]
        if any(getattr(settings, name.lower()) for name in needed):
            continue
        for option in options:
            if _is_changed(settings, option):
                yield (option, *needed), f"means nothing without {needed[0]}"


def _is_changed(settings: "Settings", name: str) -> bool:
    field = type(settings).model_fields[name.lower()]
    return bool(getattr(settings, name.lower()) != field.default)


def _channel_conflicts(settings: "Settings") -> Iterator[Fault]:
    webhook = settings.webhook_channels if settings.webhook_url else ()
    whatsapp = bool(settings.whatsapp_access_token) or "whatsapp" in webhook
    voice = bool(settings.twilio_voice_number) or "voice" in webhook
    whatsapp_variables = ("WHATSAPP_ACCESS_TOKEN", "WEBHOOK_URL", "WEBHOOK_CHANNELS")
    voice_variables = ("TWILIO_VOICE_NUMBER", "WEBHOOK_URL", "WEBHOOK_CHANNELS")
    if settings.whatsapp_first and not whatsapp:
        yield (
            ("WHATSAPP_FIRST", *whatsapp_variables),
            "means nothing without a vendor for WhatsApp (WHATSAPP_ACCESS_TOKEN)",
        )
    # Without receipts every message would count as not delivered, and be sent twice.
    if whatsapp and settings.whatsapp_wait and not settings.public_base_url:
        yield (
            ("PUBLIC_BASE_URL", "WHATSAPP_WAIT", *whatsapp_variables),
            "missing; WHATSAPP_WAIT needs receipts, or must be 0",
        )
    if settings.voice_countries and not voice:
        yield (
            ("VOICE_COUNTRIES", *voice_variables),
            "means nothing without a vendor for calls (TWILIO_VOICE_NUMBER)",
        )
    beyond = set(settings.voice_countries).difference(settings.allowed_countries)
    if beyond and settings.number_policy_file is None:
        yield (
            ("VOICE_COUNTRIES", "ALLOWED_COUNTRIES"),
            f"has {min(beyond)}, which ALLOWED_COUNTRIES lacks",
        )
