"""A phone's record in Redis: verifications, send log, wrong checks, lock.

All that belongs to a phone is one JSON value, read and written whole by one script, so
every decision about a phone is atomic and in one Cluster slot.

Key ``otp:{<tag>}``, a string of JSON. ``tag`` is 16 characters of a keyed MAC of the
E.164 number. Times are Unix milliseconds by Redis's own clock.

======================  ==============================================================
``sends``               times of sends, as far back as the longest window
``cooldown_until``      no send before
``streak``              sends since the last login or hour of calm: the cooldown's rung
``wrongs``              times of wrong checks, at least a day back
``in_a_row``            wrong checks since the last right one, while any of ``wrongs``
                        is remembered: the lock's rung
``locked_until``        no send and no check before
``logged_in_at``        last login, for 90 days
``verifications``       ``part`` of the id (purpose letter, 22 characters) -> object:
``.expires``            end of the code's life
``.left``               checks left
``.storefront``         who asked, as a keyed MAC
``.sends``              [provider, delivery status] of each send accepted or under way,
                        as planned until settled
``.state``              absent while pending; ``verified`` or ``exhausted``
``.first_login``        with ``verified``: no login was on record before
``.send_op .check_op``  the last requests, so that running one again changes nothing
======================  ==============================================================

TTL: 24 hours after the last write, or as long as the longest window or lock, or 90 days
after the last login.

Key ``ses:{<tag>}:<22 characters>``, a string of JSON, is the session that a won login
makes in the same step; ``services/identity/sessions.py`` has its shape.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

from services.otp.codes import VerificationId
from services.scripts import Call, Reply, Script, ScriptRunner, whole_seconds

_HERE = Path(__file__).parent
_SHARED = _HERE / "phone.lua"
_START = Script.load(_SHARED, _HERE / "start.lua")
_SETTLE = Script.load(_SHARED, _HERE / "settle.lua")
_CHECK = Script.load(_SHARED, _HERE / "check.lua")
_STATUS = Script.load(_SHARED, _HERE / "status.lua")

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

Windows = Sequence[tuple[int, int]]
State = Literal["pending", "verified", "expired", "exhausted", "none"]


@dataclass(frozen=True)
class PhoneLimits:
    """What one phone may do. Durations in seconds; windows are (count, seconds)."""

    life: int = 300
    max_checks: int = 5
    max_live: int = 3
    cooldowns: Sequence[int] = (30, 60, 120, 300)
    sends: Windows = ((3, 600), (5, 3_600), (10, _DAY))
    wrongs: Windows = ((15, _DAY),)
    locks: Windows = ((5, 30), (8, 120), (10, 900), (12, 3_600))

    @property
    def _longest(self) -> int:
        """How long anything may have to be remembered of a phone that never logs in."""
        spans = [seconds for _, seconds in (*self.sends, *self.wrongs, *self.locks)]
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
            "locks": _in_ms(self.locks),
            "remember_ms": _REMEMBER * 1000,
            "known_ms": _KNOWN * 1000,
            "day_ms": _DAY * 1000,
        }


class SessionDraft(Protocol):
    """A session to make if the check is won."""

    @property
    def key(self) -> str:
        """Its key, in the phone's slot."""
        ...

    @property
    def value(self) -> str:
        """What is stored."""
        ...

    @property
    def ttl_seconds(self) -> int:
        """How long it is kept."""
        ...


@dataclass(slots=True)
class Record:
    """How a verification stands, as a script answered. Waits in whole seconds."""

    outcome: str
    state: State
    part: str
    attempts_left: int
    attempt: int
    delivery: str
    provider: str
    expires_in: int
    send_wait: int
    check_wait: int
    limit: str
    first_login: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request about a verification: what names it, and what binds it.

    ``op`` names the request itself, so that running it again changes nothing.
    ``storefront`` is a keyed MAC of who asks.
    """

    id: VerificationId
    op: str
    storefront: str
    limits: PhoneLimits


class OtpStore:
    """The verifications of all phones. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Use ``scripts``; tests move Redis's time by ``offset_seconds``."""
        self._scripts = scripts
        self._offset_seconds = offset_seconds

    def start(
        self,
        attempt: Attempt,
        *,
        resend_of: str | None,
        providers: Sequence[tuple[str, str]],
    ) -> Record:
        """Count a send and make the verification, or send again ``resend_of``.

        ``providers`` are names, each with the delivery status that its acceptance
        means. Outcome ``started``, ``resent`` (same verification), ``limited`` or
        ``gone``; ``provider`` of the answer is the first that was not used yet.
        """
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "storefront": attempt.storefront,
            "providers": providers,
        }
        if resend_of is not None:
            arguments["resend_of"] = resend_of
        return self._run(_START, attempt.id.tag, attempt.limits, arguments)

    def settle(
        self,
        attempt: Attempt,
        *,
        sent: tuple[str, str] | None = None,
        keep_count: bool = False,
        keep_cooldown: bool = False,
    ) -> Record:
        """Correct a start: another provider took it, or (without ``sent``) none did."""
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "keep_count": keep_count,
            "keep_cooldown": keep_cooldown,
        }
        if sent is not None:
            arguments["sent"] = sent
        return self._run(_SETTLE, attempt.id.tag, attempt.limits, arguments)

    def check(
        self,
        attempt: Attempt,
        *,
        right: bool,
        session: SessionDraft | None,
    ) -> Record:
        """Decide one guess; a right one ends the verification and makes the session.

        Outcome ``verified``, ``wrong`` (both evaluated), ``exhausted``, ``locked`` or
        ``gone``.
        """
        arguments: dict[str, Any] = {
            "op": attempt.op,
            "id": attempt.id.part,
            "storefront": attempt.storefront,
            "right": right,
        }
        keys = []
        if session is not None:
            keys = [session.key]
            arguments["session"] = session.value
            arguments["session_ms"] = session.ttl_seconds * 1000
        return self._run(_CHECK, attempt.id.tag, attempt.limits, arguments, *keys)

    def status_call(self, verification: VerificationId, limits: PhoneLimits) -> Call:
        """Return the call that asks for a status, to be run with others."""
        return self._call(_STATUS, verification.tag, limits, {"id": verification.part})

    def _run(
        self,
        script: Script,
        tag: str,
        limits: PhoneLimits,
        arguments: dict[str, Any],
        *more_keys: str,
    ) -> Record:
        return read_record(
            self._scripts.run(self._call(script, tag, limits, arguments, *more_keys))
        )

    def _call(
        self,
        script: Script,
        tag: str,
        limits: PhoneLimits,
        arguments: dict[str, Any],
        *more_keys: str,
    ) -> Call:
        arguments["limits"] = limits.arguments
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return Call(script, [f"otp:{{{tag}}}", *more_keys], arguments)


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
        expires_in=reply["expires_ms"] // 1000,
        send_wait=whole_seconds(reply["send_wait_ms"]),
        check_wait=whole_seconds(reply["check_wait_ms"]),
        limit=reply.get("limit", ""),
        first_login=reply.get("first_login", False),
    )


def _in_ms(windows: Windows) -> list[list[int]]:
    return [[count, seconds * 1000] for count, seconds in windows]
