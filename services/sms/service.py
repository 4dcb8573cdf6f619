"""Sends one message through whichever vendor takes it, under one deadline."""

import math
from collections.abc import Iterator, Mapping, Sequence

from services.events import Emit, ProviderCalled
from services.sms.breakers import Breakers, ProviderHealth
from services.sms.outgoing import Delivery, NotDelivered, Outgoing
from services.sms.provider import (
    Accepted,
    Ambiguous,
    Channel,
    Message,
    Provider,
    ProviderFailure,
    Reason,
    Refused,
    ReportsConversion,
    Scope,
    Unavailable,
)
from services.sms.routes import CHANNELS, LAST_RESORT, Routes
from services.sms.routing.health import VendorHealth
from services.sms.routing.router import Router
from services.sms.routing.standing import Route
from services.sms.senders import Senders
from services.sms.templates import Templates
from services.sms.transport import MINIMUM_SECONDS, NOT_ASKED
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
        self._templates = templates
        self._clock = clock
        self._emit = emit
        self._deadline_seconds = deadline_seconds
        self._breakers = Breakers(self._providers, clock=clock, emit=emit)

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
        region = outgoing.phone.region
        reason: Reason | None = None
        may_have_left = of_message = False
        for provider in self._in_order(order, region):
            if deadline - self._clock.monotonic() < MINIMUM_SECONDS:
                break
            if not self._breakers.allow(provider.name, region):
                continue
            try:
                return self._call(provider, outgoing, channel, deadline)
            except Refused as refusal:
                refusal.may_have_left = may_have_left
                raise
            except (Unavailable, Ambiguous) as failure:
                reason = failure.reason
                may_have_left = may_have_left or failure.may_have_left
                of_message = of_message or _is_of_message(failure)
        raise NotDelivered(
            reason=reason,
            may_have_left=may_have_left,
            of_message=of_message,
            retry_after_seconds=self._retry_after(order, region),
        )

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

    def _in_order(self, order: Sequence[str], region: str) -> Iterator[Provider]:
        """Go through the providers: the first as it is, then those that may be asked.

        Asked anew each time, because breakers open while a send is under way.
        """
        if not order:
            return
        yield self._providers[order[0]]
        rest = sorted(order[1:], key=lambda it: self._breakers.retry_in(it, region) > 0)
        for name in rest:
            yield self._providers[name]

    def _call(
        self,
        provider: Provider,
        outgoing: Outgoing,
        channel: Channel,
        deadline: float,
    ) -> Delivery:
        name, region = provider.name, outgoing.phone.region
        route = Route(channel, region, name)
        message = self._message(name, outgoing, channel)
        started = self._clock.monotonic()
        try:
            accepted = _ask(provider, message, deadline)
        except ProviderFailure as failure:
            seconds = self._tell(route, failure.reason, started, failure.vendor_code)
            self._breakers.blame(name, region, failure, allotted=deadline - started)
            self._health.called(
                route,
                accepted=False,
                seconds=seconds,
                held_against=failure.scope is not Scope.NUMBER,
                first=outgoing.first,
            )
            raise
        seconds = self._tell(route, "accepted", started)
        self._breakers.success(name, region)
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
            purpose=outgoing.purpose,
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

    def _retry_after(self, names: Sequence[str], region: str) -> int:
        waits = [self._breakers.retry_in(name, region) for name in names]
        return max(1, math.ceil(min(waits, default=1.0)))

    def _tell(
        self, route: Route, outcome: str, started: float, vendor_code: str = ""
    ) -> float:
        seconds = self._clock.monotonic() - started
        self._emit(
            ProviderCalled(
                provider=route.vendor,
                country=route.region,
                outcome=outcome,
                vendor_code=vendor_code,
                seconds=seconds,
            )
        )
        return seconds


def _ask(provider: Provider, message: Message, deadline: float) -> Accepted:
    """Have a provider send; whatever it trips over, the message may have left."""
    try:
        return provider.send(message, deadline)
    except ProviderFailure:
        raise
    except Exception as error:  # noqa: BLE001 - an answer that nobody thought of
        kind = type(error).__name__
    # Outside the except clause: that error may hold the number and the code.
    raise Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, kind)


def _is_of_message(failure: ProviderFailure) -> bool:
    """Tell whether a vendor answered, and found fault with what it was asked to do."""
    return failure.scope is not Scope.PROVIDER and failure.vendor_code != NOT_ASKED
