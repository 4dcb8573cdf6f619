"""Plain stand-ins, handed to constructors."""

from services.sms.provider import Accepted, Message, ProviderFailure


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


class RecordingProvider:
    """Takes every message, or fails as often as it is told to."""

    def __init__(
        self,
        name: str = "fake",
        *,
        countries: frozenset[str] | None = None,
        status: str = "accepted",
    ) -> None:
        self.name = name
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
