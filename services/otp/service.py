"""The life of a verification: start, check, status.

Redis decides everything about a phone in one script; this module asks the limits
first, and turns outcomes into answers and errors.
"""

from collections.abc import Callable, Collection
from dataclasses import replace

from services.abuse.asking import Caller, Room, SharedLimitReached
from services.abuse.guard import Guard
from services.abuse_events import PhoneWasDisabled
from services.errors import (
    AuthError,
    DeliveryUnavailable,
    Next,
    PhoneNotSupported,
    Turn,
    VerificationGone,
)
from services.events import CodeChecked, Emit, LimitReached, VerificationStarted
from services.otp.admission import Admission, Admitted
from services.otp.answers import (
    NEXT_WHEN_GONE,
    UNKNOWN,
    Delivery,
    SendRequest,
    Started,
    Status,
    Verified,
    next_after,
    not_started,
    not_verified,
)
from services.otp.codes import (
    CODE_DIGITS,
    ESCALATED_DIGITS,
    Digits,
    Purpose,
    VerificationId,
)
from services.otp.conversions import Conversions
from services.otp.deliveries import Deliveries
from services.otp.phonebook import Phonebook
from services.otp.planning import TEST_WAYS, Planner
from services.otp.records import Prize, Record
from services.otp.sending import CodeSender, Letter, Planned
from services.otp.statuses import Statuses
from services.otp.store import OtpStore
from services.scripts import ScriptRunner
from services.sms.templates import Templates
from utils.clock import Clock
from utils.crypto import fingerprint, same


class OtpService:
    """Sends codes and checks them. Safe to share between threads."""

    def __init__(
        self,
        *,
        scripts: ScriptRunner,
        store: OtpStore,
        guard: Guard,
        admission: Admission,
        planner: Planner,
        sender: CodeSender,
        deliveries: Deliveries,
        conversions: Conversions,
        templates: Templates,
        phonebook: Phonebook,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._store = store
        self._guard = guard
        self._admission = admission
        self._planner = planner
        self._sender = sender
        self._deliveries = deliveries
        self._conversions = conversions
        self._templates = templates
        self._phonebook = phonebook
        self._statuses = Statuses(
            scripts=scripts, store=store, guard=guard, phonebook=phonebook
        )
        self._clock = clock
        self._emit = emit

    def start(self, request: SendRequest, caller: Caller) -> Started:
        """Send a code to a phone, or the same code again.

        Raises:
            PhoneInvalid, PhoneNotSupported: no number that we send to.
            RateLimited, PhoneLocked: not now; nothing was sent.
            VerificationGone: the verification to resend is not pending.
            RecipientUnreachable, DeliveryUnavailable: no provider took it.
            StoreUnavailable: Redis cannot be reached; nothing was sent.
        """
        began = self._clock.monotonic()
        phone, tag = self._phonebook.read(request.phone, request.country)
        resend_of = None
        if request.verification_id is not None:
            resend_of = self._phonebook.find(request.verification_id, tag)
        is_test = self._phonebook.is_test(phone)
        ways = TEST_WAYS if is_test else self._planner.ways(phone, request.channel)
        admitted = None
        if not is_test:
            admitted = self._admission.admit(request, caller, phone, tag, ways)
        room = admitted.room if admitted else Room()
        purpose = resend_of.purpose if resend_of else request.purpose
        digits: Digits = ESCALATED_DIGITS if room.escalated else CODE_DIGITS
        attempt = self._phonebook.attempt(
            self._phonebook.new_id(
                tag, purpose, digits=resend_of.digits if resend_of else digits
            ),
            phone,
            caller.storefront,
        )
        if admitted is not None:
            attempt = replace(
                attempt,
                device_at=admitted.device_at,
                counted=room.ticket.counted,
                admitted_ms=room.ticket.at_ms,
            )
        record = self._store.start(
            attempt,
            resend_of=resend_of.part if resend_of else None,
            plans=ways.plans,
            channels=ways.channels,
        )
        if record.outcome not in {"started", "resent"}:
            self._admission.give_back(admitted, to_caller=False)
            refusal = not_started(record, room, ways.channels)
            if refusal.retry_after:
                name = fingerprint(str(resend_of)) if resend_of else ""
                self._emit(
                    LimitReached(record.limit, "send", refusal.retry_after, tag, name)
                )
            raise refusal

        attempt = replace(attempt, id=VerificationId(tag, record.part))
        failed: tuple[str, ...] = ()
        if admitted is not None:
            letter = Letter(
                phone=phone,
                storefront=caller.storefront,
                locale=self._templates.choose_locale(
                    requested=request.locale,
                    accept_language=request.accept_language,
                    region=phone.region,
                ),
                client=request.client,
            )
            planned = Planned(attempt, record, letter, room, ways)
            record, failed = self._send(planned, admitted)
        self._emit(
            VerificationStarted(
                phone_tag=tag,
                verification=fingerprint(str(attempt.id)),
                purpose=attempt.id.purpose,
                country=phone.region,
                channel=record.channel,
                provider=record.provider,
                attempt=record.attempt,
                resend=record.outcome == "resent",
                seconds=self._clock.monotonic() - began,
                failed=failed,
                platform=request.platform or "",
            )
        )
        return Started(
            id=attempt.id,
            phone=phone,
            expires_in=record.expires_in,
            attempts_left=record.attempts_left,
            delivery=Delivery(record.delivery, record.channel, record.attempt),
            next=next_after(record, room, ways.channels),
            quotas=room.quotas,
        )

    def check(
        self,
        *,
        verification_id: str,
        phone_text: str,
        country: str | None = None,
        code: str,
        caller: Caller,
        prize: Callable[[str, Purpose], Prize],
        purposes: Collection[Purpose] = ("login", "verify"),
    ) -> Verified:
        """Check one guess. ``prize`` says what a right one wins, in the same step.

        It is given the E.164 number and the purpose. A verification for none of
        ``purposes`` does not exist here.

        Raises:
            VerificationGone, WrongCode, AttemptsExhausted, PhoneLocked, RateLimited:
                not verified.
            PhoneInvalid, PhoneNotSupported: no number that we send to.
            StoreUnavailable: Redis cannot be reached; nothing was accepted.
        """
        phone, tag = self._phonebook.read(phone_text, country)
        verification = self._phonebook.find(verification_id, tag)
        if verification.purpose not in purposes:
            raise VerificationGone(next_step=NEXT_WHEN_GONE)
        name = fingerprint(str(verification))
        try:
            room = self._guard.admit_check(caller, phone, tag)
        except SharedLimitReached as refusal:
            # The same for every id: the phone is not asked, so nothing can be learnt.
            wait = refusal.retry_after
            refusal.next_step = Next(UNKNOWN, Turn(allowed=True, retry_in=wait))
            raise

        derived = self._phonebook.code_of(verification, phone, caller.storefront)
        right = same(derived, code)
        purpose = verification.purpose
        to_win = prize(phone.e164, purpose) if right else None
        attempt = self._phonebook.attempt(verification, phone, caller.storefront)
        record = self._store.check(attempt, prize=to_win)
        if record.outcome in {"wrong", "gone"}:
            digits = verification.digits if record.outcome == "wrong" else None
            room = self._guard.count_wrong_check(caller, phone, digits=digits)
        elif record.outcome == "locked":
            self._emit(
                LimitReached("phone_locked", "check", record.check_wait, tag, name)
            )
        self._emit(
            CodeChecked(
                phone_tag=tag,
                verification=name,
                purpose=purpose,
                outcome=record.outcome,
                evaluated=record.outcome in {"verified", "wrong"},
                attempts_left=record.attempts_left,
            )
        )
        if record.disabled_now:
            self._emit(PhoneWasDisabled(tag, record.since_right))
        is_test = self._phonebook.is_test(phone)
        if is_test:
            room.send_wait = 0  # No limit on sends binds a test number.
        if to_win is None or record.outcome != "verified":
            channels = record.channels or ("sms",)
            raise not_verified(record, room, channels)
        if not is_test:
            self._conversions.verified(record, phone.region)
            self._admission.typed(record, caller, phone, tag)
        return Verified(phone, purpose, record.won, record.first_login)

    def forget_holder(self, tag: str) -> None:
        """Void a phone's codes, and take its next login for its first."""
        self._store.forget_holder(tag, self._phonebook.limits)
        self._admission.forget(tag)

    def erase(self, tag: str) -> None:
        """Forget a phone: its codes, its limits, its logins."""
        self._store.erase(tag)
        self._admission.forget(tag)

    def status(self, verification: VerificationId, caller: Caller) -> Status:
        """Tell how a verification stands, in one round trip; changes nothing.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        return self._statuses.of(verification, caller)

    def status_of_phone(self, phone_text: str, caller: Caller) -> Status:
        """Tell how a phone's newest verification stands, whoever asked for it.

        Raises:
            PhoneInvalid, PhoneNotSupported: no number that we send to.
            StoreUnavailable: Redis cannot be reached.
        """
        return self._statuses.of_phone(phone_text, caller)

    def _send(
        self, planned: Planned, admitted: Admitted
    ) -> tuple[Record, tuple[str, ...]]:
        """Send, and return the record with what failed before somebody took it."""
        id_, to = planned.attempt.id, planned.letter
        code = self._phonebook.code_of(id_, to.phone, to.storefront)
        try:
            record, delivery = self._sender.send(planned, code)
        except AuthError as failure:
            if isinstance(failure, PhoneNotSupported):
                self._admission.refused_as_fraud(to.phone)
            if isinstance(failure, DeliveryUnavailable) and failure.budget_returned:
                self._admission.give_back(admitted, to_caller=True)
            else:
                self._admission.settle(admitted, planned.bill)
            raise
        self._admission.settle(admitted, planned.bill)
        self._deliveries.watch(planned, delivery, record.attempt)
        return record, delivery.failed
