"""Counters that reach across phones: per address, per number block, for all.

Key ``lim:{all}:<limit>:<subject>``, a hash ``<window_ms>:<bucket>`` -> count; a bucket
is a tenth of its window. ``subject`` is a keyed MAC, or empty for a global limit. TTL:
the longest window and a tenth. One hash tag for all, because they are taken together or
not at all, and a Cluster script must stay in one slot.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.scripts import Call, Reply, Script, whole_seconds

_TAKE = Script.load(Path(__file__).parent / "limits.lua")

Windows = Sequence[tuple[int, int]]


class Limit:
    """A name and windows of (capacity, seconds) that hold together."""

    def __init__(self, name: str, windows: Windows) -> None:
        self.name = name
        self.windows = tuple(windows)
        in_ms = [[capacity, seconds * 1000] for capacity, seconds in windows]
        # As the script reads it, when a unit is taken and when it is only looked at.
        self.taken = {"take": True, "windows": in_ms}
        self.seen = {"take": False, "windows": in_ms}


@dataclass(slots=True)
class Use:
    """One limit on one subject, and whether a unit of it is taken now."""

    limit: Limit
    subject: str
    take: bool


@dataclass(slots=True)
class Quota:
    """What is left of one window: for the ``RateLimit`` headers."""

    limit: str
    capacity: int
    window_seconds: int
    left: int
    reset_seconds: int


@dataclass(slots=True)
class Standing:
    """How a limit stands after a call: seconds until a unit is free (0: now)."""

    use: Use
    wait_seconds: int
    found: Sequence[dict[str, Any]]

    def quotas(self) -> list[Quota]:
        """Return what is left of each window."""
        return [
            Quota(
                limit=self.use.limit.name,
                capacity=capacity,
                window_seconds=seconds,
                left=int(window["left"]),
                reset_seconds=whole_seconds(window["reset_ms"]),
            )
            for (capacity, seconds), window in zip(
                self.use.limit.windows, self.found, strict=True
            )
        ]


class Limits:
    """Builds and reads the calls of the one script behind all shared counters."""

    def __init__(self, *, offset_seconds: Callable[[], float] = lambda: 0.0) -> None:
        """Let tests move Redis's time by ``offset_seconds``."""
        self._offset_seconds = offset_seconds

    def call(
        self,
        uses: Sequence[Use],
        *,
        force: bool = False,
        returning: int | None = None,
    ) -> Call:
        """Return the call that takes a unit of every limit to be taken, or of none.

        ``force`` takes them whatever the limits say: for what has happened already.
        ``returning`` gives them back instead, those that were taken at that moment.
        """
        arguments: dict[str, Any] = {
            "offset_ms": int(self._offset_seconds() * 1000),
            "force": force,
            "rules": [use.limit.taken if use.take else use.limit.seen for use in uses],
        }
        if returning is not None:
            arguments["returning"] = returning
        return Call(
            _TAKE,
            [f"lim:{{all}}:{use.limit.name}:{use.subject}" for use in uses],
            arguments,
            # Given back twice, a unit would let one through too many.
            once=returning is not None,
        )

    @staticmethod
    def read(uses: Sequence[Use], reply: Reply) -> list[Standing]:
        """Return how each limit stands now."""
        return [
            Standing(use, whole_seconds(found["wait_ms"]), found["windows"])
            for use, found in zip(uses, reply["rules"], strict=True)
        ]
