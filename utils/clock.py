"""The clock seam: everything that asks Python for the time asks one of these.

Redis has its own clock (``TIME`` inside the scripts); this one serves what lives in the
process: deadlines, breakers and the times written into tokens.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time, in float seconds."""

    def now(self) -> float:
        """Return Unix time, for what others will read (tokens, logs)."""
        ...

    def monotonic(self) -> float:
        """Return a time that never goes back, for durations and deadlines."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Return Unix time."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return time.monotonic()
