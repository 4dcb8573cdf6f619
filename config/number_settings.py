"""Which numbers are served, and what must hold between the settings that say so."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic_settings import BaseSettings

from config.delivery_rules import Fault
from config.number_policy import Channel, NumberPolicyFile

if TYPE_CHECKING:
    from config.config import Settings


class NumberSettings(BaseSettings):
    """With the file, ALLOWED_COUNTRIES are those that it serves on some channel."""

    number_policy_file: NumberPolicyFile | None = None


def served_by(settings: "Settings", channel: Channel) -> tuple[str, ...]:
    """Return the countries that are served on a channel, as far as settings say it."""
    if settings.number_policy_file is not None:
        return settings.number_policy_file.served(channel)
    if channel == "voice":
        return settings.voice_countries or (settings.default_country,)
    return settings.allowed_countries


def find_number_conflicts(settings: "Settings") -> Iterator[Fault]:
    """Yield what would leave open whom we serve."""
    if settings.number_policy_file is None:
        if settings.default_country not in settings.allowed_countries:
            variables = ("DEFAULT_COUNTRY", "ALLOWED_COUNTRIES")
            yield variables, "must be one of ALLOWED_COUNTRIES"
        return
    for name in ("ALLOWED_COUNTRIES", "VOICE_COUNTRIES"):
        if name.lower() in settings.model_fields_set:
            yield (
                (name, "NUMBER_POLICY_FILE"),
                "must not stand beside NUMBER_POLICY_FILE, which says it",
            )


def find_number_warnings(settings: "Settings") -> Iterator[str]:
    """Yield whom the file leaves out, perhaps against the operator's will."""
    if settings.number_policy_file is None:
        return
    if not settings.allowed_countries:
        yield "NUMBER_POLICY_FILE: serves no country; nobody is sent anything"
    elif settings.default_country not in settings.allowed_countries:
        yield (
            "NUMBER_POLICY_FILE: does not serve DEFAULT_COUNTRY; numbers written"
            " without a country are refused"
        )
