"""SMS pumping: who is paid for messages to their own numbers, and how they hide it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.abuse.addresses import Address, stranger
from benchmarks.abuse.countries import BLOCK_SIZE, draw_blocks, number_in
from benchmarks.abuse.customers import LOGINS_A_DAY, draw_customers
from benchmarks.simulation.world import DAY, HOUR

# A country that the shop serves, where messages are dear.
_REGION = "ID"
# The busiest hour of the shop's day.
_BEGINS = 13 * HOUR


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message that an attacker asks for, and whether its code is typed."""

    at: float
    phone: str
    address: Address
    types: bool = False


@dataclass(frozen=True, slots=True)
class Pump:
    """An attack: what it is, when, on top of how many honest logins a day.

    ``wanted``: the issue names it; the others are harder ones of our own. ``is_sly``: a
    code is typed, too, where none came for a while, as what lifts a block might be.
    """

    name: str
    title: str
    begins: float
    ends: float
    logins_a_day: int
    attempts: Sequence[Attempt]
    is_sly: bool = False
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class _Plan:
    title: str
    messages: int
    addresses: int
    numbers: Callable[[random.Random, int, int], Iterator[str]]
    begins: float = _BEGINS
    seconds: float = HOUR
    typed_share: float = 0.0
    is_sly: bool = False
    wanted: bool = True


def draw_pump(name: str, seed: int, scale: float) -> Pump:
    """Return an attack; ``scale`` makes it and the honest day smaller."""
    plan = _PLANS[name]
    draws = random.Random(f"{seed}/{name}")
    how_many = max(1, round(plan.messages * scale))
    addresses = max(1, round(plan.addresses * scale))
    logins = max(100, round(LOGINS_A_DAY * scale))
    numbers = plan.numbers(draws, seed, logins)
    attempts = [
        Attempt(
            at=plan.begins + (place + draws.random()) * plan.seconds / how_many,
            phone=next(numbers),
            address=stranger(place % addresses),
            types=draws.random() < plan.typed_share,
        )
        for place in range(how_many)
    ]
    return Pump(
        name=name,
        title=plan.title,
        begins=plan.begins,
        ends=plan.begins + plan.seconds,
        logins_a_day=logins,
        attempts=attempts,
        is_sly=plan.is_sly,
        wanted=plan.wanted,
    )


def _sequential(draws: random.Random, *_: int) -> Iterator[str]:
    (block,) = draw_blocks(draws, _REGION, 1)
    while True:
        yield from (number_in(block, it) for it in range(BLOCK_SIZE))


def _among_few(draws: random.Random, seed: int, logins: int) -> Iterator[str]:
    """Yield random numbers of a block in which some customers of the day live, too."""
    return _among_customers(draws, seed, logins, most=20)


def _among_many(draws: random.Random, seed: int, logins: int) -> Iterator[str]:
    """Yield random numbers of a block in which very many of them live."""
    return _among_customers(draws, seed, logins, most=BLOCK_SIZE)


def _among_customers(
    draws: random.Random, seed: int, logins: int, *, most: int
) -> Iterator[str]:
    phones = [it.phone for it in draw_customers(seed, logins) if it.region == _REGION]
    blocks = Counter(it[:-4] for it in phones)
    _, block = max((count, block) for block, count in blocks.items() if count <= most)
    return _random_in(draws, [block], avoid=frozenset(phones))


def _random_over(blocks: int) -> Callable[[random.Random, int, int], Iterator[str]]:
    def numbers(draws: random.Random, *_: int) -> Iterator[str]:
        return _random_in(draws, draw_blocks(draws, _REGION, blocks))

    return numbers


def _random_in(
    draws: random.Random,
    blocks: Sequence[str],
    avoid: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Yield numbers of each block in turn; an attacker does not own customers'."""
    while True:
        for block in blocks:
            number = number_in(block, draws.randrange(BLOCK_SIZE))
            while number in avoid:
                number = number_in(block, draws.randrange(BLOCK_SIZE))
            yield number


_PLANS: Mapping[str, _Plan] = {
    "sequential": _Plan(
        "sequential numbers: 10,000 in an hour, from 20 addresses",
        messages=10_000,
        addresses=20,
        numbers=_sequential,
    ),
    "random": _Plan(
        "random numbers in one prefix where customers live: 6,000 in an hour, from"
        " 100 addresses",
        messages=6_000,
        addresses=100,
        numbers=_among_few,
    ),
    "slow": _Plan(
        "slow and low: one message every 17 s for 24 h to one prefix, from 500"
        " addresses",
        messages=5_000,
        addresses=500,
        numbers=_random_over(1),
        begins=0.0,
        seconds=DAY,
    ),
    "addresses": _Plan(
        "over 5,000 addresses: 10,000 in an hour to 4 prefixes",
        messages=10_000,
        addresses=5_000,
        numbers=_random_over(4),
    ),
    "typed": _Plan(
        "with typed codes on a tenth: 10,000 in an hour to one prefix, from 500"
        " addresses",
        messages=10_000,
        addresses=500,
        numbers=_random_over(1),
        typed_share=0.1,
    ),
    "crowd": _Plan(
        "random numbers in one prefix where 200 customers of the day live: 6,000 in an"
        " hour, from 100 addresses",
        messages=6_000,
        addresses=100,
        numbers=_among_many,
        wanted=False,
    ),
    "sly": _Plan(
        "with typed codes on a tenth, and on whatever comes after two minutes of none:"
        " 10,000 in an hour to one prefix, from 500 addresses",
        messages=10_000,
        addresses=500,
        numbers=_random_over(1),
        typed_share=0.1,
        is_sly=True,
        wanted=False,
    ),
    "fifty": _Plan(
        "over 50 prefixes at once: 10,000 in an hour, from 2,000 addresses",
        messages=10_000,
        addresses=2_000,
        numbers=_random_over(50),
        wanted=False,
    ),
    "hidden": _Plan(
        "below every count: 24 an hour to each of 8 prefixes for 24 h, from 480"
        " addresses",
        messages=4_608,
        addresses=480,
        numbers=_random_over(8),
        begins=0.0,
        seconds=DAY,
        wanted=False,
    ),
}

PUMPS = tuple(_PLANS)
