"""Follows messages from a vendor's yes to the phone, and sends again what got lost.

What a vendor says of a message decides, in one script, how its delivery stands and
whether another is due: a message that failed on its way goes out once more by the next
vendor, one that WhatsApp did not deliver goes out as an SMS, with the same code. A
number that cannot be reached shuts its channel instead, and the next one opens.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

from services.abuse.guard import Guard, Room, SharedLimitReached
from services.background import Background
from services.errors import AuthError, DeliveryUnavailable, StoreUnavailable
from services.events import Emit, MessageFollowed, ReceiptTaken
from services.otp.messages import MessageStore, Tracked
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.records import Record
from services.otp.sending import CodeSender, Planned, closing_for
from services.otp.store import OtpStore
from services.scripts import Call, ScriptRunner
from services.sms.provider import Channel, Reason
from services.sms.receipts import BadSignature, Callback, Receipt, ReceiptReader
from services.sms.routing.health import VendorHealth
from services.sms.routing.standing import Route
from services.sms.service import Delivery, SmsService
from utils.crypto import fingerprint

# The other reasons are the phone's own, or fraud: no vendor can do better.
_NOT_BETTER_ELSEWHERE = frozenset(
    {Reason.RECIPIENT, Reason.ABSENT, Reason.OPTED_OUT, Reason.FRAUD}
)


class Deliveries:
    """Watches messages and takes receipts. Safe to share between threads."""

    def __init__(
        self,
        *,
        scripts: ScriptRunner,
        store: OtpStore,
        messages: MessageStore,
        guard: Guard,
        sms: SmsService,
        planner: Planner,
        sender: CodeSender,
        health: VendorHealth,
        readers: Mapping[str, ReceiptReader],
        phonebook: Phonebook,
        whatsapp_wait_seconds: float,
        notes: Background,
        sends: Background,
        emit: Emit,
    ) -> None:
        """``readers`` read the receipts of the vendors that were asked for them.

        ``whatsapp_wait_seconds`` is how long WhatsApp has to deliver before an SMS
        follows, 0 for ever. ``notes`` runs what takes a moment, ``sends`` what waits
        for a vendor.
        """
        self._scripts = scripts
        self._store = store
        self._messages = messages
        self._guard = guard
        self._sms = sms
        self._planner = planner
        self._sender = sender
        self._health = health
        self._readers = readers
        self._phonebook = phonebook
        self._whatsapp_wait_seconds = whatsapp_wait_seconds
        self._notes = notes
        self._sends = sends
        self._emit = emit

    @property
    def vendors(self) -> Collection[str]:
        """The vendors whose receipts are read."""
        return self._readers.keys()

    def watch(self, planned: Planned, delivery: Delivery, number: int) -> None:
        """Remember, after the answer, whose message ``delivery`` is.

        ``number`` is its place in the verification, from 1.
        """
        reported = self._sms.reporter(delivery.provider) is not None
        if delivery.provider in self._readers or reported or self._waits_for(delivery):
            self._notes.submit(partial(self._note, planned, delivery, number))

    def take(self, vendor: str, callback: Callback) -> None:
        """Take in what a vendor says of its messages.

        Repeated, late and unknown receipts change nothing.

        Raises:
            KeyError: no such vendor sends us receipts.
            BadSignature: nobody can tell that the vendor sent this.
            StoreUnavailable: Redis cannot be reached; the vendor should try again.
        """
        try:
            receipts = self._readers[vendor].read(callback)
        except BadSignature:
            self._emit(ReceiptTaken(vendor, "", "", "forged", "", "", "", 0.0))
            raise
        for receipt in receipts:
            tracked = self._messages.find(vendor, receipt)
            if tracked is not None:
                self._apply(tracked, receipt)
            else:
                code = receipt.vendor_code
                status = receipt.status
                self._emit(ReceiptTaken(vendor, "", status, "unknown", code, "", "", 0))

    def look_again(self) -> None:
        """Follow up what WhatsApp was given to deliver and has not, every second or so.

        Raises:
            StoreUnavailable: Redis cannot be reached; what is due stays due.
        """
        for tracked in self._messages.claim_due("whatsapp"):
            self._move(tracked, None)

    def _waits_for(self, delivery: Delivery) -> bool:
        return delivery.channel == "whatsapp" and self._whatsapp_wait_seconds > 0

    def _note(self, planned: Planned, delivery: Delivery, number: int) -> None:
        id_ = self._messages.id_of(delivery.provider, delivery.message_id)
        tracked = Tracked(
            verification=planned.attempt.id,
            attempt=number,
            channel=delivery.channel,
            region=planned.letter.phone.region,
            vendor=delivery.provider,
            letter=planned.letter,
        )
        calls: list[Call] = [self._messages.link_call(id_, tracked)]
        if self._sms.reporter(delivery.provider) is not None:
            calls.append(
                self._store.note_call(
                    planned.attempt, number=number, message_id=delivery.message_id
                )
            )
        if self._waits_for(delivery):
            seconds = self._whatsapp_wait_seconds
            calls.append(self._messages.wait_call(id_, "whatsapp", seconds))
        linked, *_ = self._scripts.run_together(*calls)
        for receipt in self._messages.read_early(linked):
            self._apply(tracked, receipt)

    def _apply(self, tracked: Tracked, receipt: Receipt) -> None:
        record = self._move(tracked, receipt)
        moved = record.outcome in {"moved", "followed"}
        if moved and receipt.status in {"delivered", "undelivered"}:
            self._health.receipt(
                Route(tracked.channel, tracked.region, tracked.vendor),
                delivered=receipt.status == "delivered",
                age_seconds=tracked.age_seconds,
            )
        self._emit(
            ReceiptTaken(
                provider=tracked.vendor,
                country=tracked.region,
                status=receipt.status,
                outcome="moved" if moved else record.outcome,
                vendor_code=receipt.vendor_code,
                phone_tag=tracked.verification.tag,
                verification=fingerprint(str(tracked.verification)),
                seconds=tracked.age_seconds,
            )
        )

    def _move(self, tracked: Tracked, receipt: Receipt | None) -> Record:
        """Take down a receipt, or that time has passed, and send what is due then."""
        reason = receipt.failure.reason if receipt and receipt.failure else None
        channel = self._channel_after(tracked.channel, receipt, reason)
        room = self._admit(tracked) if channel else None
        letter = tracked.letter
        ways = None
        if channel is not None and room is not None:
            ways = self._planner.ways_on(letter.phone, channel)
        attempt = self._phonebook.attempt(
            tracked.verification, letter.phone, letter.storefront
        )
        record = self._store.follow(
            attempt,
            number=tracked.attempt,
            status=receipt.status if receipt else None,
            closing=closing_for(tracked.channel, reason),
            plans=ways.plans if ways else [],
        )
        if room is None or ways is None:
            return record
        if record.outcome != "followed":
            self._give_back(tracked, room)
            return record
        planned = Planned(
            attempt=attempt,
            record=record,
            letter=letter,
            room=room,
            ways=ways,
        )
        why = (reason or "undelivered") if receipt else "not_delivered_in_time"
        self._sends.submit(partial(self._send_again, planned, tracked, why))
        return record

    def _channel_after(
        self, channel: Channel, receipt: Receipt | None, reason: Reason | None
    ) -> Channel | None:
        """Name the channel on which to send once more, if that may help."""
        if receipt is not None and receipt.status != "undelivered":
            return None
        if channel == "whatsapp":
            falls_back = self._whatsapp_wait_seconds > 0 and reason is not Reason.FRAUD
            return "sms" if falls_back else None
        return None if reason in _NOT_BETTER_ELSEWHERE else channel

    def _send_again(self, planned: Planned, tracked: Tracked, why: str) -> None:
        letter = planned.letter
        code = self._phonebook.code_of(
            planned.attempt.id, letter.phone, letter.storefront
        )
        number = planned.record.attempt
        provider = ""
        try:
            record, delivery = self._sender.send(planned, code)
        except DeliveryUnavailable as outage:
            if outage.budget_returned:
                self._give_back(tracked, planned.room)
        except AuthError:
            pass  # Told by the sender, as an event; nobody waits for an answer.
        else:
            provider = record.provider
            self.watch(planned, delivery, number)
        self._emit(
            MessageFollowed(
                phone_tag=planned.attempt.id.tag,
                verification=fingerprint(str(planned.attempt.id)),
                country=letter.phone.region,
                channel=planned.record.channel,
                after=tracked.vendor,
                provider=provider or "none",
                reason=why,
            )
        )

    def _admit(self, tracked: Tracked) -> Room | None:
        try:
            return self._guard.admit_send(None, tracked.letter.phone)
        except SharedLimitReached:
            return None

    def _give_back(self, tracked: Tracked, room: Room) -> None:
        with suppress(StoreUnavailable):
            self._guard.give_back(None, tracked.letter.phone, room, to_caller=False)
