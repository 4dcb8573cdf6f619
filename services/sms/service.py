"""Sends one text through whichever vendor takes it, under one deadline."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.events import Emit, ProviderCalled
from services.sms.breaker import Breaker, BreakerState
from services.sms.provider import (
    Ambiguous,
    Message,
    Provider,
    ProviderFailure,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from services.sms.transport import MINIMUM_SECONDS, NOT_ASKED
from utils.clock import Clock

# A vendor that says no to our account needs a person, not another try. One that says no
# to a text may mean the number it was for: that is counted like any failure.
_ACCOUNT_OPEN_SECONDS = 300.0

# A vendor that gets what a slow one before it has left, and needs longer, is not slow.
# Without this, one vendor that hangs under load would open its neighbour's breaker too.
_FAIR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """A vendor took the message; ``status`` is the delivery status to report."""

    provider: str
    status: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """What is known of a vendor without asking it.

    ``retry_in_seconds`` is the time until a send may try it again, and
    ``blocked_countries`` are those in which alone it is left out.
    """

    state: BreakerState
    retry_in_seconds: float
    blocked_countries: tuple[str, ...]


class NotDelivered(Exception):
    """No vendor took the message, and another try later may do better.

    ``reason`` is the last vendor's, or None when none could be asked. ``of_number``
    means that a vendor was asked and found fault with the number: no breaker counts
    that, so somebody else has to.
    """

    def __init__(
        self,
        *,
        reason: Reason | None,
        may_have_left: bool,
        of_number: bool,
        retry_after_seconds: int,
    ) -> None:
        super().__init__(reason or "nobody to ask")
        self.reason = reason
        self.of_number = of_number
        self.may_have_left = may_have_left
        self.retry_after_seconds = retry_after_seconds


class SmsService:
    """Routes, fails over, and leaves alone what is broken.

    Safe to share between threads. ``providers`` stand in the order of preference.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        clock: Clock,
        emit: Emit,
        deadline_seconds: float = 8.0,
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        if len(self._providers) < len(providers):
            raise ValueError("two providers of one name")
        self._clock = clock
        self._emit = emit
        self._deadline_seconds = deadline_seconds
        self._breakers = {name: self._breaker(name) for name in self._providers}
        self._country_breakers: dict[tuple[str, str], Breaker] = {}

    def candidates(self, region: str) -> tuple[str, ...]:
        """Name the providers that serve a region, in the order to try them.

        Those to be left alone now stand last rather than nowhere: a caller who picks
        one gets the next, at no cost. One whose time for a probe has come stands in
        its usual place, or no send would ever find out that it is back.
        """
        serving = [
            provider.name
            for provider in self._providers.values()
            if provider.countries is None or region in provider.countries
        ]
        return tuple(sorted(serving, key=lambda name: self._retry_in(name, region) > 0))

    def status_of(self, provider_name: str) -> str:
        """Return the delivery status that a provider's acceptance means."""
        return self._providers[provider_name].status

    def send(self, message: Message, first: str) -> Delivery:
        """Hand the message to ``first``, and to the region's others if it fails.

        No vendor is asked twice, because it may have sent what it did not confirm.

        Raises:
            Refused: recipient or fraud; the others were not asked and must not be.
            NotDelivered: none took it.
        """
        deadline = self._clock.monotonic() + self._deadline_seconds
        region = message.phone.region
        reason: Reason | None = None
        may_have_left = of_number = False
        for provider in self._in_order(region, first):
            if deadline - self._clock.monotonic() < MINIMUM_SECONDS:
                break
            if not self._allows(provider.name, region):
                continue
            try:
                return self._call(provider, message, deadline)
            except Refused as refusal:
                refusal.may_have_left = may_have_left
                raise
            except (Unavailable, Ambiguous) as failure:
                reason = failure.reason
                may_have_left = may_have_left or failure.may_have_left
                of_number = of_number or _is_of_number(failure)
        raise NotDelivered(
            reason=reason,
            may_have_left=may_have_left,
            of_number=of_number,
            retry_after_seconds=self._retry_after(region),
        )

    def health(self) -> Mapping[str, ProviderHealth]:
        """Tell the state of every provider, without calling any."""
        blocked = [
            key
            for key, breaker in tuple(self._country_breakers.items())
            if breaker.state is not BreakerState.CLOSED
        ]
        return {
            name: ProviderHealth(
                state=breaker.state,
                retry_in_seconds=breaker.retry_in(),
                blocked_countries=tuple(
                    sorted(region for provider, region in blocked if provider == name)
                ),
            )
            for name, breaker in self._breakers.items()
        }

    def _in_order(self, region: str, first: str) -> Iterator[Provider]:
        names = self.candidates(region)
        if first in names:
            yield self._providers[first]
        for name in names:
            if name != first:
                yield self._providers[name]

    def _call(self, provider: Provider, message: Message, deadline: float) -> Delivery:
        region = message.phone.region
        started = self._clock.monotonic()
        try:
            accepted = provider.send(message, deadline)
        except ProviderFailure as failure:
            self._tell(provider.name, region, failure.reason, started, failure)
            self._blame(provider.name, region, failure, deadline - started)
            raise
        self._tell(provider.name, region, "accepted", started)
        self._breakers[provider.name].success()
        self._country_breaker(provider.name, region).success()
        return Delivery(
            provider=provider.name,
            status=provider.status,
            message_id=accepted.message_id,
        )

    def _blame(
        self, name: str, region: str, failure: ProviderFailure, allotted: float
    ) -> None:
        """Hold a failure against what it reaches, and nothing else."""
        whole, country = self._breakers[name], self._country_breaker(name, region)
        if failure.scope is Scope.NUMBER:
            whole.release()
            country.release()
        elif failure.scope is Scope.COUNTRY:
            whole.success()  # It answered, and about this country only.
            _count(country, failure, allotted)
        else:
            country.release()
            _count(whole, failure, allotted)

    def _allows(self, name: str, region: str) -> bool:
        whole, country = self._breakers[name], self._country_breaker(name, region)
        # Asked first without taking its probe, so that the other's is not in vain.
        if country.retry_in() > 0 or not whole.allow():
            return False
        if country.allow():
            return True
        whole.release()
        return False

    def _retry_in(self, name: str, region: str) -> float:
        whole, country = self._breakers[name], self._country_breaker(name, region)
        return max(whole.retry_in(), country.retry_in())

    def _retry_after(self, region: str) -> int:
        waits = [self._retry_in(name, region) for name in self.candidates(region)]
        return max(1, math.ceil(min(waits, default=1.0)))

    def _country_breaker(self, name: str, region: str) -> Breaker:
        key = (name, region)
        breaker = self._country_breakers.get(key)
        if breaker is None:
            # setdefault, so that two threads end up with one breaker.
            made = self._breaker(name, region)
            breaker = self._country_breakers.setdefault(key, made)
        return breaker

    def _breaker(self, name: str, region: str = "") -> Breaker:
        return Breaker(
            clock=self._clock, provider=name, country=region, emit=self._emit
        )

    def _tell(
        self,
        name: str,
        region: str,
        outcome: str,
        started: float,
        failure: ProviderFailure | None = None,
    ) -> None:
        self._emit(
            ProviderCalled(
                provider=name,
                country=region,
                outcome=outcome,
                vendor_code=failure.vendor_code if failure else "",
                seconds=self._clock.monotonic() - started,
            )
        )


def _count(breaker: Breaker, failure: ProviderFailure, allotted: float) -> None:
    if failure.reason is Reason.ACCOUNT:
        breaker.trip(_ACCOUNT_OPEN_SECONDS)
    elif failure.reason is Reason.AMBIGUOUS and allotted < _FAIR_SECONDS:
        breaker.release()
    else:
        breaker.failure()


def _is_of_number(failure: ProviderFailure) -> bool:
    """Tell whether a vendor that was asked found fault with the number."""
    return failure.scope is Scope.NUMBER and failure.vendor_code != NOT_ASKED
