"""The life of a verification: start, check, status.

Redis decides everything about a phone in one script; this module asks the limits
first, derives codes, and turns outcomes into answers and errors.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from services.abuse.guard import Caller, Guard, Room, SharedLimitReached
from services.errors import (
    DeliveryUnavailable,
    Next,
    PhoneNotSupported,
    StoreUnavailable,
    Turn,
    VerificationGone,
)
from services.events import CodeChecked, Emit, LimitReached, VerificationStarted
from services.otp.answers import (
    NEXT_WHEN_GONE,
    UNKNOWN,
    Delivery,
    Draft,
    SendRequest,
    Started,
    Status,
    Verified,
    next_after,
    not_started,
    not_verified,
)
from services.otp.codes import VerificationId, derive_code
from services.otp.numbers import Numbers
from services.otp.sending import CodeSender, Planned
from services.otp.store import Attempt, OtpStore, PhoneLimits, read_record
from services.scripts import ScriptRunner
from services.sms.service import SmsService
from services.sms.templates import Templates
from utils.clock import Clock
from utils.crypto import fingerprint, mac_text, random_text, same
from utils.phone import PhoneNumber

# Stands where a provider would, for test numbers: nothing is sent.
_TEST = "test"
_OP_BYTES = 6
# Few storefronts share a service; this only tells them apart.
_STOREFRONT_BYTES = 6


class OtpService:
    """Sends codes and checks them. Safe to share between threads."""

    def __init__(
        self,
        *,
        scripts: ScriptRunner,
        store: OtpStore,
        guard: Guard,
        sms: SmsService,
        templates: Templates,
        numbers: Numbers,
        tag_of: Callable[[str], str],
        pepper: bytes,
        limits: PhoneLimits,
        clock: Clock,
        emit: Emit,
    ) -> None:
        """``tag_of`` names a phone in Redis; ``pepper`` keys the codes."""
        self._scripts = scripts
        self._store = store
        self._guard = guard
        self._sms = sms
        self._sender = CodeSender(store=store, sms=sms, templates=templates, emit=emit)
        self._numbers = numbers
        self._tag_of = tag_of
        self._pepper = pepper
        self._limits = limits
        # A test number costs nothing, and the tests that use it log in all day.
        self._test_limits = replace(limits, cooldowns=(), sends=())
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
        phone = self._numbers.read(request.phone, request.country)
        tag = self._tag_of(phone.e164)
        resend_of = self._resend_of(request, tag)
        is_test = self._numbers.test_code(phone) is not None
        providers = [(_TEST, _TEST)] if is_test else self._providers_for(phone)
        purpose = resend_of.purpose if resend_of else request.purpose
        attempt = self._attempt(VerificationId.new(tag, purpose), phone, caller)
        room = Room()
        if not is_test:
            room = self._admit_send(caller, phone, is_resend=resend_of is not None)
        record = self._store.start(
            attempt,
            resend_of=resend_of.part if resend_of else None,
            providers=providers,
        )
        if record.outcome in {"gone", "limited"}:
            if not is_test:
                self._give_back(caller, phone, room, to_caller=False)
            refusal = not_started(record, room)
            if refusal.retry_after:
                self._emit(LimitReached(record.limit, "send", refusal.retry_after))
            raise refusal

        attempt = replace(attempt, id=VerificationId(tag, record.part))
        if not is_test:
            code = self._code_of(attempt.id, phone, caller.storefront)
            try:
                record = self._sender.send(Planned(attempt, record, phone, room), code)
            except DeliveryUnavailable as outage:
                if outage.budget_returned:
                    self._give_back(caller, phone, room, to_caller=True)
                raise
        self._emit(
            VerificationStarted(
                phone_tag=tag,
                verification=fingerprint(str(attempt.id)),
                purpose=attempt.id.purpose,
                country=phone.region,
                provider=record.provider,
                attempt=record.attempt,
                resend=record.outcome == "resent",
                seconds=self._clock.monotonic() - began,
            )
        )
        return Started(
            id=attempt.id,
            phone=phone,
            expires_in=record.expires_in,
            attempts_left=record.attempts_left,
            delivery=Delivery(record.delivery, record.attempt),
            next=next_after(record, room),
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
        draft: Callable[[str], Draft],
    ) -> Verified[Draft]:
        """Check one guess. ``draft`` prepares the session of an E.164 number.

        Raises:
            VerificationGone, WrongCode, AttemptsExhausted, PhoneLocked, RateLimited:
                not verified.
            PhoneInvalid, PhoneNotSupported: no number that we send to.
            StoreUnavailable: Redis cannot be reached; nothing was accepted.
        """
        phone = self._numbers.read(phone_text, country)
        verification = VerificationId.parse(verification_id)
        if verification is None:
            raise VerificationGone(next_step=NEXT_WHEN_GONE)
        verification = _of_phone(verification, self._tag_of(phone.e164))
        try:
            room = self._guard.admit_check(caller, phone)
        except SharedLimitReached as refusal:
            # The same for every id: the phone is not asked, so nothing can be learnt.
            wait = refusal.retry_after
            refusal.next_step = Next(UNKNOWN, Turn(allowed=True, retry_in=wait))
            raise

        right = same(self._code_of(verification, phone, caller.storefront), code)
        wins_login = right and verification.purpose == "login"
        session = draft(phone.e164) if wins_login else None
        attempt = self._attempt(verification, phone, caller)
        record = self._store.check(attempt, right=right, session=session)
        if record.outcome in {"wrong", "gone"}:
            evaluated = record.outcome == "wrong"
            room = self._guard.count_wrong_check(caller, phone, evaluated=evaluated)
        elif record.outcome == "locked":
            self._emit(LimitReached("phone_locked", "check", record.check_wait))
        self._emit(
            CodeChecked(
                phone_tag=verification.tag,
                verification=fingerprint(str(verification)),
                purpose=verification.purpose,
                outcome=record.outcome,
                evaluated=record.outcome in {"verified", "wrong"},
                attempts_left=record.attempts_left,
            )
        )
        if attempt.limits is self._test_limits:
            room.send_wait = 0  # No limit on sends binds a test number.
        if record.outcome != "verified":
            raise not_verified(record, room)
        return Verified(phone, session, record.first_login)

    def status(self, verification: VerificationId, caller: Caller) -> Status:
        """Tell how a verification stands, in one round trip; changes nothing.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        look, read_room = self._guard.look(caller)
        status_call = self._store.status_call(verification, self._limits)
        replies = self._scripts.run_together(status_call, look)
        record, room = read_record(replies[0]), read_room(replies[1])
        if record.provider == _TEST:
            # No limit on sends binds a test number; a lock does.
            record.send_wait, room = record.check_wait, Room()
        known = record.state != "none"
        return Status(
            state=record.state,
            expires_in=record.expires_in if record.state == "pending" else 0,
            attempts_left=record.attempts_left if record.state == "pending" else 0,
            delivery=Delivery(record.delivery, record.attempt) if known else None,
            next=next_after(record, room) if known else NEXT_WHEN_GONE,
        )

    def _resend_of(self, request: SendRequest, tag: str) -> VerificationId | None:
        if request.verification_id is None:
            return None
        verification = VerificationId.parse(request.verification_id)
        if verification is None:
            raise VerificationGone(next_step=NEXT_WHEN_GONE)
        return _of_phone(verification, tag)

    def _admit_send(
        self, caller: Caller, phone: PhoneNumber, *, is_resend: bool
    ) -> Room:
        try:
            return self._guard.admit_send(caller, phone)
        except SharedLimitReached as refusal:
            # By the shared limits alone: what the phone's own say is not for somebody
            # who asks more than their limit.
            check_wait = refusal.room.check_wait if is_resend else None
            refusal.next_step = Next(
                Turn(allowed=True, retry_in=refusal.retry_after),
                Turn(allowed=is_resend, retry_in=check_wait),
            )
            raise

    def _give_back(
        self, caller: Caller, phone: PhoneNumber, room: Room, *, to_caller: bool
    ) -> None:
        # Without the store the units stay taken; why nothing was sent stays true.
        with suppress(StoreUnavailable):
            self._guard.give_back(caller, phone, room, to_caller=to_caller)

    def _providers_for(self, phone: PhoneNumber) -> list[tuple[str, str]]:
        """Name the providers of a phone's country, each with its delivery status."""
        names = self._sms.candidates(phone.region)
        if not names:
            raise PhoneNotSupported
        return [(name, self._sms.status_of(name)) for name in names]

    def _attempt(
        self, verification: VerificationId, phone: PhoneNumber, caller: Caller
    ) -> Attempt:
        is_test = self._numbers.test_code(phone) is not None
        return Attempt(
            id=verification,
            op=random_text(_OP_BYTES),
            storefront=mac_text(
                self._pepper, "storefront", caller.storefront, size=_STOREFRONT_BYTES
            ),
            limits=self._test_limits if is_test else self._limits,
        )

    def _code_of(
        self, verification: VerificationId, phone: PhoneNumber, storefront: str
    ) -> str:
        return self._numbers.test_code(phone) or derive_code(
            self._pepper, verification, storefront=storefront, e164=phone.e164
        )


def _of_phone(verification: VerificationId, tag: str) -> VerificationId:
    """Return the id if it belongs to the phone, else one that no phone has.

    Another phone's id must take the same way, cost the same limits and get the same
    answer as an unknown one: or whoever holds a tag could find its number by asking.
    """
    if verification.tag == tag:
        return verification
    return VerificationId.new(tag, verification.purpose)
