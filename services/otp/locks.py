"""What an operator sees of a phone's lock, and may do about it.

Works on the phone's record; ``store.py`` has its shape. ``forgiven`` in it are the
times of wrong checks that an operator took out of ``wrongs``, for a day.

An unlock lets in five wrong checks more, and no more than 35 in a day, beside the 15
that are allowed anyway: 50 guesses at six digits are 5 in 100,000, what one phone's ten
sends of five guesses each would be without any cap. Who talks the operators into one
unlock after the other gains no more than that.

Devices that the phone logged in on have a budget of their own, of ten wrong checks
more; an unlock opens that, too, out of the same 35. It also ends the count of wrong
checks in a row: a hundred of them disable a phone, which waiting does not end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import RateLimited
from services.otp.records import PhoneLimits, phone_key
from services.scripts import Call, Reply, Script, ScriptRunner, whole_seconds

_HERE = Path(__file__).parent
_UNLOCK = Script.load(_HERE / "phone.lua", _HERE / "unlock.lua")

# As many as one code allows, by default.
_ROOM = 5
_MOST_FORGIVEN = 35

# How the refusal names it.
LIMIT = "unlocks_per_phone"


@dataclass(frozen=True, slots=True)
class Lock:
    """How a phone stands with strangers. ``locked_for`` in seconds, 0: not locked.

    ``wrong_checks`` are those of the last day that count, ``forgiven`` those that do
    not any more; ``checks_left`` is None where wrong checks have no limit. ``in_a_row``
    is the rung of the ladder of locks; ``since_right`` are all wrong checks since the
    last right one, which at a hundred have it ``disabled``. What begins with
    ``device`` is about the devices it logged in on.
    """

    locked_for: int
    wrong_checks: int
    in_a_row: int
    checks_left: int | None
    forgiven: int
    since_right: int
    disabled: bool
    device_locked_for: int
    device_wrong_checks: int
    device_disabled: bool


class Locks:
    """The locks of all phones. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        limits: PhoneLimits,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Count by ``limits``; tests move Redis's time by ``offset_seconds``."""
        self._scripts = scripts
        self._limits = limits
        self._offset_seconds = offset_seconds

    def look(self, tag: str) -> Lock:
        """Tell how a phone stands; changes nothing."""
        return _read(self._run(tag, {}))

    def unlock(self, tag: str) -> Lock:
        """Lift a phone's locks, and make room for some wrong checks.

        The ladder of locks begins anew, and the count of wrong checks in a row: a
        disabled phone is enabled. Waits before the next send stay.

        Raises:
            RateLimited: it was unlocked too often today, and stays locked.
        """
        reply = self._run(tag, {"room": _ROOM, "most": _MOST_FORGIVEN})
        if reply["outcome"] == "spent":
            wait = whole_seconds(reply["wait_ms"])
            raise RateLimited(limit=LIMIT, retry_after=wait)
        return _read(reply)

    def _run(self, tag: str, arguments: dict[str, Any]) -> Reply:
        arguments["limits"] = self._limits.arguments
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return self._scripts.run(Call(_UNLOCK, [phone_key(tag)], arguments))


def _read(reply: Reply) -> Lock:
    strangers, device = reply["strangers"], reply["device"]
    return Lock(
        locked_for=whole_seconds(strangers["locked_ms"]),
        wrong_checks=strangers["wrongs"],
        in_a_row=strangers["in_a_row"],
        checks_left=strangers.get("left"),
        forgiven=reply["forgiven"],
        since_right=strangers["since_right"],
        disabled=strangers["disabled"],
        device_locked_for=whole_seconds(device["locked_ms"]),
        device_wrong_checks=device["wrongs"],
        device_disabled=device["disabled"],
    )
