"""What the scripts about a phone are told, and what they answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

from services.otp.codes import VerificationId
from services.scripts import Reply, whole_seconds
from services.sms.provider import Channel

_DAY = 86_400
# A verification is remembered this long after its life, to be called expired or used.
_REMEMBER = 300
# A phone that logged in is known this long; after it, a login is a first one again.
_KNOWN = 90 * _DAY
# After this long without a send the cooldown begins at its first rung again.
_CALM = 3_600
# With less life left, or less than a third, a resend begins a new verification.
_MIN_LIFE = 60
# Ended verifications remembered per phone; the sends of a day would rarely be more.
_MAX_ENDED = 10
# A call costs ten times what a text does: a text must have had the time to arrive.
_VOICE_AFTER = 60
# Wrong checks in a row must be remembered for longer than a day, or who guesses now and
# then would never reach the end. From so many on, one whole code's: few honest people
# type that many, and who guesses once at each of many phones makes us keep nothing.
_ROW_MATTERS = 5
# Who waits for it to be forgotten gets at best 99 guesses in five weeks.
_KEEP_ROW = 30 * _DAY
# A disabled phone stays so without anybody: for longer than the year after which a
# number that nobody used has most likely gone to somebody else.
_KEEP_DISABLED = 400 * _DAY

Windows = Sequence[tuple[int, int]]
State = Literal["pending", "verified", "expired", "exhausted", "none"]


@dataclass(frozen=True)
class PhoneLimits:
    """What one phone may do. Durations in seconds; windows are (count, seconds).

    Those on ``sends``, cooldowns and locks bind strangers and known devices each by
    itself; of wrong checks a device has ``device_wrongs``.
    """

    life: int = 300
    max_checks: int = 5
    max_live: int = 3
    cooldowns: Sequence[int] = (30, 60, 120, 300)
    sends: Windows = ((3, 600), (5, 3_600), (10, _DAY))
    wrongs: Windows = ((15, _DAY),)
    device_wrongs: Windows = ((10, _DAY),)
    locks: Windows = ((5, 30), (8, 120), (10, 900), (12, 3_600))
    # NIST SP 800-63B 3.2.2: at most 100 failed attempts in a row.
    disable_after: int = 100

    @property
    def _longest(self) -> int:
        """How long anything may have to be remembered of a phone that never logs in."""
        wrongs = (*self.wrongs, *self.device_wrongs)
        spans = [seconds for _, seconds in (*self.sends, *wrongs, *self.locks)]
        return max(_DAY, self.life + _REMEMBER, *spans, *self.cooldowns)

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """As the scripts read them, in milliseconds."""
        return {
            "life_ms": self.life * 1000,
            "max_checks": self.max_checks,
            "max_live": self.max_live,
            "max_ended": _MAX_ENDED,
            "min_life_ms": min(_MIN_LIFE * 1000, self.life * 1000 // 3),
            "keep_ms": self._longest * 1000,
            "cooldowns": [seconds * 1000 for seconds in self.cooldowns],
            "calm_ms": _CALM * 1000,
            "sends": _in_ms(self.sends),
            "wrongs": _in_ms(self.wrongs),
            "device_wrongs": _in_ms(self.device_wrongs),
            "disable_after": self.disable_after,
            "keep_wrongs": _in_ms(
                (
                    (min(_ROW_MATTERS, self.disable_after), _KEEP_ROW),
                    (self.disable_after, _KEEP_DISABLED),
                )
            ),
            "locks": _in_ms(self.locks),
            "remember_ms": _REMEMBER * 1000,
            "known_ms": _KNOWN * 1000,
            "day_ms": _DAY * 1000,
            "voice_after_ms": _VOICE_AFTER * 1000,
        }


class Prize(Protocol):
    """What a right code wins, in the same step; ``on_win`` knows what it means."""

    @property
    def keys(self) -> Sequence[str]:
        """The keys that takes, in the phone's slot."""
        ...

    @property
    def argument(self) -> Mapping[str, Any]:
        """What ``on_win`` is told."""
        ...


@dataclass(slots=True)
class Record:
    """How a verification stands, as a script answered. Waits in whole seconds.

    ``voice_wait`` is None before a first message. ``uses`` counts the messages
    that each provider was given before this one, by channel. ``disabled``: there were
    too many wrong checks in a row for any send or check, and waiting will not help;
    ``disabled_now``: this was the last of them, and ``since_right`` how many they are.

    Of a won check, ``sends`` are all messages as the store has them, ``at_ms`` its
    time, and ``won`` is what ``on_win`` returned. It was started ``by_device`` (a known
    one), and ``counted`` unless each of its messages was uncounted (``Attempt``).
    """

    outcome: str
    state: State
    part: str
    attempts_left: int
    attempt: int
    delivery: str
    provider: str
    channel: Channel
    channels: Sequence[Channel]
    closed: Mapping[Channel, str]
    reason: str
    uses: Mapping[Channel, Mapping[str, int]]
    expires_in: int
    send_wait: int
    voice_wait: int | None
    check_wait: int
    limit: str
    first_login: bool
    won: Mapping[str, Any]
    sends: Sequence[Sequence[Any]]
    at_ms: int
    disabled: bool = False
    disabled_now: bool = False
    since_right: int = 0
    by_device: bool = False
    counted: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """One channel to send on, and who can: the preferred one first.

    ``providers`` are a name, the delivery status that its acceptance means, and how
    many senders it has.
    """

    channel: Channel
    providers: Sequence[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Closing:
    """A channel that a phone cannot be reached on, why, and how long to believe it."""

    channel: Channel
    reason: str
    seconds: int

    @property
    def argument(self) -> dict[str, Any]:
        """As the scripts read it."""
        ms = self.seconds * 1000
        return {"channel": self.channel, "reason": self.reason, "ms": ms}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request about a verification: what names it, and what binds it.

    ``op`` names the request itself, so that running it again changes nothing.
    ``storefront`` is a keyed MAC of who asks. ``device_at`` is when the device that
    asks was told, in Unix milliseconds, that the phone logged in on it. ``counted`` is
    False for a send that a rule which only watches would not have let pass, and
    ``admitted_ms`` when the shared rules let it pass. All three matter to sends alone.
    """

    id: VerificationId
    op: str
    storefront: str
    limits: PhoneLimits
    device_at: int | None = None
    counted: bool = True
    admitted_ms: int | None = None

    @property
    def about_send(self) -> dict[str, Any]:
        """What the scripts that count a send are told of it."""
        told: dict[str, Any] = {}
        if self.device_at is not None:
            told["device_at"] = self.device_at
        if not self.counted:
            told["uncounted"] = True
        if self.admitted_ms is not None:
            told["admitted_ms"] = self.admitted_ms
        return told


def phone_key(tag: str) -> str:
    """Name the record of a phone."""
    return f"otp:{{{tag}}}"


def read_record(reply: Reply) -> Record:
    """Read what a script of this store answered."""
    return Record(
        outcome=reply["outcome"],
        state=reply["state"],
        part=reply.get("id", ""),
        attempts_left=reply["attempts_left"],
        attempt=reply["attempt"],
        delivery=reply.get("delivery", ""),
        provider=reply.get("provider", ""),
        channel=reply.get("channel", "sms"),
        channels=reply.get("channels") or (),
        closed=reply.get("closed") or {},
        reason=reply.get("reason", ""),
        uses=reply.get("uses") or {},
        expires_in=reply["expires_ms"] // 1000,
        send_wait=whole_seconds(reply["send_wait_ms"]),
        voice_wait=_or_none(reply.get("voice_wait_ms")),
        check_wait=whole_seconds(reply["check_wait_ms"]),
        limit=reply.get("limit", ""),
        first_login=reply.get("first_login", False),
        won=reply.get("won") or {},
        sends=reply.get("sends") or (),
        at_ms=reply.get("at_ms", 0),
        disabled=reply.get("disabled", False),
        disabled_now=reply.get("disabled_now", False),
        since_right=reply.get("since_right", 0),
        by_device=reply.get("by_device", False),
        counted=not reply.get("uncounted"),
    )


def _or_none(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else whole_seconds(milliseconds)


def _in_ms(windows: Windows) -> list[list[int]]:
    return [[count, seconds * 1000] for count, seconds in windows]
