"""The honest people of a day: who they are, when they come, and what they do."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.abuse.addresses import Address, draw_addresses
from benchmarks.abuse.countries import BLOCK_SIZE, COUNTRIES, draw_blocks, number_in
from benchmarks.simulation.world import DAY, HOUR

LOGINS_A_DAY = 50_000

# Twelve times as many come at four in the afternoon as at four in the morning.
_SWING, _BUSIEST_HOUR = 0.85, 16

# Logged in before; of those, still on the device that they logged in on.
_KNOWN_SHARE, _DEVICE_SHARE = 0.6, 1 / 3
# When that was, at most a month ago. Their logins of the last week are what is usual.
_LAST_LOGIN_DAYS = (1.1, 28.0)

_NEVER_TYPE_SHARE = 0.015
_TYPING_MEDIAN_SECONDS, _TYPING_SPREAD = 8.0, 0.5
# Wrong codes before the right one.
_MISTAKES: Mapping[int, float] = {0: 0.94, 1: 0.05, 3: 0.01}

# How long a button that may be pressed is not, and who leaves instead of pressing it.
_REACTION_SECONDS = (0.5, 6.0)
_LEAVE_SHARES = (0.4, 0.5)
PRESSES = 1 + len(_LEAVE_SHARES)

# Where a company, a town or a campaign has its numbers: so many customers of a day in
# one block, in one block of so many customers.
_DENSE_CUSTOMERS, _DENSE_PER = 200, 2_500
_SPARSE_CUSTOMERS = 6


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who logs in once on this day, and what they bring to it.

    Moments are seconds since midnight; ``last_login`` is before it, None for who never
    logged in; ``types_after`` None for who never types. ``stays`` says of each resend
    whether they wait for it to open and press it.
    """

    number: int
    region: str
    phone: str
    address: Address
    came_at: float
    last_login: float | None
    has_device: bool
    types_after: float | None
    mistakes: int
    reactions: tuple[float, ...]
    stays: tuple[bool, ...]


@lru_cache(maxsize=2)
def draw_customers(seed: int, how_many: int) -> tuple[Customer, ...]:
    """Return everybody who comes in a day, first come first."""
    draws = random.Random(f"{seed}/customers")
    shares = [it.share for it in COUNTRIES.values()]
    drawn = draws.choices([*COUNTRIES], shares, k=how_many)
    moments = [_moment(draws, region) for region in drawn]
    comers = sorted(zip(moments, drawn, strict=True))
    regions = [region for _, region in comers]
    phones = _phones(draws, regions)
    addresses = draw_addresses(draws, regions)
    return tuple(
        _customer(
            draws,
            number,
            came_at=came_at,
            region=region,
            phone=phone,
            address=address,
        )
        for number, ((came_at, region), phone, address) in enumerate(
            zip(comers, phones, addresses, strict=True)
        )
    )


def ordinary_spend(customers: tuple[Customer, ...]) -> dict[str, float]:
    """Return what a message to each of them costs, by country, in dollars."""
    spend = dict.fromkeys(COUNTRIES, 0.0)
    for it in customers:
        spend[it.region] += COUNTRIES[it.region].price
    return spend


def _moment(draws: random.Random, region: str) -> float:
    """Draw when somebody comes: more in the afternoon of the country than at night."""
    ahead = COUNTRIES[region].hours_ahead
    while True:
        moment = draws.uniform(0, DAY)
        hour = moment / HOUR + ahead
        height = 1 + _SWING * math.cos(2 * math.pi * (hour - _BUSIEST_HOUR) / 24)
        if draws.uniform(0, 1 + _SWING) < height:
            return moment


def _phones(draws: random.Random, regions: list[str]) -> list[str]:
    """Give everybody a number: most blocks have few customers, some very many."""
    waiting = {
        region: _numbers(draws, region, regions.count(region)) for region in COUNTRIES
    }
    return [waiting[region].pop() for region in regions]


def _numbers(draws: random.Random, region: str, how_many: int) -> list[str]:
    dense = how_many // _DENSE_PER
    sparse = max(10, (how_many - dense * _DENSE_CUSTOMERS) // _SPARSE_CUSTOMERS)
    blocks = draw_blocks(draws, region, dense + sparse)
    found = {
        number_in(block, number): None
        for block in blocks[:dense]
        for number in draws.sample(range(BLOCK_SIZE), _DENSE_CUSTOMERS)
    }
    while len(found) < how_many:
        block = draws.choice(blocks[dense:])
        found[number_in(block, draws.randrange(BLOCK_SIZE))] = None
    numbers = list(found)
    draws.shuffle(numbers)
    return numbers


def _customer(
    draws: random.Random,
    number: int,
    *,
    came_at: float,
    region: str,
    phone: str,
    address: Address,
) -> Customer:
    typing = draws.lognormvariate(math.log(_TYPING_MEDIAN_SECONDS), _TYPING_SPREAD)
    is_known = draws.random() < _KNOWN_SHARE
    last_login = -draws.uniform(*_LAST_LOGIN_DAYS) * DAY
    return Customer(
        number=number,
        region=region,
        phone=phone,
        address=address,
        came_at=came_at,
        last_login=last_login if is_known else None,
        has_device=is_known and draws.random() < _DEVICE_SHARE,
        types_after=None if draws.random() < _NEVER_TYPE_SHARE else typing,
        mistakes=draws.choices([*_MISTAKES], [*_MISTAKES.values()])[0],
        reactions=tuple(draws.uniform(*_REACTION_SECONDS) for _ in _LEAVE_SHARES),
        stays=tuple(draws.random() >= share for share in _LEAVE_SHARES),
    )
