"""Many threads, released together."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def at_once(count: int, action: Callable[[int], Result]) -> list[Result]:
    """Run ``action(0..count-1)`` in as many threads, all released by one barrier."""
    barrier = threading.Barrier(count)

    def run(index: int) -> Result:
        barrier.wait()
        return action(index)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
