"""Sends one message through whichever vendor takes it, under one deadline."""

from collections.abc import Mapping, Sequence

from services.events import Emit
from services.sms.breakers import Breakers, ProviderHealth
from services.sms.notices import Notices
from services.sms.outgoing import Delivery, Notice, Outgoing
from services.sms.prices import Prices
from services.sms.provider import (
    Channel,
    Message,
    Provider,
    ProviderFailure,
    ReportsConversion,
    Scope,
)
from services.sms.receipts import Receipt
from services.sms.routes import CHANNELS, LAST_RESORT, Routes
from services.sms.routing.health import VendorHealth
from services.sms.routing.router import Router
from services.sms.routing.standing import Route
from services.sms.senders import Senders
from services.sms.templates import Templates
from services.sms.vendor_calls import VendorCalls
from utils.clock import Clock
from utils.phone import PhoneNumber


class SmsService:
    """Routes, fails over, and leaves alone what is broken.

    Safe to share between threads.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        routes: Routes,
        router: Router,
        health: VendorHealth,
        senders: Senders,
        prices: Prices,
        templates: Templates,
        clock: Clock,
        emit: Emit,
        deadline_seconds: float = 8.0,
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        if len(self._providers) < len(providers):
            raise ValueError("two providers of one name")
        self._routes = routes
        self._router = router
        self._health = health
        self._senders = senders
        self._prices = prices
        self._templates = templates
        self._clock = clock
        self._emit = emit
        self._deadline_seconds = deadline_seconds
        self._breakers = Breakers(self._providers, clock=clock, emit=emit)
        self._calls = VendorCalls(
            self._providers, breakers=self._breakers, clock=clock, emit=emit
        )
        self._notices = Notices(self._calls, senders=senders, templates=templates)

    def channels(self, phone: PhoneNumber) -> tuple[Channel, ...]:
        """Name the channels on which some vendor serves a number."""
        return tuple(it for it in CHANNELS if self._routes.vendors_for(it, phone))

    def candidates(self, channel: Channel, phone: PhoneNumber) -> tuple[str, ...]:
        """Name the vendors that serve a number, in the order to try them now.

        Those to be left alone now stand last rather than nowhere: a caller who picks
        one gets the next, at no cost. One whose time for a probe has come stands in
        its usual place, or no send would ever find out that it is back.
        """
        region = phone.region
        hops = [(it.name, it.weight) for it in self._routes.vendors_for(channel, phone)]
        # The console is no vendor: it has no part in shares and experiments.
        console = [name for name, _ in hops if name == LAST_RESORT]
        hops = [hop for hop in hops if hop[0] != LAST_RESORT]
        names = [*self._router.order(channel, phone, hops).vendors, *console]
        return tuple(
            sorted(names, key=lambda name: self._breakers.retry_in(name, region) > 0)
        )

    def status_of(self, provider_name: str) -> str:
        """Return the delivery status that a provider's acceptance means."""
        return self._providers[provider_name].status

    def senders_of(self, provider_name: str, phone: PhoneNumber) -> int:
        """Count the senders that a provider has for a number's country."""
        return max(1, len(self._senders.of(provider_name, phone)))

    def price_micros(self, vendor: str, channel: Channel, phone: PhoneNumber) -> int:
        """Return what one message costs, in millionths of the operator's currency."""
        return self._prices.micros(vendor, phone, channel)

    def cost_micros(
        self, phone: PhoneNumber, orders: Mapping[Channel, Sequence[str]]
    ) -> int:
        """Return the most that a send can cost: each of ``orders`` may have sent it."""
        return sum(
            self._prices.micros(vendor, phone, channel)
            for channel, order in orders.items()
            for vendor in order
        )

    def learn_price(
        self, vendor: str, channel: Channel, phone: PhoneNumber, receipt: Receipt
    ) -> None:
        """Take the price from a receipt, if it carries one; costs no round trip."""
        self._prices.learn(vendor, phone, channel, receipt)

    def exchange_prices(self) -> None:
        """Share what receipts told of prices with all workers; see ``Prices``.

        Raises:
            StoreUnavailable: Redis cannot be reached; what was learned is kept.
        """
        self._prices.exchange()

    def deadline(self) -> float:
        """Return the moment until which a send that begins now may take."""
        return self._clock.monotonic() + self._deadline_seconds

    def send(
        self,
        outgoing: Outgoing,
        *,
        channel: Channel,
        order: Sequence[str],
        deadline: float,
    ) -> Delivery:
        """Hand the message to the first of ``order``, and to the others if it fails.

        No vendor is asked twice, because it may have sent what it did not confirm.

        Raises:
            Refused: the phone or fraud; the others were not asked and must not be.
            NotDelivered: none took it.
        """
        return self._calls.first_that_takes(
            order,
            outgoing.phone.region,
            lambda provider: self._call(provider, outgoing, channel, deadline),
            deadline=deadline,
        )

    def notify(
        self, notice: Notice, *, order: Sequence[str], deadline: float
    ) -> Delivery:
        """Hand a notice to the first of ``order`` that can and will take it.

        Raises:
            Refused: the phone or fraud; the others were not asked and must not be.
            NotDelivered: none took it.
        """
        return self._notices.send(notice, order=order, deadline=deadline)

    def reporter(self, provider_name: str) -> ReportsConversion | None:
        """Return the provider if it takes reports on conversion."""
        provider: object = self._providers.get(provider_name)
        return provider if isinstance(provider, ReportsConversion) else None

    def health(self) -> Mapping[str, ProviderHealth]:
        """Tell the state of every provider, without calling any."""
        return self._breakers.health()

    def is_open(self, route: Route) -> bool:
        """Tell whether a vendor is left alone in a country, by this worker."""
        return self._breakers.retry_in(route.vendor, route.region) > 0

    def _call(
        self,
        provider: Provider,
        outgoing: Outgoing,
        channel: Channel,
        deadline: float,
    ) -> Delivery:
        name = provider.name
        route = Route(channel, outgoing.phone.region, name)
        message = self._message(name, outgoing, channel)
        started = self._clock.monotonic()
        try:
            accepted, seconds = self._calls.hand_over(provider, message, deadline)
        except ProviderFailure as failure:
            self._health.called(
                route,
                accepted=False,
                seconds=self._clock.monotonic() - started,
                held_against=failure.scope is not Scope.NUMBER,
                first=outgoing.first,
            )
            raise
        self._health.called(
            route,
            accepted=True,
            seconds=seconds,
            held_against=False,
            first=outgoing.first,
        )
        return Delivery(name, channel, provider.status, accepted.message_id)

    def _message(self, name: str, outgoing: Outgoing, channel: Channel) -> Message:
        text = self._templates.render(
            outgoing.code,
            vendor=name,
            region=outgoing.phone.region,
            locale=outgoing.locale,
            purpose=outgoing.wording,
            client=outgoing.client,
            ttl_seconds=outgoing.ttl_seconds,
        )
        turn = outgoing.uses.get(channel, {}).get(name, 0)
        return Message(
            phone=outgoing.phone,
            code=outgoing.code,
            text=text.text,
            ttl_seconds=outgoing.ttl_seconds,
            channel=channel,
            locale=text.locale,
            sender=self._senders.pick(name, outgoing.phone, turn),
            dlt=text.dlt,
            reference=outgoing.reference,
        )
