"""A service among scripted vendors."""

from collections.abc import Sequence

from services.events import Event, ProviderCalled
from services.sms.provider import ProviderFailure, Reason, Scope
from services.sms.service import SmsService
from tests.services.sms.fakes import (
    FakeClock,
    ScriptedProvider,
    message_to,
    unavailable,
)

ACCOUNT_COUNTRY = unavailable(Reason.ACCOUNT, Scope.COUNTRY)


class World:
    """A service, its vendors, its clock and what it told."""

    def __init__(self, *providers: ScriptedProvider) -> None:
        self.clock = FakeClock()
        self.events: list[Event] = []
        self.sms = SmsService(providers, clock=self.clock, emit=self.events.append)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Who was asked, and what came of it."""
        return [
            (event.provider, event.outcome)
            for event in self.events
            if isinstance(event, ProviderCalled)
        ]

    def send_until_open(self, first: str) -> None:
        for _ in range(5):
            self.sms.send(message_to(), first)


def failing(name: str, *failures: ProviderFailure) -> ScriptedProvider:
    return ScriptedProvider(name, failures)


def pair(failures: Sequence[ProviderFailure] = ()) -> World:
    return World(ScriptedProvider("a", failures), ScriptedProvider("b"))
