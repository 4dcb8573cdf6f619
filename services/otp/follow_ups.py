"""What is sent because another message did not arrive.

A message that failed on its way goes out once more by the next vendor, one that
WhatsApp did not deliver goes out as an SMS, with the same code. A number that cannot be
reached shuts its channel instead, and the next one opens. One script decides all that.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from services.background import Background
from services.errors import AuthError, DeliveryUnavailable, StoreUnavailable
from services.events import Emit, MessageFollowed
from services.otp.admission import Admission, Admitted
from services.otp.messages import Tracked
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.records import Record
from services.otp.sending import CodeSender, Planned, closing_for
from services.otp.store import OtpStore
from services.sms.outgoing import Delivery
from services.sms.provider import Channel, Reason
from services.sms.receipts import Receipt
from utils.clock import Clock
from utils.crypto import fingerprint

# The other reasons are the phone's own, or fraud: no vendor can do better.
_NOT_BETTER_ELSEWHERE = frozenset(
    {Reason.RECIPIENT, Reason.ABSENT, Reason.OPTED_OUT, Reason.FRAUD}
)

# Whoever still waits then has asked again.
_WITHIN_SECONDS = 10.0

# Told of a message that went out: its plan, what came of it, its place from 1.
OnSent = Callable[[Planned, Delivery, int], None]


@dataclass(frozen=True, slots=True)
class _FollowUp:
    """A message that is due, because of another, before a moment (monotonic)."""

    planned: Planned
    admitted: Admitted
    after: Tracked
    reason: str
    until: float
    then: OnSent


class FollowUps:
    """Takes down how messages fare, and sends again. Safe to share between threads."""

    def __init__(
        self,
        *,
        store: OtpStore,
        admission: Admission,
        planner: Planner,
        sender: CodeSender,
        phonebook: Phonebook,
        whatsapp_falls_back: bool,
        background: Background,
        clock: Clock,
        emit: Emit,
    ) -> None:
        """``whatsapp_falls_back``: what WhatsApp cannot deliver goes out as an SMS."""
        self._store = store
        self._admission = admission
        self._planner = planner
        self._sender = sender
        self._phonebook = phonebook
        self._whatsapp_falls_back = whatsapp_falls_back
        self._background = background
        self._clock = clock
        self._emit = emit

    def move(
        self, tracked: Tracked, receipt: Receipt | None, *, then: OnSent
    ) -> Record:
        """Take down a receipt, or that time has passed, and send what is due then.

        ``then`` is told what went out, elsewhere and later.

        Raises:
            StoreUnavailable: Redis cannot be reached; nothing is sent.
        """
        reason = receipt.failure.reason if receipt and receipt.failure else None
        channel = self._channel_after(tracked.channel, receipt, reason)
        letter = tracked.letter
        ways, admitted = None, None
        if reason is Reason.FRAUD:
            self._admission.refused_as_fraud(letter.phone)
        if channel is not None:
            ways = self._planner.ways_on(letter.phone, channel)
            tag = tracked.verification.tag
            admitted = self._admission.follow(letter.phone, tag, ways)
        attempt = self._phonebook.attempt(
            tracked.verification, letter.phone, letter.storefront
        )
        if admitted is not None:
            ticket = admitted.room.ticket
            attempt = replace(attempt, counted=ticket.counted, admitted_ms=ticket.at_ms)
        closing = closing_for(tracked.channel, reason)
        try:
            record = self._store.follow(
                attempt,
                number=tracked.attempt,
                status=receipt.status if receipt else None,
                closings=[closing] if closing else [],
                plans=ways.plans if ways and admitted else [],
            )
        except StoreUnavailable:
            self._admission.give_back(admitted, to_caller=False)
            raise
        if admitted is None or ways is None:
            return record
        if record.outcome != "followed":
            self._admission.give_back(admitted, to_caller=False)
            return record
        planned = Planned(
            attempt=attempt,
            record=record,
            letter=letter,
            room=admitted.room,
            ways=ways,
            is_follow_up=True,
        )
        why = (reason or "undelivered") if receipt else "not_delivered_in_time"
        follow_up = _FollowUp(
            planned=planned,
            admitted=admitted,
            after=tracked,
            reason=why,
            until=self._clock.monotonic() + _WITHIN_SECONDS,
            then=then,
        )
        self._background.submit(partial(self._send, follow_up))
        return record

    def _channel_after(
        self, channel: Channel, receipt: Receipt | None, reason: Reason | None
    ) -> Channel | None:
        """Name the channel on which to send once more, if that may help."""
        if receipt is not None and receipt.status != "undelivered":
            return None
        if channel == "voice":
            return None  # Nobody is to be called again without asking for it.
        if channel == "whatsapp":
            falls_back = self._whatsapp_falls_back and reason is not Reason.FRAUD
            return "sms" if falls_back else None
        return None if reason in _NOT_BETTER_ELSEWHERE else channel

    def _send(self, follow_up: _FollowUp) -> None:
        planned, after = follow_up.planned, follow_up.after
        letter = planned.letter
        if self._clock.monotonic() > follow_up.until:
            # The queue was long. The store forgets the message that never was.
            self._store.settle(planned.attempt, keep_cooldown=True)
            self._admission.give_back(follow_up.admitted, to_caller=False)
            return
        number = planned.record.attempt
        provider = "none"
        try:
            code = self._phonebook.code_of(
                planned.attempt.id, letter.phone, letter.storefront
            )
            record, delivery = self._sender.send(planned, code)
        except AuthError as failure:
            # Told by the sender, as an event; nobody waits for an answer.
            if isinstance(failure, DeliveryUnavailable) and failure.budget_returned:
                self._admission.give_back(follow_up.admitted, to_caller=False)
            else:
                self._admission.settle(follow_up.admitted, planned.bill)
        else:
            self._admission.settle(follow_up.admitted, planned.bill)
            provider = record.provider
            follow_up.then(planned, delivery, number)
        self._emit(
            MessageFollowed(
                phone_tag=planned.attempt.id.tag,
                verification=fingerprint(str(planned.attempt.id)),
                country=letter.phone.region,
                channel=planned.record.channel,
                after=after.vendor,
                provider=provider,
                reason=follow_up.reason,
            )
        )
