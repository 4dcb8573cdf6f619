"""What adaptive routing tells the world; see ``services/events.py``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VendorWeightChanged:
    """A vendor is given less or more of a country's traffic, by one step.

    ``reason`` is errors, slow, undelivered, unconverted or recovered.
    """

    provider: str
    channel: str
    country: str
    before: int
    after: int
    reason: str


@dataclass(frozen=True, slots=True)
class VendorMeasured:
    """What one worker added to a vendor's health, and its weight; counted, not logged.

    ``tries`` are first attempts old enough to tell whether they ``converted``.
    """

    provider: str
    channel: str
    country: str
    weight: int
    judged: int
    delivered: int
    tries: int
    converted: int


@dataclass(frozen=True, slots=True)
class RouteChosen:
    """The adaptive routing chose a vendor, or (not ``obeyed``) would have.

    ``explored``: at random, to learn.
    """

    provider: str
    channel: str
    country: str
    explored: bool
    obeyed: bool
