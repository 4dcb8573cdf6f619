"""A service among scripted vendors."""

import random
from collections.abc import Callable, Sequence

from services.events import Event, ProviderCalled
from services.sms.outgoing import Delivery, Outgoing
from services.sms.prices import Prices
from services.sms.provider import Provider, ProviderFailure, Reason, Scope
from services.sms.routes import Routes
from services.sms.routing.health import VendorHealth
from services.sms.routing.router import Router
from services.sms.senders import Senders
from services.sms.service import SmsService
from services.sms.templates import Templates
from tests.fakes import FakeClock
from tests.services.sms.fakes import INDIAN, ScriptedProvider, unavailable
from tests.services.stores import open_embedded
from utils.clock import Clock
from utils.phone import PhoneNumber

ACCOUNT_COUNTRY = unavailable(Reason.ACCOUNT, Scope.COUNTRY)


def outgoing_to(phone: PhoneNumber = INDIAN) -> Outgoing:
    return Outgoing(
        phone=phone,
        code="123456",
        wording="login",
        ttl_seconds=300,
        locale="en",
        client=None,
        reference="MDEyMzQ1Njc4OWFi",
    )


def make_sms(
    providers: Sequence[Provider],
    *,
    clock: Clock,
    emit: Callable[[Event], None] = lambda _: None,
    senders: Senders | None = None,
    health: VendorHealth | None = None,
    prices: Prices | None = None,
) -> SmsService:
    """Build the service as it is built from no settings but the vendors'."""
    routes = Routes(providers)
    prices = prices or Prices()
    health = health or VendorHealth(
        open_embedded().scripts, candidates=lambda *_: (), clock=clock, emit=emit
    )
    router = Router(
        health,
        mode="order",
        shadow=False,
        price_of=prices.of,
        emit=emit,
        draws=random.Random(1),  # noqa: S311 - a seed makes the test repeatable
        adaptive_draws=random.Random(1),  # noqa: S311
    )
    return SmsService(
        providers,
        routes=routes,
        router=router,
        health=health,
        senders=senders or Senders(),
        prices=prices,
        templates=Templates(brand="Shop", ttl_seconds=300),
        clock=clock,
        emit=emit,
    )


class World:
    """A service, its vendors, its clock and what it told."""

    def __init__(
        self,
        *providers: Provider,
        clock: FakeClock | None = None,
        on_event: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.events: list[Event] = []
        self._on_event = on_event
        self.sms = make_sms(providers, clock=self.clock, emit=self._emit)

    def _emit(self, event: Event) -> None:
        self.events.append(event)
        self._on_event(event)

    @property
    def calls(self) -> list[tuple[str, str]]:
        """Who was asked, and what came of it."""
        return [
            (event.provider, event.outcome)
            for event in self.events
            if isinstance(event, ProviderCalled)
        ]

    def candidates(self, phone: PhoneNumber = INDIAN) -> tuple[str, ...]:
        return self.sms.candidates("sms", phone)

    def send(self, first: str, phone: PhoneNumber = INDIAN) -> Delivery:
        """Send as somebody does who was told to begin with ``first``."""
        names = self.sms.candidates("sms", phone)
        order = [it for it in (first,) if it in names]
        order += [it for it in names if it != first]
        return self.sms.send(
            outgoing_to(phone),
            channel="sms",
            order=order,
            deadline=self.sms.deadline(),
        )

    def send_until_open(self, first: str) -> None:
        for _ in range(5):
            self.send(first)


def failing(name: str, *failures: ProviderFailure) -> ScriptedProvider:
    return ScriptedProvider(name, failures)


def pair(failures: Sequence[ProviderFailure] = ()) -> World:
    return World(ScriptedProvider("a", failures), ScriptedProvider("b"))
