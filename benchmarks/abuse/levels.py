"""Three levels of defence, each as settings: none, per address only, and ours."""

from collections.abc import Mapping
from typing import Literal, get_args

from benchmarks.abuse.countries import COUNTRIES
from benchmarks.abuse.vendors import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    PRICE_FACTORS,
    SENDER,
)
from config.config import Settings, load_settings
from services.abuse.rules import RULES
from tests.simulator import vonage

Level = Literal["none", "per_ip", "ours"]
LEVELS: tuple[Level, ...] = get_args(Level)

# What an operator would set: three times an ordinary day, in all and by country.
CAP_FACTOR = 3

# What binds a single phone is a defence, too. Production does not start without it, so
# it is taken out of the settings when they have been read.
_NO_PHONE_LIMITS = {
    "resend_cooldowns": (),
    "sends_per_phone": (),
    "wrong_checks_per_phone": (),
    "lock_ladder": (),
}
_PER_IP = ("sends_per_ip", "wrong_checks_per_ip")


def settings_of(
    level: Level, *, redis_url: str, ordinary: Mapping[str, float]
) -> Settings:
    """Return production's settings; ``ordinary`` is a day's spend by country."""
    prices = "; ".join(
        f"{vendor} "
        + ", ".join(f"{it.code}: {it.price * factor:.5f}" for it in COUNTRIES.values())
        for vendor, factor in PRICE_FACTORS.items()
    )
    settings = load_settings(
        env_file=None,
        environ={
            "SECRET_KEY": "7sXo2mQp9vLw4kTz8bYc1nRf6hJd3gAe",
            "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
            "REDIS_URL": redis_url,
            "TOKEN_ISSUER": "https://auth.shop.example",
            "PUBLIC_BASE_URL": "https://auth.shop.example",
            "ALLOWED_COUNTRIES": ", ".join(COUNTRIES),
            "ROUTING": "order",
            "SMS_PRICES": prices,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "TWILIO_PHONE_NUMBER": SENDER,
            "VONAGE_API_KEY": vonage.DEFAULT_API_KEY,
            "VONAGE_API_SECRET": vonage.DEFAULT_API_SECRET,
            "VONAGE_SIGNATURE_SECRET": vonage.DEFAULT_SIGNATURE_SECRET,
            "VONAGE_SENDER": SENDER,
            **_defence(level, ordinary),
        },
    )
    if level == "ours":
        return settings
    return settings.model_copy(update=_NO_PHONE_LIMITS)


def _defence(level: Level, ordinary: Mapping[str, float]) -> dict[str, str]:
    if level == "ours":
        return {
            "SPEND_GLOBAL": _cap(sum(ordinary.values())),
            "SPEND_PER_COUNTRY": "; ".join(
                f"{region}: {_cap(spend)}" for region, spend in ordinary.items()
            ),
        }
    kept = _PER_IP if level == "per_ip" else ()
    modes = [f"{it}={'block' if it in kept else 'off'}" for it in RULES]
    return {"RULE_MODES": ", ".join(modes)}


def _cap(spend: float) -> str:
    return f"{max(1.0, CAP_FACTOR * spend):.2f}/24h"
