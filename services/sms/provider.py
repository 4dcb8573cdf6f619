"""What an SMS vendor is to us: one ``send``, and three ways to fail.

A failure answers one question: could the message have gone out?

::

    ProviderFailure
    ├── Refused       it never will: stop, whoever we ask (recipient, absent,
    │                 opted out, fraud)
    ├── Unavailable   certainly not: ask the next provider (account, content, transient)
    └── Ambiguous     maybe: ask the next provider, not this one again in this request
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol, runtime_checkable

from utils.phone import PhoneNumber

Channel = Literal["sms", "whatsapp", "voice"]


class Reason(StrEnum):
    """Why a vendor did not take a message, or did not get it to the phone.

    ``recipient``: this phone never will get one on this channel. ``absent``: not now
    (switched off, out of reach, busy). ``opted_out``: it answered STOP.
    """

    RECIPIENT = "recipient"
    ABSENT = "absent"
    OPTED_OUT = "opted_out"
    FRAUD = "fraud"
    ACCOUNT = "account"
    CONTENT = "content"
    TRANSIENT = "transient"
    AMBIGUOUS = "ambiguous"


class Scope(StrEnum):
    """How far a failure reaches: what the breaker should hold it against.

    ``unknown``: the vendor does not say what it is about.
    """

    NUMBER = "number"
    COUNTRY = "country"
    PROVIDER = "provider"
    UNKNOWN = "unknown"


def in_minutes(seconds: int) -> int:
    """Round down, so that no text promises more than there is."""
    return max(1, seconds // 60)


@dataclass(frozen=True, slots=True)
class Dlt:
    """What India's DLT registry knows a text by (TRAI TCCCPR 2018)."""

    entity_id: str
    template_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one phone, as one vendor is to send it.

    ``code`` is given apart for vendors that put it into a text of their own, in the
    language ``locale`` (BCP 47), and for voice, where ``text`` is not used. A notice
    has none, and is not for them.
    ``ttl_seconds`` is what is left of the code's life: a later text is useless.
    ``sender`` is who it is from where the settings say so for the phone's country;
    without it the vendor's own setting counts. ``reference`` is our own id of this
    send, random and the same for every vendor and every repetition of a request.
    """

    phone: PhoneNumber
    code: str
    text: str
    ttl_seconds: int
    channel: Channel = "sms"
    locale: str = "en"
    sender: str | None = None
    dlt: Dlt | None = None
    reference: str = ""

    @property
    def minutes(self) -> int:
        """The code's life as a text says it."""
        return in_minutes(self.ttl_seconds)

    def ttl_within(self, shortest: int, longest: int) -> int:
        """Return the seconds that are left, as near as a vendor's limits allow."""
        return min(max(self.ttl_seconds, shortest), longest)

    def __repr__(self) -> str:
        """Show no phone number, code or text."""
        return f"Message({self.channel}, {self.phone!r})"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor took the message, and calls it ``message_id``."""

    message_id: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A vendor's error, mapped: what its table says of one code."""

    reason: Reason
    scope: Scope


class ProviderFailure(Exception):
    """A vendor did not take the message.

    ``vendor_code`` is the vendor's own code, never its text: texts echo numbers.
    """

    may_have_left: bool = False

    def __init__(self, reason: Reason, scope: Scope, vendor_code: str) -> None:
        """Carry the mapped failure."""
        super().__init__(f"{reason} ({vendor_code})")
        self.reason = reason
        self.scope = scope
        self.vendor_code = vendor_code


class Refused(ProviderFailure):
    """No provider will deliver this: recipient, absent, opted out or fraud.

    ``may_have_left`` is set when a provider asked before was ambiguous, ``failed`` to
    what all of them answered, and ``billed`` to those that may have sent it all the
    same.
    """

    failed: tuple[str, ...] = ()
    billed: tuple[str, ...] = ()


class Unavailable(ProviderFailure):
    """The message certainly did not leave; the next provider may take it."""


class Ambiguous(ProviderFailure):
    """The message may have left: an answer was due and did not come."""

    may_have_left = True


class Provider(Protocol):
    """One SMS vendor. Safe to share between threads."""

    @property
    def name(self) -> str:
        """The vendor's name in settings, metrics and logs."""
        ...

    @property
    def channels(self) -> Collection[Channel]:
        """The channels it sends on."""
        ...

    @property
    def countries(self) -> Collection[str] | None:
        """The regions it serves (ISO 3166), or None for all."""
        ...

    @property
    def status(self) -> str:
        """The delivery status that its acceptance means."""
        ...

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over, before ``deadline`` (monotonic seconds).

        Raises:
            Refused, Unavailable, Ambiguous: see the module's tree.
        """
        ...


@runtime_checkable
class ReportsConversion(Protocol):
    """A vendor that wants to know whether its message did what it was sent for."""

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """Say whether the person typed the code; after the fact, never in a request.

        Raises:
            ProviderFailure: the vendor did not take the report.
        """
        ...
