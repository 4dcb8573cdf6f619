"""Everybody's wrong checks: how many accounts they are worth, and when it is too much.

Each guess at a code of n digits hits with a chance of 10^-n, whoever makes it at
whichever phone. Where too many are made the service escalates: every send needs a
solved challenge, and new codes have eight digits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.abuse import keys
from services.abuse.policy import Policy
from services.abuse_events import GuessingChanged
from services.events import Emit
from services.scripts import Call, Reply, Script, ScriptRunner

_LUA = Path(__file__).parent
_GUESS = Script.load(_LUA / "windows.lua", _LUA / "guess.lua")

_RULE = "wrong_checks_global"
_HOUR = 3_600

# A service so large that honest people mistype more than the limit is not escalated
# for it: only at three times what is usual.
_BASE_FACTOR = 3
# Wrong checks that may be usual, for each right one: people mistype fewer.
_BASE_SHARE = 0.25
# How long it goes on after the last moment at which there were too many.
_CALM_SECONDS = 1_800


@dataclass(frozen=True, slots=True)
class Guesses:
    """How guessing stands; ``until`` is a Unix time, 0 where it is not escalated."""

    wrong_checks_hour: int
    threshold: int
    escalated: bool
    until: float
    expected_takeovers: float


class Guessing:
    """Counts wrong checks. Safe to share between threads."""

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        policy: Callable[[], Policy],
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._scripts = scripts
        self._policy = policy
        self._emit = emit
        self._offset_seconds = offset_seconds

    def look(self) -> Guesses:
        """Tell how it stands, in one round trip; end an escalation that is over.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        policy = self._policy()
        return self.read(policy, self._scripts.run(self._call(policy, None)))

    def count_call(self, policy: Policy, digits: int) -> Call:
        """Return the call that counts a wrong check of a code of ``digits``."""
        return self._call(policy, digits)

    def right_call(self) -> Call:
        """Return the call that counts a right code: people who log in also mistype."""
        call = self._call(self._policy(), None)
        call.arguments["right"] = True
        return call

    def read(self, policy: Policy, reply: Reply) -> Guesses:
        """Read the answer of a call, and tell what it changed."""
        hour, threshold = int(reply["hour"]), int(reply["threshold"])
        if changed := reply.get("changed"):
            self._emit(
                GuessingChanged(
                    escalated=changed == "escalated",
                    wrong_checks=hour,
                    threshold=threshold,
                    shadow=policy.rules[_RULE].mode == "monitor",
                )
            )
        is_on = policy.rules[_RULE].mode == "challenge"
        escalated = is_on and reply["ends"] > reply["at_ms"]
        return Guesses(
            wrong_checks_hour=hour,
            threshold=threshold,
            escalated=escalated,
            until=reply["ends"] / 1000 if escalated else 0.0,
            expected_takeovers=sum(
                count / 10 ** int(digits)
                for digits, count in (reply["wrong"] or {}).items()
            ),
        )

    def _call(self, policy: Policy, digits: int | None) -> Call:
        rule = policy.rules[_RULE]
        windows = rule.windows if rule.mode != "off" else ()
        arguments = {
            "offset_ms": int(self._offset_seconds() * 1000),
            "capacity": windows[0][0] if windows else 0,
            "window_ms": (windows[0][1] if windows else _HOUR) * 1000,
            "base_factor": _BASE_FACTOR,
            "base_share": _BASE_SHARE,
            "calm_ms": _CALM_SECONDS * 1000,
        }
        if digits is not None:
            arguments["digits"] = digits
        return Call(_GUESS, [keys.GUESSES, keys.WRONG], arguments)
