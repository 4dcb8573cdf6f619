"""Hands a planned send to SMS, and puts right in the store what went otherwise."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from services.abuse.asking import Room
from services.errors import (
    AuthError,
    DeliveryUnavailable,
    Next,
    PhoneNotSupported,
    StoreUnavailable,
    Turn,
)
from services.events import DeliveryFailed, Emit
from services.otp.answers import (
    CLOSED,
    NEXT_WHEN_GONE,
    OPTED_OUT,
    UNREACHABLE,
    next_after,
    unreachable,
)
from services.otp.codes import Purpose
from services.otp.planning import Ways
from services.otp.records import Attempt, Closing, Record
from services.otp.store import OtpStore
from services.sms.outgoing import Delivery, NotDelivered, Outgoing
from services.sms.provider import Channel, Reason, Refused
from services.sms.service import SmsService
from services.sms.words import Client, Wording
from utils.crypto import fingerprint
from utils.phone import PhoneNumber

# A vendor may be mistaken about a number that cannot get texts; who is not on WhatsApp
# is not there in ten minutes either.
_UNREACHABLE_SECONDS: Mapping[Channel, int] = {
    "sms": 600,
    "whatsapp": 86_400,
    "voice": 600,
}
# Long enough to cost nothing, short enough for somebody who sent START since.
_OPTED_OUT_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Letter:
    """To whom a code goes and how it is worded: what every message of one repeats."""

    phone: PhoneNumber
    storefront: str
    locale: str
    client: Client | None

    def __repr__(self) -> str:
        """Show no phone number."""
        return f"Letter({self.phone!r})"


@dataclass(frozen=True, slots=True)
class Planned:
    """A send that the store has counted: who gets what, and whom to ask in turn.

    ``is_follow_up``: nobody asked for it, so it takes nothing of the person's waiting.
    ``bill`` grows while it is sent: the vendors, with the channel, that took it or may
    have.
    """

    attempt: Attempt
    record: Record
    letter: Letter
    room: Room
    ways: Ways
    is_follow_up: bool = False
    bill: list[tuple[str, Channel]] = field(default_factory=list)

    def order(self, channel: Channel) -> list[str]:
        """Name the vendors to ask: the store's choice, then whom it used least.

        A follow-up leaves out whom it used at all: they had their turn.
        """
        uses = self.record.uses.get(channel, {})
        names = sorted(
            self.ways.orders.get(channel, ()), key=lambda it: uses.get(it, 0)
        )
        if self.is_follow_up:
            names = [name for name in names if not uses.get(name)]
        if channel != self.record.channel:
            return names
        chosen = self.record.provider
        return [chosen, *(name for name in names if name != chosen)]


@dataclass(frozen=True, slots=True)
class _Failed:
    """A channel on which a message did not get out."""

    channel: Channel
    failure: Refused | NotDelivered

    @property
    def why(self) -> tuple[Channel, Reason | None]:
        return self.channel, self.failure.reason

    @property
    def is_about_number(self) -> bool:
        """Whether a vendor answered, and found fault with what it was asked to do."""
        return isinstance(self.failure, Refused) or self.failure.of_message


class CodeSender:
    """Sends codes. Safe to share between threads."""

    def __init__(
        self,
        *,
        store: OtpStore,
        sms: SmsService,
        whatsapp_falls_back: bool,
        emit: Emit,
    ) -> None:
        """``whatsapp_falls_back``: what WhatsApp cannot deliver goes out as an SMS."""
        self._store = store
        self._sms = sms
        self._whatsapp_falls_back = whatsapp_falls_back
        self._emit = emit

    def send(self, planned: Planned, code: str) -> tuple[Record, Delivery]:
        """Send, and return the record as it stands after that.

        Raises:
            RecipientUnreachable, PhoneNotSupported, DeliveryUnavailable: nothing was
                accepted, and a verification that never had a message is removed.
        """
        record, letter = planned.record, planned.letter
        outgoing = Outgoing(
            phone=letter.phone,
            code=code,
            wording=wording_of(planned.attempt.id.purpose),
            ttl_seconds=record.expires_in,
            locale=letter.locale,
            client=letter.client,
            reference=planned.attempt.op,
            first=record.attempt == 1,
            uses=record.uses,
        )
        failures: list[_Failed] = []
        delivery = self._deliver(planned, outgoing, failures)
        closings = [it for failed in failures if (it := closing_for(*failed.why))]
        if delivery is None:
            error = self._undelivered(planned, failures, closings)
            raise error from failures[-1].failure
        planned_for = (record.provider, record.channel)
        if closings or (delivery.provider, delivery.channel) != planned_for:
            # The message is out: an error now would be the greater lie. What is lost
            # with the store is which provider a resend had better avoid.
            sent = (delivery.provider, delivery.status, delivery.channel)
            with suppress(StoreUnavailable):
                record.closed = self._store.settle(
                    planned.attempt, sent=sent, closings=closings
                ).closed
        record.provider, record.delivery = delivery.provider, delivery.status
        record.channel = delivery.channel
        return record, delivery

    def _deliver(
        self, planned: Planned, outgoing: Outgoing, failures: list[_Failed]
    ) -> Delivery | None:
        """Try the channel that was chosen, and the one behind it; note what failed."""
        deadline = self._sms.deadline()
        channel: Channel = planned.record.channel
        order: Sequence[str] = planned.order(channel)
        while True:
            try:
                delivery = self._sms.send(
                    outgoing, channel=channel, order=order, deadline=deadline
                )
                planned.bill.extend((it, channel) for it in delivery.billed)
                return replace(delivery, failed=(*_told(failures), *delivery.failed))
            except (Refused, NotDelivered) as failure:
                planned.bill.extend((it, channel) for it in failure.billed)
                failures.append(_Failed(channel, failure))
            if not self._falls_back(planned, failures[-1]):
                return None
            channel = "sms"
            order = planned.order(channel)

    def _falls_back(self, planned: Planned, failed: _Failed) -> bool:
        return (
            self._whatsapp_falls_back
            and failed.channel == "whatsapp"
            and bool(planned.ways.orders.get("sms"))
            and "sms" not in planned.record.closed
            and failed.failure.reason is not Reason.FRAUD
        )

    def _undelivered(
        self,
        planned: Planned,
        failures: Sequence[_Failed],
        closings: Sequence[Closing],
    ) -> AuthError:
        """Undo what the start took, as far as the failure allows, and say why.

        An outage costs the person nothing. A text that may have left stays counted, or
        a vendor that is silent after sending could be made to flood a phone. So does
        what a vendor has against the number: no breaker would ever end the asking.
        """
        last = failures[-1].failure
        about_number = any(it.is_about_number for it in failures)
        keep_count = about_number or any(it.failure.may_have_left for it in failures)
        self._emit(
            DeliveryFailed(
                phone_tag=planned.attempt.id.tag,
                verification=fingerprint(str(planned.attempt.id)),
                country=planned.letter.phone.region,
                reason=last.reason or "no_provider",
                budget_returned=not keep_count,
                failed=_told(failures),
            )
        )
        next_step = NEXT_WHEN_GONE
        # Without the store the start stays counted; why nothing was sent stays true.
        with suppress(StoreUnavailable):
            record = self._store.settle(
                planned.attempt,
                keep_count=keep_count,
                keep_cooldown=planned.is_follow_up or (about_number and not closings),
                closings=closings,
            )
            next_step = next_after(record, planned.room, planned.ways.channels)
        if last.reason is Reason.FRAUD:
            # Nor by another channel: the block is on the number, not on the way to it.
            shut = replace(next_step, sms=CLOSED, whatsapp=CLOSED, voice=CLOSED)
            return PhoneNotSupported(next_step=shut)
        # True also where the store could not be told.
        shut = replace(next_step, **{it.channel: CLOSED for it in closings})
        if isinstance(last, NotDelivered):
            outage = _outage(failures[-1].channel, last, shut)
            outage.budget_returned = not keep_count
            return outage
        return unreachable(closings[-1].reason if closings else last.reason, shut)


def _told(failures: Sequence[_Failed]) -> tuple[str, ...]:
    """Return what every vendor answered, on whatever channel."""
    return tuple(text for it in failures for text in it.failure.failed)


def _outage(
    channel: Channel, failure: NotDelivered, next_step: Next
) -> DeliveryUnavailable:
    """Say that nobody could take it, and when somebody may on this channel."""
    turn: Turn = getattr(next_step, channel)
    wait = max(failure.retry_after_seconds, turn.retry_in or 0)
    if turn.allowed:
        turns = {channel: Turn(allowed=True, retry_in=wait)}
        next_step = replace(next_step, **turns)
    return DeliveryUnavailable(retry_after=wait, next_step=next_step)


def wording_of(purpose: Purpose) -> Wording:
    """Say which words a code comes with."""
    # A number that an account moves to is verified, as any other is.
    return "verify" if purpose == "change" else purpose


def closing_for(channel: Channel, reason: Reason | None) -> Closing | None:
    """Say whether a failure shuts a channel to a phone, and for how long."""
    if reason is Reason.OPTED_OUT:
        return Closing(channel, OPTED_OUT, _OPTED_OUT_SECONDS)
    if reason is Reason.RECIPIENT:
        return Closing(channel, UNREACHABLE, _UNREACHABLE_SECONDS[channel])
    return None
