"""A gate before a vendor that may be away: few at a time, and nobody for a while.

Calls to it hold threads that logins need. So at most so many run at once, and after
some failures in a row it is left alone; then the next calls tell whether it is back.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.abuse.challenges.challenger import Unsolved
from utils.clock import Clock

# An eighth of a worker's threads, by default; each is held for two seconds at most.
_AT_ONCE = 16
_FAILURES = 5
_CLOSED_SECONDS = 30.0


class Gate:
    """Safe to share between threads; the lock is held for counting alone."""

    def __init__(self, *, clock: Clock, at_once: int = _AT_ONCE) -> None:
        self._clock = clock
        self._at_once = at_once
        self._lock = threading.Lock()
        self._running = 0
        self._failures = 0
        self._closed_until = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether the vendor is left alone now."""
        return self._clock.monotonic() < self._closed_until

    @contextmanager
    def call(self) -> Iterator[None]:
        """Hold one of the places while the vendor is asked.

        Raises:
            Unsolved: ``unavailable`` while it is left alone; ``busy``, as all places
                are taken, which anybody can bring about, so that it is not away; or
                what the call itself raised.
        """
        with self._lock:
            if self.is_closed:
                raise Unsolved("unavailable", reason="closed")
            if self._running >= self._at_once:
                raise Unsolved("busy")
            self._running += 1
        failed = False
        try:
            yield
        except Unsolved as error:
            failed = error.outcome == "unavailable"
            raise
        finally:
            with self._lock:
                self._running -= 1
                self._failures = self._failures + 1 if failed else 0
                if self._failures >= _FAILURES:
                    self._closed_until = self._clock.monotonic() + _CLOSED_SECONDS
