"""In which order the vendors of a country are tried for a first attempt."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from services.events import Emit
from services.routing_events import RouteChosen
from services.sms.provider import Channel
from services.sms.routing.adaptive import EXPLORED_SHARE, thompson_order
from services.sms.routing.standing import RESTING_WEIGHT, UNKNOWN, Standing
from utils.phone import PhoneNumber

# ``order``: as configured, always. ``priorities``: as configured, but with less for who
# is not well. ``adaptive``: to who converts best for the money.
Mode = Literal["order", "priorities", "adaptive"]

# A vendor, and its share of the traffic relative to the others' of its route. One
# without a share stands behind those that have one.
Hop = tuple[str, float | None]

# What a vendor charges for a message, all in one currency; None where it is not known.
PriceOf = Callable[[str, PhoneNumber, Channel], float | None]


class Standings(Protocol):
    """Knows how vendors stand; ``VendorHealth`` does."""

    def standing(self, channel: Channel, region: str) -> Standing:
        """Tell it, at no round trip's cost."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The vendors in the order to try them; ``explored``: the first is at random."""

    vendors: tuple[str, ...]
    explored: bool = False


class Router:
    """Orders vendors by configuration, health and luck. Safe to share between threads.

    With ``shadow``, what ``adaptive`` would have chosen is told and not obeyed. It
    draws from ``adaptive_draws`` alone, and so changes nothing of what is obeyed.
    """

    def __init__(
        self,
        health: Standings,
        *,
        mode: Mode,
        shadow: bool,
        price_of: PriceOf,
        emit: Emit,
        draws: random.Random,
        adaptive_draws: random.Random,
    ) -> None:
        self._health = health
        self._mode = mode
        self._shadow = shadow
        self._price_of = price_of
        self._emit = emit
        self._draws = draws
        self._adaptive_draws = adaptive_draws

    def order(
        self, channel: Channel, phone: PhoneNumber, hops: Sequence[Hop]
    ) -> Choice:
        """Choose the order of ``hops``, which stand in the order of preference.

        It is meant for a first attempt: a resend avoids who was used already.
        """
        standing = self._health.standing(channel, phone.region)
        if not hops:
            return Choice(())
        if self._mode == "adaptive":
            return self._adaptive(channel, phone, hops, standing)
        if self._shadow:
            self._adaptive(channel, phone, hops, standing)
        if self._mode == "order":
            return Choice(tuple(vendor for vendor, _ in hops))
        wanted = _by_share(hops, self._draws)
        return Choice(_kept(wanted, standing, self._draws))

    def _adaptive(
        self,
        channel: Channel,
        phone: PhoneNumber,
        hops: Sequence[Hop],
        standing: Standing,
    ) -> Choice:
        draws = self._adaptive_draws
        vendors = [vendor for vendor, _ in hops]
        explored = draws.random() < EXPLORED_SHARE
        if explored:
            draws.shuffle(vendors)
        else:
            prices = {it: self._price_of(it, phone, channel) for it in vendors}
            vendors = thompson_order(vendors, standing, prices, draws)
        choice = Choice(_kept(vendors, standing, draws), explored)
        self._emit(
            RouteChosen(
                provider=choice.vendors[0],
                channel=channel,
                country=phone.region,
                explored=explored,
                obeyed=self._mode == "adaptive",
            )
        )
        return choice


def _by_share(hops: Sequence[Hop], draws: random.Random) -> list[str]:
    """Draw an order by the configured shares; without any, that of preference."""
    # Each falls due at random, at the rate of its share: the first due is drawn by
    # share, and the next is by share of the rest.
    due = {
        vendor: -math.log(1 - draws.random()) / share for vendor, share in hops if share
    }
    return sorted((vendor for vendor, _ in hops), key=lambda it: due.get(it, math.inf))


def _kept(
    wanted: Sequence[str], standing: Standing, draws: random.Random
) -> tuple[str, ...]:
    """Keep the first wanted with its weight's chance, else the next; the rest follow.

    Where chance keeps none the one of the most weight is taken: somebody has to be.
    """
    weights = {it: standing.get(it, UNKNOWN).weight for it in wanted}
    behind = sorted(wanted, key=weights.__getitem__, reverse=True)
    for vendor in wanted:
        if _is_kept(weights[vendor], draws):
            behind.remove(vendor)
            return vendor, *behind
    return tuple(behind)


def _is_kept(weight: int, draws: random.Random) -> bool:
    # A vendor at rest costs no draw.
    return weight >= RESTING_WEIGHT or draws.random() * RESTING_WEIGHT < weight
