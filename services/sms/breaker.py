"""A circuit breaker: after repeated failure it costs nothing to leave a vendor alone.

::

    closed ──failures, or trip──> open ──time is up, one probe──> half_open
       ^                            ^                                 │
       │                            └────────── probe failed ─────────┤
       └────────────────────────────────────── probe succeeded ───────┘

A call takes at most the deadline of a send, which is shorter than the shortest opening:
whatever is reported in half-open is the probe's.
"""

import threading
from collections import deque
from enum import StrEnum

from services.events import BreakerChanged, Emit
from utils.clock import Clock

# Five in a row is an outage, not bad luck; half of twenty catches one that flickers.
_CONSECUTIVE_FAILURES = 5
_WINDOW_SECONDS = 60.0
_WINDOW_CALLS = 20
_BUCKET_SECONDS = 5.0

_OPEN_SECONDS = 30.0
_MAX_OPEN_SECONDS = 600.0

# A probe that never reports (its thread died) must not keep the vendor out for ever.
_PROBE_SECONDS = 15.0


class BreakerState(StrEnum):
    """Whether calls pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One breaker, for a provider or (with ``country``) for a provider in a country.

    Safe to share between threads; the lock is held for counting, never during a call.
    Every ``allow()`` that says yes is followed by one report.
    """

    def __init__(
        self, *, clock: Clock, provider: str, country: str = "", emit: Emit
    ) -> None:
        self._clock = clock
        self._provider = provider
        self._country = country
        self._emit = emit
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._in_a_row = 0
        self._buckets: deque[list[float]] = deque()  # [start, calls, failures]
        self._next_open_seconds = _OPEN_SECONDS
        self._blocked_until = 0.0  # Open: the next probe. Half-open: probe forgotten.

    @property
    def state(self) -> BreakerState:
        """The state now; an open breaker stays open until somebody probes."""
        return self._state

    def retry_in(self) -> float:
        """Seconds until a call may pass; 0 when one may now."""
        if self._state is BreakerState.CLOSED:
            return 0.0
        return max(0.0, self._blocked_until - self._clock.monotonic())

    def allow(self) -> bool:
        """Tell whether a call may pass; in half-open, exactly one does."""
        if self.state is BreakerState.CLOSED:
            return True
        with self._lock:
            # Again, now that nobody can change it.
            if self._state is BreakerState.CLOSED:
                return True
            if self.retry_in() > 0:
                return False
            event = self._enter(BreakerState.HALF_OPEN, _PROBE_SECONDS)
        self._tell(event)
        return True

    def success(self) -> None:
        """Report that the call was answered as it should be."""
        with self._lock:
            event = None
            if self._state is BreakerState.CLOSED:
                self._in_a_row = 0
                self._count(failed=False)
            elif self._state is BreakerState.HALF_OPEN:
                self._next_open_seconds = _OPEN_SECONDS
                event = self._enter(BreakerState.CLOSED, 0.0)
        self._tell(event)

    def failure(self) -> None:
        """Report that the call failed, and that this is held against the vendor."""
        with self._lock:
            event = None
            if self._state is BreakerState.HALF_OPEN or (
                self._state is BreakerState.CLOSED and self._is_too_much()
            ):
                event = self._open(0.0)
        self._tell(event)

    def doubt(self) -> None:
        """Report a call that failed, perhaps through no fault of the vendor.

        It counts among the calls of the last minute only: a few odd numbers in a row,
        which anybody can choose, are no outage, but half of all calls are one.
        """
        with self._lock:
            event = None
            if self._state is BreakerState.HALF_OPEN:
                # Neither back nor still away: the next call is to tell.
                self._blocked_until = self._clock.monotonic()
            elif self._state is BreakerState.CLOSED:
                self._count(failed=True)
                if self._is_half_failing():
                    event = self._open(0.0)
        self._tell(event)

    def trip(self, seconds: float) -> None:
        """Open at once for ``seconds`` or more: trying again soon will not help."""
        with self._lock:
            event = None
            if self._state is BreakerState.OPEN:
                # One of the calls that were under way: no reason to double.
                until = self._clock.monotonic() + seconds
                self._blocked_until = max(self._blocked_until, until)
            else:
                event = self._open(seconds)
        self._tell(event)

    def release(self) -> None:
        """Report that the call was not made, or says nothing about the vendor."""
        with self._lock:
            if self._state is BreakerState.HALF_OPEN:
                self._blocked_until = self._clock.monotonic()

    def _is_too_much(self) -> bool:
        self._in_a_row += 1
        self._count(failed=True)
        return self._in_a_row >= _CONSECUTIVE_FAILURES or self._is_half_failing()

    def _is_half_failing(self) -> bool:
        calls = sum(bucket[1] for bucket in self._buckets)
        failures = sum(bucket[2] for bucket in self._buckets)
        return calls >= _WINDOW_CALLS and failures * 2 >= calls

    def _count(self, *, failed: bool) -> None:
        now = self._clock.monotonic()
        if not self._buckets or now - self._buckets[-1][0] >= _BUCKET_SECONDS:
            self._buckets.append([now, 0, 0])
        while now - self._buckets[0][0] >= _WINDOW_SECONDS:
            self._buckets.popleft()
        self._buckets[-1][1] += 1
        self._buckets[-1][2] += failed

    def _open(self, at_least: float) -> BreakerChanged | None:
        seconds = min(max(self._next_open_seconds, at_least), _MAX_OPEN_SECONDS)
        self._next_open_seconds = min(seconds * 2, _MAX_OPEN_SECONDS)
        return self._enter(BreakerState.OPEN, seconds)

    def _enter(
        self, state: BreakerState, blocked_seconds: float
    ) -> BreakerChanged | None:
        changed = state is not self._state
        self._blocked_until = self._clock.monotonic() + blocked_seconds
        self._state = state
        self._in_a_row = 0
        self._buckets.clear()
        if not changed:
            return None  # Another probe for one that told nothing.
        return BreakerChanged(
            provider=self._provider,
            country=self._country,
            state=state,
            open_seconds=blocked_seconds if state is BreakerState.OPEN else 0.0,
        )

    def _tell(self, event: BreakerChanged | None) -> None:
        """Emit outside the lock, which a listener may want to take."""
        if event is not None:
            self._emit(event)
