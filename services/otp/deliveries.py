"""Follows messages from a vendor's yes to the phone: notes, receipts, waits."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from functools import partial

from services.background import Background, Gathered, run_task
from services.errors import StoreUnavailable
from services.events import Emit, ReceiptTaken
from services.otp.follow_ups import FollowUps
from services.otp.messages import MessageStore, Tracked
from services.otp.phonebook import Phonebook
from services.otp.records import read_record
from services.otp.sending import Planned
from services.otp.store import OtpStore
from services.scripts import Call, ScriptRunner
from services.sms.outgoing import Delivery
from services.sms.receipts import BadSignature, Callback, Receipt, ReceiptReader
from services.sms.routing.health import VendorHealth
from services.sms.routing.standing import Route
from services.sms.service import SmsService
from utils.crypto import fingerprint

# What goes to Redis in one round trip: some 50 KiB, and some milliseconds of its time.
_MOST_NOTES = 100

# What Redis could not be told of yet; of an outage, the newest messages matter.
_MOST_LATE = 1_000

# A message that was sent, and its place in the verification.
_Sent = tuple[Planned, Delivery, int]


class Deliveries:
    """Watches messages and takes receipts. Safe to share between threads."""

    def __init__(
        self,
        *,
        scripts: ScriptRunner,
        store: OtpStore,
        messages: MessageStore,
        sms: SmsService,
        follow_ups: FollowUps,
        health: VendorHealth,
        readers: Mapping[str, ReceiptReader],
        phonebook: Phonebook,
        whatsapp_wait_seconds: float,
        notes: Background,
        emit: Emit,
    ) -> None:
        """``readers`` read the receipts of the vendors that were asked for them.

        ``whatsapp_wait_seconds`` is how long WhatsApp has to deliver before an SMS
        follows, 0 for ever. ``notes`` runs what takes a moment.
        """
        self._scripts = scripts
        self._store = store
        self._messages = messages
        self._sms = sms
        self._follow_ups = follow_ups
        self._health = health
        self._readers = readers
        self._phonebook = phonebook
        self._whatsapp_wait_seconds = whatsapp_wait_seconds
        self._notes = Gathered(notes, self._note_all, most=_MOST_NOTES)
        self._late: deque[_Sent] = deque(maxlen=_MOST_LATE)
        self._emit = emit

    @property
    def vendors(self) -> Collection[str]:
        """The vendors whose receipts are read."""
        return self._readers.keys()

    def watch(self, planned: Planned, delivery: Delivery, number: int) -> None:
        """Remember, after the answer, whose message ``delivery`` is.

        ``number`` is its place in the verification, from 1.
        """
        if self._is_followed(delivery) or self._is_reported(delivery):
            self._notes.add((planned, delivery, number))

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

        What cannot be looked at now is looked at again, half a minute later.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        for id_ in self._messages.claim_due("whatsapp"):
            # One that nobody can follow up must not hold up the others behind it.
            run_task(partial(self._look_at, id_), "whatsapp waits", self._emit)

    def _look_at(self, id_: str) -> None:
        tracked = self._messages.look_up(id_)
        if tracked is not None and not self._has_arrived(tracked):
            self._follow_ups.move(tracked, None, then=self.watch)
        self._messages.is_done("whatsapp", id_)

    def note_again(self) -> None:
        """Remember the messages that could not be when they were sent, if there are.

        Raises:
            StoreUnavailable: Redis still cannot be reached.
        """
        while self._late:
            most = min(len(self._late), _MOST_NOTES)
            self._note_all([self._late.popleft() for _ in range(most)])

    def _waits_for(self, delivery: Delivery) -> bool:
        return delivery.channel == "whatsapp" and self._whatsapp_wait_seconds > 0

    def _is_followed(self, delivery: Delivery) -> bool:
        return delivery.provider in self._readers or self._waits_for(delivery)

    def _is_reported(self, delivery: Delivery) -> bool:
        return self._sms.reporter(delivery.provider) is not None

    def _note_all(self, sent: Sequence[_Sent]) -> None:
        """Remember messages in one round trip, and take in receipts that came first."""
        calls: list[Call] = []
        links: list[tuple[int, Tracked]] = []
        for planned, delivery, number in sent:
            if self._is_reported(delivery):
                calls.append(
                    self._store.note_call(
                        planned.attempt, number=number, message_id=delivery.message_id
                    )
                )
            if not self._is_followed(delivery):
                continue
            id_ = self._messages.id_of(delivery.provider, delivery.message_id)
            tracked = Tracked(
                verification=planned.attempt.id,
                attempt=number,
                channel=delivery.channel,
                region=planned.letter.phone.region,
                vendor=delivery.provider,
                letter=planned.letter,
            )
            links.append((len(calls), tracked))
            calls.append(self._messages.link_call(id_, tracked))
            if self._waits_for(delivery):
                seconds = self._whatsapp_wait_seconds
                calls.append(self._messages.wait_call(id_, "whatsapp", seconds))
        try:
            replies = self._scripts.run_together(*calls)
        except StoreUnavailable:
            self._late.extend(sent)
            raise
        for place, tracked in links:
            for receipt in self._messages.read_early(replies[place]):
                self._apply(tracked, receipt)

    def _apply(self, tracked: Tracked, receipt: Receipt) -> None:
        phone = tracked.letter.phone
        self._sms.learn_price(tracked.vendor, tracked.channel, phone, receipt)
        record = self._follow_ups.move(tracked, receipt, then=self.watch)
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

    def _has_arrived(self, tracked: Tracked) -> bool:
        """Tell whether a message needs no other: it came, or another one was sent."""
        limits = self._phonebook.limits
        call = self._store.status_call(tracked.verification, limits)
        record = read_record(self._scripts.run(call))
        is_last = record.attempt == tracked.attempt
        return not is_last or record.delivery == "delivered"
