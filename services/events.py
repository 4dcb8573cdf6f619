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
    channel: str
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
class ReceiptTaken:
    """A vendor said how a message fares.

    ``outcome``: moved, same (late or repeated), gone (the verification is), unknown
    (the message is) or forged. ``seconds`` since the vendor accepted it.
    """

    provider: str
    country: str
    status: str
    outcome: str
    vendor_code: str
    phone_tag: str
    verification: str
    seconds: float


@dataclass(frozen=True, slots=True)
class MessageFollowed:
    """A message that did not arrive was followed by another, with the same code.

    ``after`` is whose message failed, ``provider`` who took the new one, or "none".
    """

    phone_tag: str
    verification: str
    country: str
    channel: str
    after: str
    provider: str
    reason: str


@dataclass(frozen=True, slots=True)
class ConversionReported:
    """A vendor was told whether its message was of use, or could not be."""

    provider: str
    converted: bool
    outcome: str


@dataclass(frozen=True, slots=True)
class BackgroundFailed:
    """What was to be done after the answer was not; ``error`` is its type."""

    queue: str
    error: str


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
class VendorWeightChanged:
    """A vendor is given less or more of a country's traffic, by one step.

    ``reason`` is errors, slow, undelivered, unconverted or recovered.
    """

    provider: str
    channel: str
    country: str
    before: int
    after: int
    reason: str


@dataclass(frozen=True, slots=True)
class VendorMeasured:
    """What one worker added to a vendor's health, and its weight; counted, not logged.

    ``tries`` are first attempts old enough to tell whether they ``converted``.
    """

    provider: str
    channel: str
    country: str
    weight: int
    judged: int
    delivered: int
    tries: int
    converted: int


@dataclass(frozen=True, slots=True)
class RouteChosen:
    """The adaptive routing chose a vendor, or (not ``obeyed``) would have.

    ``explored``: at random, to learn.
    """

    provider: str
    channel: str
    country: str
    explored: bool
    obeyed: bool


@dataclass(frozen=True, slots=True)
class ScriptRan:
    """One Redis script ran, or could not; counted always, logged when it failed."""

    script: str
    outcome: str
    seconds: float


Event = (
    VerificationStarted
    | DeliveryFailed
    | ReceiptTaken
    | MessageFollowed
    | ConversionReported
    | BackgroundFailed
    | CodeChecked
    | LimitReached
    | ProviderCalled
    | BreakerChanged
    | VendorWeightChanged
    | VendorMeasured
    | RouteChosen
    | ScriptRan
)
Emit = Callable[[Event], None]
