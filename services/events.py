"""What the services tell the world: frozen events, handed to one ``Emit`` callable.

Services never log and never count. ``backend/telemetry.py`` turns each event into one
log line and one metric sample. Events name phones by tag (a keyed MAC) and
verifications by fingerprint, so nothing here is a phone number or a code.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VerificationStarted:
    """A code was accepted for delivery."""

    phone_tag: str
    verification: str
    purpose: str
    country: str
    provider: str
    attempt: int
    resend: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """No provider took the message, or the recipient cannot get it."""

    phone_tag: str
    verification: str
    country: str
    reason: str
    budget_returned: bool


@dataclass(frozen=True, slots=True)
class CodeChecked:
    """A check was answered; ``evaluated`` says whether the guess was compared."""

    phone_tag: str
    verification: str
    purpose: str
    outcome: str
    evaluated: bool
    attempts_left: int


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A request was refused by a limit, named as in the answer."""

    limit: str
    action: str
    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class ProviderCalled:
    """One call to one SMS vendor; ``outcome`` is accepted or a failure's reason."""

    provider: str
    country: str
    outcome: str
    vendor_code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """A breaker went to ``state`` (closed, open, half_open)."""

    provider: str
    country: str
    state: str
    open_seconds: float


@dataclass(frozen=True, slots=True)
class ScriptRan:
    """One Redis script ran, or could not; counted always, logged when it failed."""

    script: str
    outcome: str
    seconds: float


Event = (
    VerificationStarted
    | DeliveryFailed
    | CodeChecked
    | LimitReached
    | ProviderCalled
    | BreakerChanged
    | ScriptRan
)
Emit = Callable[[Event], None]
