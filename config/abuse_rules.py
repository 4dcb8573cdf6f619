"""What the settings against abuse must be together, and what is odd about them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from config.delivery_rules import Fault

if TYPE_CHECKING:
    from config.config import Settings

CAPS = ("spend_global", "spend_per_country", "spend_per_caller")


def find_abuse_conflicts(settings: "Settings") -> Iterator[Fault]:
    """Yield what would not be counted, or not as it was meant."""
    for name, mode in settings.rule_modes:
        # Conversion is judged by figures of its own.
        if mode == "off" or name.endswith("_conversion"):
            continue
        if not getattr(settings, name):
            variable = name.upper()
            message = f"{name}={mode} means nothing without {variable}"
            yield ("RULE_MODES", variable), message
    listed = {(row.vendor, row.prefix, "") for row in settings.sms_prices}
    for place, row in enumerate(settings.prices_file, start=1):
        if row.scope in listed:
            message = f"price {place} is for what an entry of SMS_PRICES is for"
            yield ("PRICES_FILE", "SMS_PRICES"), message


def find_abuse_warnings(settings: "Settings") -> Iterator[str]:
    """Yield what works, and perhaps not as the operator thinks."""
    caps = [name.upper() for name in CAPS if getattr(settings, name)]
    if settings.environment == "production" and not (caps or settings.sends_global):
        yield (
            "SPEND_GLOBAL: no cap on money: neither SPEND_* nor SENDS_GLOBAL is set,"
            " so nothing bounds what all messages together may cost"
        )
    if caps and not (settings.sms_prices or settings.prices_file):
        yield (
            f"{caps[0]}: no price is set (PRICES_FILE, SMS_PRICES); what receipts do"
            f" not tell counts as {settings.price_unknown:g} {settings.spend_currency}"
        )
