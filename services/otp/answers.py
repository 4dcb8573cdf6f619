"""What goes into a verification and what comes out, apart from how it is done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.abuse.asking import Quota, Room
from services.errors import (
    AttemptsExhausted,
    AuthError,
    ChannelNotAvailable,
    Next,
    PhoneDisabled,
    PhoneLocked,
    RateLimited,
    RecipientUnreachable,
    Turn,
    VerificationGone,
    WrongCode,
)
from services.otp.codes import Purpose, VerificationId
from services.otp.records import Record, State
from services.sms.provider import Channel
from services.sms.routes import CHANNELS
from services.sms.words import Client
from utils.phone import PhoneNumber

# Who holds no live id learns nothing of a phone: not even how long it must wait.
UNKNOWN = Turn(allowed=True, retry_in=None)
CLOSED = Turn(allowed=False, retry_in=None)
NEXT_WHEN_GONE = Next(sms=UNKNOWN, check=CLOSED)


# Why a channel is closed to a phone, as the store has it.
OPTED_OUT = "opted_out"
UNREACHABLE = "unreachable"
NO_MESSAGE_YET = "no_message_yet"

_DISABLED = (
    "Too many wrong codes in a row. A device that logged in with this phone before can"
    " still do so; otherwise support can help."
)

_DETAILS = {
    OPTED_OUT: (
        "This phone answered STOP to our messages. Sending START to the number they"
        " came from lifts that; until then another channel may reach it."
    ),
    UNREACHABLE: (
        "Messages do not arrive at this number on this channel. Check the number, or"
        " use another channel."
    ),
}


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What a caller asks for; ``verification_id`` makes it a resend.

    Without ``channel`` the service chooses. ``accept_language`` is the header.
    ``device_id`` and ``platform`` are hints that prove nothing.
    """

    phone: str
    country: str | None = None
    channel: Channel | None = None
    purpose: Purpose = "login"
    locale: str | None = None
    accept_language: str | None = None
    client: Client | None = None
    verification_id: str | None = None
    challenge_solution: str | None = None
    device_token: str | None = None
    device_id: str | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the last message fares: its status, its channel, and how many there were."""

    status: str
    channel: Channel
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


@dataclass(frozen=True, slots=True)
class Verified:
    """A won check; ``result`` is what came of its prize, as ``on_win`` told it."""

    phone: PhoneNumber
    purpose: Purpose
    result: Mapping[str, Any]
    first_login: bool


@dataclass(frozen=True, slots=True)
class Status:
    """How a verification stands."""

    state: State
    expires_in: int
    attempts_left: int
    delivery: Delivery | None
    next: Next


def next_after(record: Record, room: Room, channels: Collection[Channel]) -> Next:
    """Say what may be done next, by the phone's own limits and the shared ones.

    ``channels`` are those on which the phone's country is served.
    """
    if record.disabled:
        return Next(sms=CLOSED, check=CLOSED)
    pending = record.state == "pending"
    send_wait = max(record.send_wait, room.send_wait)
    voice_wait = record.voice_wait
    turns = {
        "sms": Turn(allowed=True, retry_in=send_wait),
        "whatsapp": Turn(allowed=True, retry_in=send_wait),
        "voice": CLOSED
        if voice_wait is None
        else Turn(
            allowed=True, retry_in=max(voice_wait, room.send_wait, room.call_wait)
        ),
    }
    for channel in CHANNELS:
        if channel not in channels or channel in record.closed:
            turns[channel] = CLOSED
    return Next(
        **turns,
        check=Turn(
            allowed=pending,
            retry_in=max(record.check_wait, room.check_wait) if pending else None,
        ),
    )


def not_started(record: Record, room: Room, channels: Collection[Channel]) -> AuthError:
    """Say why a send was refused by the phone's record."""
    if record.outcome == "gone":
        return VerificationGone(next_step=NEXT_WHEN_GONE)
    next_step = next_after(record, room, channels)
    if record.outcome == "disabled":
        return PhoneDisabled(detail=_DISABLED, next_step=next_step)
    if record.outcome == "closed":
        if record.reason == NO_MESSAGE_YET:
            return ChannelNotAvailable(next_step=next_step)
        return unreachable(record.reason, next_step)
    if record.limit == "phone_locked":
        return PhoneLocked(retry_after=record.send_wait, next_step=next_step)
    # A call may have to wait for longer than a text.
    by_voice = record.limit == "voice_after_message"
    own_wait = (record.voice_wait or 0) if by_voice else record.send_wait
    wait = max(own_wait, room.send_wait)
    return RateLimited(limit=record.limit, retry_after=wait, next_step=next_step)


def unreachable(reason: str, next_step: Next) -> RecipientUnreachable:
    """Say that the phone cannot be reached, and what the person can do about it."""
    return RecipientUnreachable(detail=_DETAILS.get(reason), next_step=next_step)


def not_verified(
    record: Record, room: Room, channels: Collection[Channel]
) -> AuthError:
    """Say why a check was not won."""
    next_step = next_after(record, room, channels)
    match record.outcome:
        case "wrong":
            return WrongCode(attempts_left=record.attempts_left, next_step=next_step)
        case "exhausted":
            return AttemptsExhausted(attempts_left=0, next_step=next_step)
        case "locked":
            return PhoneLocked(retry_after=record.check_wait, next_step=next_step)
        case "disabled":
            return PhoneDisabled(detail=_DISABLED, next_step=next_step)
        case _:
            return VerificationGone(next_step=NEXT_WHEN_GONE)
