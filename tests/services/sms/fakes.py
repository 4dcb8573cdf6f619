"""What the SMS tests stand in for: the clock and the vendors."""

from collections.abc import Callable, Collection, Iterable

from services.sms.provider import (
    Accepted,
    Ambiguous,
    Channel,
    Message,
    ProviderFailure,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from utils.phone import PhoneNumber

INDIAN = PhoneNumber("+919876543210", "IN", 91)
GERMAN = PhoneNumber("+4915112345678", "DE", 49)


def message_to(
    phone: PhoneNumber = INDIAN, *, ttl_seconds: int = 300, channel: Channel = "sms"
) -> Message:
    return Message(
        phone=phone,
        code="123456",
        text="123456 is your QuickCart code.",
        ttl_seconds=ttl_seconds,
        channel=channel,
        reference="MDEyMzQ1Njc4OWFi",
    )


def refused(reason: Reason = Reason.RECIPIENT) -> Refused:
    return Refused(reason, Scope.NUMBER, "21211")


def unavailable(
    reason: Reason = Reason.TRANSIENT, scope: Scope = Scope.PROVIDER
) -> Unavailable:
    return Unavailable(reason, scope, "connect")


def ambiguous() -> Ambiguous:
    return Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, "timeout")


class FakeClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += seconds


class ScriptedProvider:
    """Does what its script says, call by call, and then accepts."""

    def __init__(
        self,
        name: str,
        script: Iterable[ProviderFailure] = (),
        *,
        channels: Collection[Channel] = frozenset({"sms"}),
        countries: Collection[str] | None = None,
        status: str = "accepted",
        takes: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.channels = channels
        self.countries = countries
        self.status = status
        self.script = list(script)
        self.deadlines: list[float] = []
        self._takes = takes

    @property
    def calls(self) -> int:
        return len(self.deadlines)

    def send(self, message: Message, deadline: float) -> Accepted:
        self.deadlines.append(deadline)
        self._takes()
        if self.script:
            raise self.script.pop(0)
        return Accepted(f"{self.name}-{self.calls}")
