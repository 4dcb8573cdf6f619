"""The system's clock."""

import time

from utils.clock import SystemClock


def test_the_system_clock_tells_both_times() -> None:
    clock = SystemClock()

    assert abs(clock.now() - time.time()) < 1
    assert clock.monotonic() <= clock.monotonic()
