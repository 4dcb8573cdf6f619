"""The people who log in, and what each of them does while no code comes."""

import math
import random
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.simulation.world import COUNTRIES, DAY, HOUR

# Twelve times as many come at four in the afternoon as at four in the morning.
_SWING = 0.85
_BUSIEST_HOUR = 16

# Look away, and do not come back.
_NEVER_TYPE_SHARE = 0.015
_TYPING_MEDIAN_SECONDS = 8.0
_TYPING_SPREAD = 0.5

# How long a button that may be pressed is not, and who leaves instead of pressing it.
_REACTION_SECONDS = (0.5, 6.0)
_LEAVE_SHARES = (0.4, 0.5)
# After the last press.
LAST_WAIT_SECONDS = 60.0
PRESSES = 1 + len(_LEAVE_SHARES)


@dataclass(slots=True)
class Person:
    """Somebody who comes once; what is drawn beforehand is the same in every strategy.

    ``stays`` says of each resend whether the person waits for it to open and presses.
    Moments are seconds since midnight; ``state`` ends as ``done``, ``left`` (nothing
    came) or ``ignored`` (the code came and nobody typed it).
    """

    number: int
    region: str
    phone: str
    came_at: float
    types_after: float | None
    reactions: tuple[float, ...]
    stays: tuple[bool, ...]
    state: Literal["waiting", "typing", "done", "left", "ignored"] = "waiting"
    verification: str | None = None
    presses: int = 0
    code_at: float | None = None
    vendors: list[str] = field(default_factory=list)
    paid: float = 0.0


def draw_people(
    seed: int, how_many: int, *, between: tuple[float, float] = (0.0, DAY)
) -> list[Person]:
    """Return everybody who comes in the day, or in a part of it, first come first."""
    draws = random.Random(f"{seed}/people")
    shares = [it.share for it in COUNTRIES.values()]
    regions = draws.choices([*COUNTRIES], shares, k=how_many)
    moments = [_moment(draws, region, between) for region in regions]
    return [
        _person(draws, number, region, moment)
        for number, (moment, region) in enumerate(
            sorted(zip(moments, regions, strict=True))
        )
    ]


def _moment(draws: random.Random, region: str, between: tuple[float, float]) -> float:
    """Draw when somebody comes: more in the afternoon of the country than at night."""
    ahead = COUNTRIES[region].hours_ahead
    while True:
        moment = draws.uniform(*between)
        hour = moment / HOUR + ahead
        height = 1 + _SWING * math.cos(2 * math.pi * (hour - _BUSIEST_HOUR) / 24)
        if draws.uniform(0, 1 + _SWING) < height:
            return moment


def _person(draws: random.Random, number: int, region: str, moment: float) -> Person:
    typing = draws.lognormvariate(math.log(_TYPING_MEDIAN_SECONDS), _TYPING_SPREAD)
    return Person(
        number=number,
        region=region,
        phone=f"{COUNTRIES[region].numbers}{number:06}",
        came_at=moment,
        types_after=None if draws.random() < _NEVER_TYPE_SHARE else typing,
        reactions=tuple(draws.uniform(*_REACTION_SECONDS) for _ in _LEAVE_SHARES),
        stays=tuple(draws.random() >= share for share in _LEAVE_SHARES),
    )
