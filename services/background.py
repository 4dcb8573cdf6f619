"""What can wait until after the answer: a few threads and a bounded queue."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from services.errors import StoreUnavailable
from services.events import BackgroundFailed, Emit

Task = Callable[[], None]
Item = TypeVar("Item")

# Tasks take about a millisecond each; whoever is this far behind will not catch up.
_MAX_WAITING = 10_000


class Background(Protocol):
    """Takes tasks off the request's hands. Safe to share between threads."""

    def submit(self, task: Task) -> None:
        """Have ``task`` run soon, elsewhere; what it raises is an event."""
        ...


class BackgroundThreads:
    """A ``Background`` of this process; its threads start with the first task.

    What waits is lost with the process, so a task is a thing that can be lost.
    """

    def __init__(
        self, name: str, *, threads: int, emit: Emit, pause_seconds: float = 0.0
    ) -> None:
        """Let every task wait for ``pause_seconds``, so that more can gather for it."""
        self._pause_seconds = pause_seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threading.BoundedSemaphore(_MAX_WAITING)
        self._name = name
        self._emit = emit

    def submit(self, task: Task) -> None:
        """Queue ``task``, or drop it when too many wait."""
        if not self._room.acquire(blocking=False):
            self._emit(BackgroundFailed(self._name, "overflow"))
            return
        try:
            self._pool.submit(self._run, task)
        except RuntimeError:
            # The process is about to end.
            self._room.release()

    def close(self) -> None:
        """Run what waits, then stop."""
        self._pool.shutdown()

    def _run(self, task: Task) -> None:
        try:
            time.sleep(self._pause_seconds)
            run_task(task, self._name, self._emit)
        finally:
            self._room.release()


class Gathered(Generic[Item]):
    """Items that a background takes many at a time. Safe to share between threads.

    To wake a thread costs a request more than what most items need: here only the first
    of a bunch does. An item may be lost, as a task may.
    """

    def __init__(
        self, background: Background, take: Callable[[list[Item]], None], *, most: int
    ) -> None:
        """``take`` is given up to ``most`` items at a time."""
        self._background = background
        self._take = take
        self._most = most
        self._items: deque[Item] = deque()
        self._is_due = False

    def add(self, item: Item) -> None:
        """Have ``item`` taken soon, elsewhere."""
        self._items.append(item)
        # After the item is there, as the other side forgets it before it looks.
        if not self._is_due:
            self._is_due = True
            self._background.submit(self._take_all)

    def _take_all(self) -> None:
        self._is_due = False
        while items := self._pop():
            try:
                self._take(items)
            except BaseException:
                if self._items and not self._is_due:
                    self._is_due = True
                    self._background.submit(self._take_all)
                raise

    def _pop(self) -> list[Item]:
        items: list[Item] = []
        with suppress(IndexError):
            while len(items) < self._most:
                items.append(self._items.popleft())
        return items


class Heartbeat:
    """Runs one task every so often, in a thread of its own, until closed."""

    def __init__(self, name: str, task: Task, *, seconds: float, emit: Emit) -> None:
        self._task = task
        self._seconds = seconds
        self._name = name
        self._emit = emit
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first beat comes after one interval."""
        self._thread.start()

    def close(self) -> None:
        """Stop, and wait for a beat that is under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._seconds):
            run_task(self._task, self._name, self._emit)


def run_task(task: Task, name: str, emit: Emit) -> None:
    """Run a task of a thread that must outlive it."""
    try:
        task()
    except StoreUnavailable:
        pass  # The script that could not run was an event already.
    except Exception as error:  # noqa: BLE001 - whatever it is, the next task must run
        emit(BackgroundFailed(name, type(error).__name__))
