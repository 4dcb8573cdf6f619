"""Which vendors may carry a message, by channel, number and country."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import phonenumbers

from services.sms.prefixes import Prefixes
from services.sms.provider import Channel, Provider
from utils.phone import PhoneNumber

CHANNELS: tuple[Channel, ...] = ("sms", "whatsapp", "voice")

# The vendor that stands behind all others on SMS, where it can be had at all.
LAST_RESORT = "console"


class Hop(NamedTuple):
    """A vendor of a route, and its share at rest.

    The weights of one route's hops add up to 1. None of them has one where the order is
    the preference, and the vendor of last resort never has.
    """

    name: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """Vendors for numbers that begin with ``prefix`` (E.164; empty for all of them).

    Weights may be of any scale.
    """

    prefix: str
    hops: tuple[Hop, ...]


class Routes:
    """The routes of every channel. Safe to share between threads.

    ``providers`` are those that are configured, in the default order. A channel without
    routes of its own in ``tables`` uses all that send on it, in that order. One that is
    in ``regions`` is for these countries alone, whatever its routes and vendors reach.
    ``find_faults`` says beforehand what is wrong with ``tables``.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        tables: Mapping[Channel, Sequence[Route]] | None = None,
        regions: Mapping[Channel, Collection[str]] | None = None,
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        self._regions = regions or {}
        self._tables = {
            channel: Prefixes(
                (route.prefix, route)
                for route in (tables or {}).get(channel)
                or [_default(providers, channel)]
            )
            for channel in CHANNELS
        }
        # One entry per channel, route and country, however many numbers there are.
        self._known: dict[tuple[Channel, str | None, str], tuple[Hop, ...]] = {}

    def vendors_for(self, channel: Channel, phone: PhoneNumber) -> tuple[Hop, ...]:
        """Return who may carry a message to ``phone``, in the order of preference.

        Vendors that do not serve the phone's country are left out, and the weights of
        the others are raised in proportion. The longest prefix counts.
        """
        route = self._tables[channel].find(phone)
        key = (channel, route.prefix if route else None, phone.region)
        hops = self._known.get(key)
        if hops is None:
            hops = self._known[key] = self._serving(channel, route, phone.region)
        return hops

    def _serving(
        self, channel: Channel, route: Route | None, region: str
    ) -> tuple[Hop, ...]:
        if region not in self._regions.get(channel, {region}):
            return ()
        hops = [
            hop
            for hop in (route.hops if route else ())
            if _serves(self._providers[hop.name], region)
        ]
        total = sum(hop.weight or 0.0 for hop in hops)
        if total:
            hops = [Hop(name, (weight or 0.0) / total) for name, weight in hops]
        if channel == "sms" and LAST_RESORT in self._providers:
            hops.append(Hop(LAST_RESORT))
        return tuple(hops)


def find_faults(
    providers: Sequence[Provider], tables: Mapping[Channel, Sequence[Route]]
) -> Iterator[tuple[Channel, str]]:
    """Yield what is wrong with each route, by its place, and of which channel."""
    by_name = {provider.name: provider for provider in providers}
    for channel, routes in tables.items():
        for place, route in enumerate(routes, start=1):
            for hop in route.hops:
                provider = by_name.get(hop.name)
                if fault := _fault(provider, channel, route.prefix):
                    yield channel, f"entry {place}: {hop.name} {fault}"


def find_unserved(
    providers: Sequence[Provider],
    channel: Channel,
    *,
    routes: Sequence[Route],
    regions: Sequence[str],
) -> Iterator[str]:
    """Yield the regions none of whose numbers any vendor would carry a message to.

    Routes that are written down must do without the vendor of last resort: they are
    meant for production, where there is none.
    """
    by_name = {provider.name: provider for provider in providers}
    used = routes or [_default(providers, channel, last_resort=True)]
    for region in regions:
        names = {hop.name for hop in _hops_to(region, used)}
        if not any(_serves(by_name[it], region) for it in names & by_name.keys()):
            yield region


def _fault(provider: Provider | None, channel: Channel, prefix: str) -> str | None:
    if provider is None:
        return "is not configured"
    if channel not in provider.channels:
        return f"does not send by {channel}"
    countries = provider.countries
    if countries is None or any(_overlap(prefix, _code(it)) for it in countries):
        return None
    return f"does not send to {prefix}"


def _hops_to(region: str, routes: Sequence[Route]) -> Iterator[Hop]:
    """Yield every hop that some number of a country can come to."""
    code = _code(region)
    general = Prefixes((it.prefix, it) for it in routes).find(code)
    yield from general.hops if general else ()
    for route in routes:
        if route.prefix.startswith(code):
            yield from route.hops


def _default(
    providers: Sequence[Provider], channel: Channel, *, last_resort: bool = False
) -> Route:
    return Route(
        prefix="",
        hops=tuple(
            Hop(it.name)
            for it in providers
            if channel in it.channels and (last_resort or it.name != LAST_RESORT)
        ),
    )


def _serves(provider: Provider, region: str) -> bool:
    return provider.countries is None or region in provider.countries


def _code(region: str) -> str:
    return f"+{phonenumbers.country_code_for_region(region)}"


def _overlap(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)
