"""What goes into a verification and what comes out, apart from how it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.abuse.guard import Room
from services.abuse.limits import Quota
from services.errors import (
    AttemptsExhausted,
    AuthError,
    Next,
    PhoneLocked,
    RateLimited,
    Turn,
    VerificationGone,
    WrongCode,
)
from services.otp.codes import Purpose, VerificationId
from services.otp.store import Record, SessionDraft, State
from utils.phone import PhoneNumber

# Who holds no live id learns nothing of a phone: not even how long it must wait.
UNKNOWN = Turn(allowed=True, retry_in=None)
NEXT_WHEN_GONE = Next(sms=UNKNOWN, check=Turn(allowed=False, retry_in=None))


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What a caller asks for; ``verification_id`` makes it a resend."""

    phone: str
    country: str | None = None
    purpose: Purpose = "login"
    verification_id: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the last message fares: its status and how many there were."""

    status: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Started:
    """A verification with a message on its way."""

    id: VerificationId
    phone: PhoneNumber
    expires_in: int
    attempts_left: int
    delivery: Delivery
    next: Next
    quotas: Sequence[Quota]


Draft = TypeVar("Draft", bound=SessionDraft)


@dataclass(frozen=True, slots=True)
class Verified(Generic[Draft]):
    """A won check. For a login the session exists now; else there is none."""

    phone: PhoneNumber
    session: Draft | None
    first_login: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How a verification stands."""

    state: State
    expires_in: int
    attempts_left: int
    delivery: Delivery | None
    next: Next


def next_after(record: Record, room: Room) -> Next:
    """Say what may be done next, by the phone's own limits and the shared ones."""
    pending = record.state == "pending"
    return Next(
        sms=Turn(allowed=True, retry_in=max(record.send_wait, room.send_wait)),
        check=Turn(
            allowed=pending,
            retry_in=max(record.check_wait, room.check_wait) if pending else None,
        ),
    )


def not_started(record: Record, room: Room) -> AuthError:
    """Say why a send was refused by the phone's record."""
    if record.outcome == "gone":
        return VerificationGone(next_step=NEXT_WHEN_GONE)
    next_step = next_after(record, room)
    wait = next_step.sms.retry_in
    if record.limit == "phone_locked":
        return PhoneLocked(retry_after=wait, next_step=next_step)
    return RateLimited(limit=record.limit, retry_after=wait, next_step=next_step)


def not_verified(record: Record, room: Room) -> AuthError:
    """Say why a check was not won."""
    next_step = next_after(record, room)
    match record.outcome:
        case "wrong":
            return WrongCode(attempts_left=record.attempts_left, next_step=next_step)
        case "exhausted":
            return AttemptsExhausted(attempts_left=0, next_step=next_step)
        case "locked":
            return PhoneLocked(retry_after=record.check_wait, next_step=next_step)
        case _:
            return VerificationGone(next_step=NEXT_WHEN_GONE)
