"""What the services tell the world: frozen events, handed to one ``Emit`` callable.

Services never log and never count. ``backend/telemetry.py`` turns each event into one
log line and one metric sample. Events name phones by tag (a keyed MAC) and
verifications by fingerprint, so nothing here is a phone number or a code.
"""

from collections.abc import Callable
from dataclasses import dataclass

from services.abuse_events import AbuseEvent
from services.outcomes import (
    ClientMethod,
    ClientOutcome,
    EndReason,
    RefreshOutcome,
    RefusalReason,
)
from services.routing_events import (
    RouteChosen,
    VendorMeasured,
    VendorWeightChanged,
)


@dataclass(frozen=True, slots=True)
class VerificationStarted:
    """A code was accepted for delivery.

    ``failed``: what the vendors answered that were asked before, as "twilio transient
    20503", or "twilio left_alone" where a breaker was open.
    """

    phone_tag: str
    verification: str
    purpose: str
    country: str
    channel: str
    provider: str
    attempt: int
    resend: bool
    seconds: float
    failed: tuple[str, ...] = ()
    platform: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    """No provider took the message, or the recipient cannot get it.

    ``failed`` as in ``VerificationStarted``.
    """

    phone_tag: str
    verification: str
    country: str
    reason: str
    budget_returned: bool
    failed: tuple[str, ...] = ()


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
    """A request was refused by a limit, named as in the answer.

    ``verification``: the one to send again or to check, if there is one.
    """

    limit: str
    action: str
    retry_after_seconds: int
    phone_tag: str = ""
    verification: str = ""


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
class NoticeSent:
    """A phone was told that its account has another number now, or was not.

    ``outcome``: accepted (by ``provider``), or why not; then ``provider`` is "none".
    """

    country: str
    provider: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ScriptRan:
    """One Redis script ran, or could not; counted always, logged when it failed."""

    script: str
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A won login made a session."""

    phone_tag: str
    subject: str
    session: str
    client: str


@dataclass(frozen=True, slots=True)
class SessionRefused:
    """A right code made no session: who holds the phone may not have one."""

    reason: RefusalReason
    phone_tag: str


@dataclass(frozen=True, slots=True)
class SessionRefreshed:
    """A refresh token was presented."""

    outcome: RefreshOutcome
    phone_tag: str
    session: str


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions ended before their time; ``by`` names the client that revoked."""

    reason: EndReason
    phone_tag: str
    count: int
    by: str = ""


@dataclass(frozen=True, slots=True)
class PhoneChanged:
    """A person moved to another number, subject and all."""

    subject: str
    from_tag: str
    to_tag: str


@dataclass(frozen=True, slots=True)
class ClientChecked:
    """A service client proved who it is, or did not.

    ``client`` is "unknown" where none is registered by that name; ``claim`` is the one
    of an assertion that is wrong.
    """

    client: str
    method: ClientMethod
    outcome: ClientOutcome
    claim: str = ""


@dataclass(frozen=True, slots=True)
class TokenIntrospected:
    """A service client asked about a token."""

    client: str
    active: bool


@dataclass(frozen=True, slots=True)
class SigningKeyChanged:
    """This worker follows a change of the signing keys; ``state`` is the key's new."""

    kid: str
    state: str


@dataclass(frozen=True, slots=True)
class AdminActed:
    """An operator did something to a person; it stands in the audit stream, too.

    ``actor`` is ``client:<id>`` or ``cli:<user>``.
    """

    action: str
    actor: str
    phone_tag: str
    subject: str
    detail: str
    outcome: str


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
    | NoticeSent
    | ScriptRan
    | SessionOpened
    | SessionRefused
    | SessionRefreshed
    | SessionsEnded
    | PhoneChanged
    | ClientChecked
    | TokenIntrospected
    | SigningKeyChanged
    | AdminActed
    | AbuseEvent
)
Emit = Callable[[Event], None]
