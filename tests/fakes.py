"""Plain stand-ins, handed to constructors."""

from collections import deque
from collections.abc import Callable

from services.sms.provider import Accepted, Channel, Message, ProviderFailure


class FakeClock:
    """A clock that moves when told to; Redis's offset moves with it."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._start = now
        self.offset = 0.0

    def now(self) -> float:
        return self._start + self.offset

    def monotonic(self) -> float:
        return self.offset

    def advance(self, seconds: float) -> None:
        self.offset += seconds


class Backlog:
    """A background whose tasks run when told to."""

    def __init__(self) -> None:
        self.tasks: deque[Callable[[], None]] = deque()

    def submit(self, task: Callable[[], None]) -> None:
        self.tasks.append(task)

    def run(self) -> None:
        """Run what waits, and what comes of it."""
        while self.tasks:
            self.tasks.popleft()()


class RecordingProvider:
    """Takes every message, or fails as often as it is told to."""

    def __init__(
        self,
        name: str = "fake",
        *,
        channels: frozenset[Channel] = frozenset({"sms"}),
        countries: frozenset[str] | None = None,
        status: str = "accepted",
    ) -> None:
        self.name = name
        self.channels = channels
        self.countries = countries
        self.status = status
        self.messages: list[Message] = []
        self.failures: list[ProviderFailure] = []

    def send(self, message: Message, deadline: float) -> Accepted:
        if self.failures:
            raise self.failures.pop(0)
        self.messages.append(message)
        return Accepted(f"id-{len(self.messages)}")

    @property
    def last_code(self) -> str:
        return self.messages[-1].code
