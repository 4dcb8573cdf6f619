"""What a worker does beside answering requests."""

import atexit
from collections.abc import Callable

from services.background import Background, BackgroundThreads, Heartbeat, run_task
from services.events import Emit

# Follow-ups wait for vendors: so many at a time, or an outage would queue them.
_SENDING_THREADS = 16

# Sooner than any receipt; long enough for a busy worker's notes to share a round trip.
_NOTE_SECONDS = 0.02


class Chores:
    """The background of one process: its queues, and tasks that come round."""

    def __init__(
        self,
        *,
        emit: Emit,
        notes: Background | None = None,
        sends: Background | None = None,
        reports: Background | None = None,
    ) -> None:
        """Use threads of our own; tests bring queues that they run by hand."""
        self._emit = emit
        self.notes = notes or BackgroundThreads(
            "notes", threads=2, emit=emit, pause_seconds=_NOTE_SECONDS
        )
        self.sends = sends or BackgroundThreads(
            "sends", threads=_SENDING_THREADS, emit=emit
        )
        # Apart, so that a vendor that is slow to take them holds up no message.
        self.reports = reports or BackgroundThreads("reports", threads=2, emit=emit)
        self.rounds: dict[str, Callable[[], None]] = {}
        self._beats: list[Heartbeat] = []
        self._last: list[Callable[[], None]] = []

    def add(self, name: str, task: Callable[[], None], *, seconds: float) -> None:
        """Have a task come round every so often, once started."""
        self.rounds[name] = task
        self._beats.append(Heartbeat(name, task, seconds=seconds, emit=self._emit))

    def at_end(self, task: Callable[[], None]) -> None:
        """Have a task run once more when the process ends, if it ends in order."""
        self._last.append(task)

    def start(self) -> None:
        """Begin."""
        for beat in self._beats:
            beat.start()
        atexit.register(self.close)

    def close(self) -> None:
        """Stop, and do what is left to do."""
        for beat in self._beats:
            beat.close()
        for task in self._last:
            run_task(task, "end", self._emit)
