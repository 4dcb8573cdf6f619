"""Simulated time: what is to happen, each thing at its moment."""

import heapq
import itertools
from collections.abc import Callable

from tests.fakes import FakeClock


class Agenda:
    """Runs what was put down for later, in the order of its time.

    A request moves ``clock`` on while it waits for a vendor. The next thing to happen
    sets it back to its own moment: requests overlap, as they do in threads.
    """

    def __init__(self) -> None:
        self.clock = FakeClock()
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        # What is due at the same moment happens in the order it was put down.
        self._places = itertools.count()

    @property
    def now(self) -> float:
        """Seconds since midnight (UTC) of the simulated day."""
        return self.clock.offset

    def at(self, moment: float, action: Callable[[], None]) -> None:
        """Put ``action`` down for ``moment``, in seconds since midnight."""
        heapq.heappush(self._heap, (moment, next(self._places), action))

    def run(self) -> None:
        """Run everything, and what comes of it."""
        while self._heap:
            self.clock.offset, _, action = heapq.heappop(self._heap)
            action()
