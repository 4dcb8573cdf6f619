"""The world of a simulated day: countries, vendors, what they deliver, two outages."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

HOUR = 3_600.0
DAY = 24 * HOUR

# Those whose receipts are signed in four different ways.
VENDORS = ("twilio", "vonage", "plivo", "infobip")

# Sold as "high quality" routes, vendors still lose 1.5 to 12 of 100 messages.
_DELIVERED = (0.88, 0.985)
# Seconds to the handset, half of the messages.
_MEDIAN_SECONDS = (2.0, 6.0)
# One in a hundred takes five times as long as the median.
_DELAY_SPREAD = 0.7
# A vendor's answer: half within 0.15 s, 99 of 100 within 1.5 s.
_ANSWER_MEDIAN, _ANSWER_SPREAD = 0.15, 0.99
# Around the country's usual price.
_PRICE_FACTOR = (0.8, 1.25)

# Of the messages that are lost, those of which a receipt says so. Of the others nobody
# hears.
_TOLD_SHARE = 0.5
_TOLD_MEDIAN_SECONDS = 10.0
# Receipts of delivered messages that come, and how long after the message.
_CONFIRMED_SHARE = 0.97
_CONFIRMED_SECONDS = (0.3, 2.0)


class Country(NamedTuple):
    """``share`` of the logins, hours ahead of UTC, a message's usual price in dollars.

    ``numbers`` is how mobile numbers begin; six digits follow.
    """

    numbers: str
    code: str
    share: float
    hours_ahead: float
    price: float


COUNTRIES: Mapping[str, Country] = {
    "IN": Country("+919876", "+91", 0.34, 5.5, 0.06),
    "ID": Country("+6281234", "+62", 0.14, 7, 0.25),
    "BR": Country("+5511987", "+55", 0.12, -3, 0.05),
    "US": Country("+14152", "+1", 0.12, -6, 0.01),
    "MX": Country("+525512", "+52", 0.08, -6, 0.05),
    "GB": Country("+447400", "+44", 0.08, 0, 0.045),
    "DE": Country("+4915123", "+49", 0.06, 1, 0.09),
    "FR": Country("+33612", "+33", 0.06, 1, 0.075),
}


@dataclass(frozen=True, slots=True)
class Outage:
    """``errors``: every answer is 500. ``silence``: all is taken, and lost untold."""

    vendor: str
    kind: Literal["errors", "silence"]
    begins: float
    ends: float

    def covers(self, moment: float) -> bool:
        """Tell whether it lasts at a moment, in seconds since midnight."""
        return self.begins <= moment < self.ends


OUTAGES = (
    Outage("twilio", "errors", 10 * HOUR, 10 * HOUR + 20 * 60),
    Outage("vonage", "silence", 14 * HOUR, 15 * HOUR),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One vendor in one country."""

    delivered: float
    median_seconds: float
    price: float


class Fate(NamedTuple):
    """What becomes of one message; seconds count from the vendor's answer.

    ``arrives`` is None where it is lost, ``receipt`` where the vendor says nothing.
    """

    arrives: float | None
    receipt: float | None


class World:
    """All that is true, and that nobody but the oracle knows."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        draws = random.Random(f"{seed}/world")
        self.lines = {
            (vendor, region): Line(
                delivered=draws.uniform(*_DELIVERED),
                median_seconds=draws.uniform(*_MEDIAN_SECONDS),
                price=round(country.price * draws.uniform(*_PRICE_FACTOR), 5),
            )
            for region, country in COUNTRIES.items()
            for vendor in VENDORS
        }
        self.orders = _orders(draws)

    def outage(self, vendor: str, moment: float) -> Outage | None:
        """Return what is wrong with a vendor at a moment."""
        found = (it for it in OUTAGES if it.vendor == vendor and it.covers(moment))
        return next(found, None)

    def best(self, region: str, moment: float) -> str:
        """Name who delivers most now; of equals the cheapest."""

        def worth(vendor: str) -> tuple[float, float]:
            line = self.lines[vendor, region]
            down = self.outage(vendor, moment)
            return 0.0 if down else line.delivered, -line.price

        return max(VENDORS, key=worth)

    def answer_seconds(self, person: int, vendor: str, nth: int) -> float:
        """Return how long a vendor takes to answer the nth request for a person."""
        draws = random.Random(f"{self._seed}/answer/{person}/{vendor}/{nth}")
        return _lognormal(draws, _ANSWER_MEDIAN, _ANSWER_SPREAD)

    def fate(
        self, person: int, region: str, vendor: str, nth: int, moment: float
    ) -> Fate:
        """Decide a vendor's nth message to a person, the same in every strategy."""
        draws = random.Random(f"{self._seed}/message/{person}/{vendor}/{nth}")
        line = self.lines[vendor, region]
        is_lost = draws.random() >= line.delivered
        arrives = _lognormal(draws, line.median_seconds, _DELAY_SPREAD)
        is_told = draws.random() < (_TOLD_SHARE if is_lost else _CONFIRMED_SHARE)
        told = _lognormal(draws, _TOLD_MEDIAN_SECONDS, _DELAY_SPREAD)
        confirmed = arrives + draws.uniform(*_CONFIRMED_SECONDS)
        if self.outage(vendor, moment):
            return Fate(None, None)
        if is_lost:
            return Fate(None, told if is_told else None)
        return Fate(arrives, confirmed if is_told else None)


def _orders(draws: random.Random) -> Mapping[str, Sequence[str]]:
    """Draw the operator's order of preference in each country.

    It is a guess, as good as any, but each vendor is first in two countries, so that
    each outage meets somebody's first choice.
    """
    firsts = [*VENDORS, *VENDORS]
    draws.shuffle(firsts)
    orders = {}
    for region, first in zip(COUNTRIES, firsts, strict=True):
        others = [it for it in VENDORS if it != first]
        draws.shuffle(others)
        orders[region] = (first, *others)
    return orders


def _lognormal(draws: random.Random, median: float, spread: float) -> float:
    return draws.lognormvariate(math.log(median), spread)
