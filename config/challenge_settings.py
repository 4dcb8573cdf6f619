"""Challenges: what a send is asked to solve when a rule wants to see a person."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from config import fields
from config.delivery_rules import Fault
from config.lists import is_safe_url

if TYPE_CHECKING:
    from config.config import Settings

ChallengeKind = Annotated[
    Literal["altcha", "turnstile", "hcaptcha", "recaptcha"], fields.read(str.lower)
]

_NEEDED = ("CHALLENGE_SITE_KEY", "CHALLENGE_SECRET_KEY")
_OPTIONS = ("CHALLENGE_HOSTNAMES", "CHALLENGE_MIN_SCORE", "CHALLENGE_VERIFY_URL")


class ChallengeSettings(BaseSettings):
    """Which challenge, and the account at its vendor; altcha needs none."""

    challenge: ChallengeKind = "altcha"
    # At 1 the work takes a core 0.7 s, and eight times that where the risk is highest.
    challenge_difficulty: Annotated[int, fields.between(1, 20)] = 1
    challenge_site_key: fields.Word | None = None
    challenge_secret_key: SecretStr | None = None
    challenge_hostnames: fields.HostNames = ()
    # Of version 3; Google's advice is to begin with 0.5.
    challenge_min_score: Annotated[float, fields.between(0, 1)] | None = None
    challenge_verify_url: fields.BaseUrl | None = None


def find_challenge_conflicts(settings: "Settings") -> Iterator[Fault]:
    """Yield what the chosen challenge lacks, and what means nothing to it."""
    kind = settings.challenge
    for name in _NEEDED:
        is_set = bool(getattr(settings, name.lower()))
        if kind == "altcha" and is_set:
            yield (name, "CHALLENGE"), "means nothing with CHALLENGE=altcha"
        elif kind != "altcha" and not is_set:
            yield (name, "CHALLENGE"), f"missing; CHALLENGE={kind} needs it"
    for name in _OPTIONS:
        value = getattr(settings, name.lower())
        is_set = value is not None and value != ()
        if kind == "altcha" and is_set:
            yield (name, "CHALLENGE"), "means nothing with CHALLENGE=altcha"
    if settings.challenge_min_score is not None and kind in {"turnstile", "hcaptcha"}:
        yield (
            ("CHALLENGE_MIN_SCORE", "CHALLENGE"),
            "means nothing without CHALLENGE=recaptcha",
        )
    url = settings.challenge_verify_url
    if settings.environment == "production" and url and not is_safe_url(url):
        yield ("CHALLENGE_VERIFY_URL", "FLASK_ENV"), "must be https in production"
