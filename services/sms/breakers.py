"""The breakers of all vendors: one each, and one for each country where it is tried."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.events import Emit
from services.sms.breaker import Breaker, BreakerState
from services.sms.provider import ProviderFailure, Reason, Scope
from utils.clock import Clock

# A vendor that says no to our account needs a person, not another try.
_ACCOUNT_OPEN_SECONDS = 300.0

# A vendor that gets what a slow one before it has left, and needs longer, is not slow.
# Without this, one vendor that hangs under load would open its neighbour's breaker too.
_FAIR_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """What is known of a vendor without asking it.

    ``retry_in_seconds`` is the time until a send may try it again, and
    ``blocked_countries`` are those in which alone it is left out.
    """

    state: BreakerState
    retry_in_seconds: float
    blocked_countries: tuple[str, ...]


class Breakers:
    """Says which vendor may be asked where. Safe to share between threads."""

    def __init__(self, names: Iterable[str], *, clock: Clock, emit: Emit) -> None:
        self._clock = clock
        self._emit = emit
        self._breakers = {name: self._breaker(name) for name in names}
        self._country_breakers: dict[tuple[str, str], Breaker] = {}

    def allow(self, name: str, region: str) -> bool:
        """Tell whether a vendor may be asked; a yes is followed by one report."""
        whole, country = self._breakers[name], self._country_breaker(name, region)
        # Asked first without taking its probe, so that the other's is not in vain.
        if country.retry_in() > 0 or not whole.allow():
            return False
        if country.allow():
            return True
        whole.release()
        return False

    def retry_in(self, name: str, region: str) -> float:
        """Seconds until a vendor may be asked; 0 when it may be now."""
        whole, country = self._breakers[name], self._country_breaker(name, region)
        return max(whole.retry_in(), country.retry_in())

    def success(self, name: str, region: str) -> None:
        """Report that a vendor took a message."""
        self._breakers[name].success()
        self._country_breaker(name, region).success()

    def blame(
        self, name: str, region: str, failure: ProviderFailure, *, allotted: float
    ) -> None:
        """Hold a failure against what it reaches, and nothing else.

        ``allotted`` is how many seconds the vendor was given.
        """
        whole, country = self._breakers[name], self._country_breaker(name, region)
        if failure.scope is Scope.NUMBER:
            whole.release()
            country.release()
        elif failure.scope is Scope.PROVIDER:
            country.release()
            _count(whole, failure, allotted)
        else:
            whole.success()  # It answered, and about this country at most.
            if failure.reason is Reason.ACCOUNT:
                country.trip(_ACCOUNT_OPEN_SECONDS)
            else:
                # It may be one number's fault, and anybody chooses numbers.
                country.doubt()

    def health(self) -> Mapping[str, ProviderHealth]:
        """Tell the state of every vendor, without calling any."""
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


def _count(breaker: Breaker, failure: ProviderFailure, allotted: float) -> None:
    if failure.reason is Reason.ACCOUNT:
        breaker.trip(_ACCOUNT_OPEN_SECONDS)
    elif failure.reason is Reason.AMBIGUOUS and allotted < _FAIR_SECONDS:
        breaker.release()
    else:
        breaker.failure()
