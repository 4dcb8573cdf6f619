"""What goes into a send, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.sms.provider import Channel, Reason
from services.sms.words import Client, Wording
from utils.phone import PhoneNumber


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A code on its way to a phone, before a vendor is chosen.

    ``uses`` counts the messages that each vendor was given in this verification before,
    by channel, and ``first`` says that there were none. ``reference`` is our own id of
    this send.
    """

    phone: PhoneNumber
    code: str
    wording: Wording
    ttl_seconds: int
    locale: str
    client: Client | None
    reference: str
    first: bool = True
    uses: Mapping[Channel, Mapping[str, int]] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Show no phone number and no code."""
        return f"Outgoing({self.phone!r})"


@dataclass(frozen=True, slots=True)
class Notice:
    """What tells a phone that its account's number is another now, ending so."""

    phone: PhoneNumber
    ending: str
    reference: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A vendor took the message; ``status`` is the delivery status to report.

    ``failed``: what those answered that were asked before, or that they were left
    alone, as an event says it. ``billed`` names who will want money for it: whoever
    took it, and before that whoever may have, in the order in which they were asked.
    """

    provider: str
    channel: Channel
    status: str
    message_id: str
    failed: tuple[str, ...] = ()
    billed: tuple[str, ...] = ()


class NotDelivered(Exception):
    """No vendor took the message, and another try later may do better.

    ``reason`` is the last vendor's, or None when none could be asked. ``of_message``
    means that a vendor answered and found fault with the number, the text or the
    country: whoever chose the number may ask for that without end, so it has to count.
    ``failed`` as in ``Delivery``, and ``billed`` names who may have sent it after all.
    """

    def __init__(
        self,
        *,
        reason: Reason | None,
        may_have_left: bool,
        of_message: bool,
        retry_after_seconds: int,
        failed: tuple[str, ...] = (),
        billed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason or "nobody to ask")
        self.reason = reason
        self.of_message = of_message
        self.may_have_left = may_have_left
        self.retry_after_seconds = retry_after_seconds
        self.failed = failed
        self.billed = billed
