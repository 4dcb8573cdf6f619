"""Lets a send pass the defence against abuse, and tells it what became of the send."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from services.abuse.aftermath import Aftermath
from services.abuse.asking import (
    Ask,
    Caller,
    ChallengeWanted,
    MoneyUsedUp,
    Room,
    SharedLimitReached,
)
from services.abuse.challenges.challenges import Challenges
from services.abuse.devices import DeviceTokens
from services.abuse.guard import Guard
from services.abuse_events import ChallengeAsked
from services.errors import (
    ChallengeRequired,
    Next,
    PhoneNotSupported,
    SpendLimit,
    StoreUnavailable,
    Turn,
)
from services.events import Emit
from services.otp.answers import CLOSED, NEXT_WHEN_GONE, SendRequest
from services.otp.planning import Ways
from services.otp.records import Record
from services.sms.provider import Channel
from services.sms.service import SmsService
from utils.phone import PhoneNumber

# A message's place in what the store has of a verification.
_AT = 3

# Who sent a message that will be on the bill, and by what channel.
Bill = Sequence[tuple[str, Channel]]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A send that may go out: what it asked, what it was given.

    ``device_at`` is when its device token was issued (ms), None without a good one.
    """

    ask: Ask
    room: Room
    device_at: int | None = None


class Admission:
    """Asks the shared rules. Safe to share between threads."""

    def __init__(
        self,
        *,
        guard: Guard,
        aftermath: Aftermath,
        challenges: Challenges,
        devices: DeviceTokens,
        sms: SmsService,
        emit: Emit,
    ) -> None:
        self._guard = guard
        self._aftermath = aftermath
        self._challenges = challenges
        self._devices = devices
        self._sms = sms
        self._emit = emit

    def admit(
        self,
        request: SendRequest,
        caller: Caller,
        phone: PhoneNumber,
        tag: str,
        ways: Ways,
    ) -> Admitted:
        """Ask for a send that somebody wants, in one round trip.

        Raises:
            DeviceTokenInvalid: the device token is not one of this phone.
            ChallengeRequired: a challenge must be solved first; or the solution that
                was brought is not good.
            RateLimited, SpendLimit, CallerBlocked, PhoneNotSupported: not now, or not
                at all; nothing was taken.
            StoreUnavailable: Redis cannot be reached.
        """
        device_at = None
        if request.device_token is not None:
            device_at = self._devices.read(request.device_token, tag)
        solution, key = request.challenge_solution, ""
        if solution is not None:
            key = self._challenges.check(solution, tag, caller.network)
        ask = Ask(
            phone=phone,
            tag=tag,
            caller=caller,
            by_voice=request.channel == "voice",
            cost_micros=self._sms.cost_micros(phone, ways.orders),
            device_id=request.device_id or "",
            solution_key=key,
            knows_device=device_at is not None,
            wants_challenge=ways.wants_challenge,
        )
        is_resend = request.verification_id is not None
        try:
            room = self._guard.admit_send(ask)
        except PhoneNotSupported as refusal:
            refusal.next_step = Next(sms=CLOSED, check=CLOSED)
            raise
        except SharedLimitReached as refusal:
            refusal.next_step = _next_after(refusal.room, ways, is_resend=is_resend)
            raise
        except MoneyUsedUp as refusal:
            refusal.next_step = _next_after(refusal.room, ways, is_resend=is_resend)
            raise
        except ChallengeWanted as wanted:
            error = self._challenge(wanted, ask, solution or "", caller)
            error.next_step = _next_after(wanted.room, ways, is_resend=is_resend)
            raise error from None
        return Admitted(ask, room, device_at)

    def follow(self, phone: PhoneNumber, tag: str, ways: Ways) -> Admitted | None:
        """Ask for a send that follows another by itself; None: it may not go out.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        cost = self._sms.cost_micros(phone, ways.orders)
        ask = Ask(phone=phone, tag=tag, cost_micros=cost)
        try:
            return Admitted(ask, self._guard.admit_send(ask))
        except (SharedLimitReached, SpendLimit, ChallengeWanted, PhoneNotSupported):
            return None

    def notice(
        self, phone: PhoneNumber, tag: str, order: Sequence[str]
    ) -> Admitted | None:
        """Ask for a notice, which one of ``order`` will send; None: not this hour.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        cost = self._sms.cost_micros(phone, {"sms": order})
        ask = Ask(phone=phone, tag=tag, cost_micros=cost)
        room = self._guard.admit_notice(ask)
        return Admitted(ask, room) if room else None

    def give_back(self, admitted: Admitted | None, *, to_caller: bool) -> None:
        """Return what a send took that did not take place."""
        if admitted is None:
            return
        # Without the store the units stay taken; why nothing was sent stays true.
        with suppress(StoreUnavailable):
            self._aftermath.give_back(admitted.ask, admitted.room, to_caller=to_caller)

    def settle(self, admitted: Admitted | None, bill: Bill) -> None:
        """Have what a send cost count as spent, after the answer."""
        if admitted is None:
            return
        phone = admitted.ask.phone
        paid = sum(self._sms.price_micros(*sent, phone) for sent in bill)
        self._aftermath.settle(admitted.ask, admitted.room, paid)

    def typed(
        self, record: Record, caller: Caller, phone: PhoneNumber, tag: str
    ) -> None:
        """Take down that a code was typed, after the answer; ``record`` won."""
        ask = Ask(phone=phone, tag=tag, caller=caller, knows_device=record.by_device)
        times = [int(it[_AT]) for it in record.sends if len(it) > _AT]
        self._aftermath.typed(ask, sent_at_ms=times, counted=record.counted)

    def refused_as_fraud(self, phone: PhoneNumber) -> None:
        """Block a number's neighbours: a vendor says that they are a fraud."""
        self._aftermath.refused_as_fraud(phone)

    def forget(self, tag: str) -> None:
        """Take a phone for one that never logged in.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        self._aftermath.forget(tag)

    def _challenge(
        self, wanted: ChallengeWanted, ask: Ask, solution: str, caller: Caller
    ) -> ChallengeRequired:
        if wanted.spent:
            return self._challenges.used(solution, ask.tag, caller.network)
        self._emit(
            ChallengeAsked(wanted.limit, ask.phone.region, ask.tag, wanted.difficulty)
        )
        return ChallengeRequired(
            self._challenges.ask(ask.tag, caller.network, difficulty=wanted.difficulty)
        )


def _next_after(room: Room, ways: Ways, *, is_resend: bool) -> Next:
    """Say what may be done next, by the shared rules alone.

    What the phone's own limits say is not for somebody who asks more than theirs.
    """
    turns = {it: Turn(allowed=True, retry_in=room.send_wait) for it in ways.channels}
    if "voice" in turns:
        wait = max(room.send_wait, room.call_wait)
        turns["voice"] = Turn(allowed=True, retry_in=wait)
    check_wait = room.check_wait if is_resend else None
    check = Turn(allowed=is_resend, retry_in=check_wait)
    return replace(NEXT_WHEN_GONE, check=check, **turns)
