"""The health of every vendor, per country and channel, shared by all workers.

A worker counts in memory what it sees, which costs a request no round trip, and a
background thread merges that into Redis every few seconds. A crash loses as much.

Key ``health:{<channel>:<region>}``, a string of JSON. Times are Unix milliseconds by
Redis's own clock. No phone number, and nothing about one message, is ever in it.

=====================  ===============================================================
``at``                 last write: what all counts have decayed to
``stepped_at``         last time that weight was taken from anybody
``vendors``            name -> object:
``.weight``            0 to 100, at rest 100: the chance that a pick is kept
``.changed_at``        last change of the weight
``.short .long``       counts of the last minutes and of hours, by the names of
                       ``standing.Counts``; ``delay_<i>`` are the buckets of ``delays``
``workers``            random name -> object:
``.at``                its last word
``.op .changes``       its last request and what that changed, so that running it again
                       changes nothing and tells the same
``.open``              vendors that its breaker leaves alone
=====================  ===============================================================

TTL: 48 hours after the last write.
"""

import itertools
import math
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.errors import StoreUnavailable
from services.events import Emit
from services.scripts import Call, Reply, Script, ScriptRunner
from services.sms.provider import Channel
from services.sms.routing.news import measures, weight_changes
from services.sms.routing.rules import HealthRules
from services.sms.routing.standing import (
    Area,
    Route,
    Standing,
    delay_name,
    read_standing,
)
from utils.clock import Clock

_HEALTH = Script.load(Path(__file__).parent / "health.lua")

# Most receipts and codes that ever come have come by then; a younger message would
# count against its vendor only for being young.
_JUDGE_SECONDS = 60.0

# What a worker has not been asked about for this long it no longer follows.
_FOLLOW_SECONDS = 3_600.0

_WORKER_BYTES = 6

_EMPTY: Standing = {}

# Tells whether a worker's breaker leaves a route alone.
IsOpen = Callable[[Route], bool]

# Counts by route; a counter's name is one of ``standing.Counts``.
_Tally = defaultdict[Route, defaultdict[str, float]]


@dataclass(frozen=True, slots=True)
class _Batch:
    """What is to be merged into one area, and the request's name."""

    op: int
    deltas: Mapping[str, Mapping[str, float]]


class VendorHealth:
    """What this worker saw of the vendors, and how they stand by all workers' word.

    Safe to share between threads; the lock is held for counting only. Every message is
    told of once: ``called`` when a vendor was asked, then at most one ``receipt`` and
    at most one ``converted``, on any worker.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        candidates: Callable[[Channel, str], Sequence[str]],
        clock: Clock,
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
        rules: HealthRules | None = None,
    ) -> None:
        """Move traffic between ``candidates`` of a channel and region only."""
        self._scripts = scripts
        self._candidates = candidates
        self._clock = clock
        self._emit = emit
        self._offset_seconds = offset_seconds
        self._rules = rules or HealthRules()
        self._worker = secrets.token_hex(_WORKER_BYTES)
        self._ops = itertools.count(1)
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._seen: _Tally = _tally()
        # By the second in which it is old enough; so it stays small, come what may.
        self._held_back: defaultdict[int, _Tally] = defaultdict(_tally)
        self._batches: dict[Area, _Batch] = {}
        self._asked_at: dict[Area, float] = {}
        self._standings: dict[Area, Standing] = {}

    def called(
        self,
        route: Route,
        *,
        accepted: bool,
        seconds: float,
        held_against: bool,
        first: bool,
    ) -> None:
        """Count one call: it took ``seconds``, and the vendor took the message or not.

        A failure that is not ``held_against`` the vendor (the number is at fault) is
        an answer like any other. ``first``: it was for the first attempt of a
        verification; later ones go to phones that already failed once.
        """
        now = self._clock.monotonic()
        with self._lock:
            self._asked_at[route.area] = now
            seen = self._seen[route]
            seen["calls"] += 1
            if accepted:
                seen["accepted"] += 1
                seen["seconds"] += seconds
                later = self._from(now + _JUDGE_SECONDS, route)
                later["judged"] += 1
                if first:
                    later["tries"] += 1
            elif held_against:
                seen["errors"] += 1
                if first:
                    seen["tries"] += 1

    def receipt(self, route: Route, *, delivered: bool, age_seconds: float) -> None:
        """Count the receipt that settled a message's fate, so long after its send."""
        due = self._judged_at(age_seconds)
        with self._lock:
            self._asked_at[route.area] = self._clock.monotonic()
            self._seen[route]["receipts"] += 1
            if delivered:
                self._seen[route][delay_name(age_seconds)] += 1
                self._from(due, route)["delivered"] += 1

    def converted(self, route: Route, *, first: bool, age_seconds: float) -> None:
        """Count that the code was typed, so long after the send it is credited to."""
        if not first:
            return
        due = self._judged_at(age_seconds)
        with self._lock:
            self._asked_at[route.area] = self._clock.monotonic()
            self._from(due, route)["converted"] += 1

    def standing(self, channel: Channel, region: str) -> Standing:
        """Tell how the vendors stand, as of the last flush; costs no round trip.

        Where nothing is known yet the next flush will have asked.
        """
        self._asked_at[channel, region] = self._clock.monotonic()
        return self._standings.get((channel, region), _EMPTY)

    def flush(self, is_open: IsOpen = lambda _: False) -> None:
        """Merge what was seen, and learn how the vendors stand now.

        One script call for every area that this worker saw in the last hour. What
        cannot be merged, because Redis is away, waits for the next flush. ``is_open``
        says whether this worker's breaker leaves a route alone.
        """
        self._merge_all(self._clock.monotonic(), is_open)

    def close(self) -> None:
        """Merge also what is too young to judge: the process is about to end.

        What becomes of those messages the other workers will hear.
        """
        self._merge_all(math.inf, lambda _: False)

    def read(self, channel: Channel, region: str) -> Standing:
        """Ask Redis how the vendors stand now, and change nothing.

        The candidates come first, in their order.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        reply = self._run((channel, region), {"peek": True})
        found = read_standing(reply["vendors"])
        names = dict.fromkeys((*self._candidates(channel, region), *sorted(found)))
        return {name: found[name] for name in names}

    def _merge_all(self, until: float, is_open: IsOpen) -> None:
        with self._flushing:
            try:
                for area in self._collect(until):
                    self._merge(area, is_open)
            except StoreUnavailable:
                return  # The run was an event already.

    def _judged_at(self, age_seconds: float) -> float:
        wait = _JUDGE_SECONDS - max(0.0, age_seconds)
        return self._clock.monotonic() + max(0.0, wait)

    def _from(self, due: float, route: Route) -> defaultdict[str, float]:
        """Return the counts that will be taken for seen at ``due``."""
        return self._held_back[math.ceil(due)][route]

    def _collect(self, until: float) -> tuple[Area, ...]:
        """Make a batch for every area; one that was not merged yet stays as it is."""
        now = self._clock.monotonic()
        with self._lock:
            for due in [it for it in self._held_back if it <= until]:
                for route, counts in self._held_back.pop(due).items():
                    for name, count in counts.items():
                        self._seen[route][name] += count
            for area, asked_at in tuple(self._asked_at.items()):
                if now - asked_at > _FOLLOW_SECONDS:
                    del self._asked_at[area]
                    self._standings.pop(area, None)
            seen, self._seen = self._seen, _tally()
            fresh: defaultdict[Area, dict[str, Mapping[str, float]]]
            fresh = defaultdict(dict)
            for route, counts in seen.items():
                if route.area in self._batches:
                    self._seen[route] = counts
                else:
                    fresh[route.area][route.vendor] = counts
            for area in {*self._asked_at, *fresh} - self._batches.keys():
                self._batches[area] = _Batch(next(self._ops), fresh[area])
            return tuple(self._batches)

    def _merge(self, area: Area, is_open: IsOpen) -> None:
        batch = self._batches[area]
        names = self._candidates(*area)
        reply = self._run(
            area,
            {
                "peek": False,
                "worker": self._worker,
                "op": batch.op,
                "deltas": batch.deltas,
                "open": [it for it in names if is_open(Route(*area, it))],
            },
        )
        del self._batches[area]
        before = self._standings.get(area, _EMPTY)
        after = self._standings[area] = read_standing(reply["vendors"])
        for change in weight_changes(area, reply):
            self._emit(change)
        for measure in measures(area, batch.deltas, before=before, after=after):
            self._emit(measure)

    def _run(self, area: Area, arguments: dict[str, Any]) -> Reply:
        channel, region = area
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        arguments["rules"] = self._rules.arguments
        arguments["candidates"] = self._candidates(channel, region)
        key = f"health:{{{channel}:{region}}}"
        return self._scripts.run(Call(_HEALTH, [key], arguments))


def _tally() -> _Tally:
    return defaultdict(lambda: defaultdict(float))
