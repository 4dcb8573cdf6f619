"""Thompson sampling: traffic goes where codes get typed, weighed against the price.

Each vendor's conversion is drawn from what is known of it, a Beta distribution, and the
best draw wins. Little known is a wide distribution, so a new vendor is tried by itself;
much known is a narrow one, so a worse vendor is left. Only first attempts count, and
they are forgotten with a half-life of hours (``HealthRules.long_half_life``).

The method and its price term are those of Signal's registration service
(``AdaptiveStrategy``): half the price is worth five points of conversion.
"""

import math
import random
from collections.abc import Mapping, Sequence

from services.sms.routing.standing import UNKNOWN, Standing

_PRICE_COEFFICIENT = 0.05

# Sends that pick at random, so that a vendor left once is found out when it is better.
EXPLORED_SHARE = 0.05


def thompson_order(
    vendors: Sequence[str],
    standing: Standing,
    prices: Mapping[str, float | None],
    draws: random.Random,
) -> list[str]:
    """Return the vendors, best draw first. A price not known counts as the highest."""
    highest = max((it for it in prices.values() if it is not None), default=0.0)
    scores = {
        vendor: _draw(vendor, standing, _saving(prices.get(vendor), highest), draws)
        for vendor in vendors
    }
    return sorted(vendors, key=scores.__getitem__, reverse=True)


def _saving(price: float | None, highest: float) -> float:
    """Return how many times the highest price would have to be halved."""
    if price is None or price >= highest:
        return 0.0
    return math.log2(highest / price) if price > 0 else math.inf


def _draw(
    vendor: str, standing: Standing, saving: float, draws: random.Random
) -> float:
    long = standing.get(vendor, UNKNOWN).long
    tries = long.tries
    good = long.converted
    # What is free is worth any conversion; and with nothing tried, nothing is known.
    bonus = min(saving * _PRICE_COEFFICIENT, 1.0) * tries
    return draws.betavariate(
        1 + min(good + bonus, tries), 1 + max(tries - good - bonus, 0.0)
    )
