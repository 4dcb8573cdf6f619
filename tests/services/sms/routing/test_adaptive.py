"""Whether traffic finds the vendor that converts, and how fast it leaves one.

Seeded: what is random in the world and in the routing comes out the same every time.
The bounds leave room for other seeds.
"""

import random
from collections.abc import Mapping

import pytest

from services.sms.provider import Channel
from services.sms.routing.adaptive import thompson_order
from services.sms.routing.router import Hop, Router
from services.sms.routing.rules import HealthRules
from services.sms.routing.standing import Counts, Route, Standing, VendorStanding
from tests.services.sms.fakes import INDIAN
from tests.services.sms.routing.workers import VENDORS, Worker
from tests.services.stores import Store

DRAWS = 3_000
HOPS: tuple[Hop, ...] = tuple((vendor, None) for vendor in VENDORS)
NO_STEPS = HealthRules(step_down=0)


def standing_of(**counts: tuple[float, float]) -> Standing:
    """Standings by (tries, converted)."""
    return {
        name: VendorStanding(long=Counts(tries=tries, converted=converted))
        for name, (tries, converted) in counts.items()
    }


def share_of(
    vendor: str, standing: Standing, prices: Mapping[str, float | None]
) -> float:
    """How often a vendor is drawn first."""
    draws = random.Random(3)  # noqa: S311
    names = sorted({*standing, *prices})
    firsts = [thompson_order(names, standing, prices, draws)[0] for _ in range(DRAWS)]
    return firsts.count(vendor) / DRAWS


# The first two are what Signal's own sampling comes to, by simulation.
@pytest.mark.parametrize(
    ("cheap", "price", "share"),
    [
        ((100, 70), 0.5, 0.49),
        ((100, 70), 0.25, 0.80),
        ((100, 70), 1.0, 0.21),
        ((100, 70), None, 0.21),
        ((100, 0), 0.5, 0.0),
        ((100, 10), 0.0, 1.0),
    ],
)
def test_half_the_price_is_worth_five_points_of_conversion(
    cheap: tuple[float, float], price: float | None, share: float
) -> None:
    standing = standing_of(good=(100, 75), cheap=cheap)

    drawn = share_of("cheap", standing, {"good": 1.0, "cheap": price})

    assert drawn == pytest.approx(share, abs=0.035)


def test_no_price_makes_anybody_better_than_sure() -> None:
    standing = standing_of(paid=(100, 10), a=(100, 90), b=(100, 10))

    drawn = share_of("a", standing, {"paid": 1.0, "a": 0.0, "b": 0.0})

    assert drawn == pytest.approx(0.5, abs=0.035)


def test_without_any_price_conversion_alone_decides() -> None:
    standing = standing_of(a=(1_000, 700), b=(1_000, 600))

    assert share_of("a", standing, {"a": None, "b": None}) > 0.99


def test_who_is_new_is_tried() -> None:
    standing = standing_of(known=(1_000, 700))

    drawn = share_of("new", standing, {"known": None, "new": None})

    assert drawn == pytest.approx(0.3, abs=0.035)


def test_a_count_that_came_early_breaks_nothing() -> None:
    standing = standing_of(a=(0.0, 1.0), b=(0.5, 1.0))

    assert 0 < share_of("a", standing, {"a": 1.0, "b": 0.0}) < 1


class World:
    """People who log in by adaptive routing, at a steady pace."""

    def __init__(self, store: Store, rules: HealthRules | None = None) -> None:
        self.worker = Worker(store, rules=rules)
        self.clock = store.clock
        self.luck = random.Random(11)  # noqa: S311
        self.router = Router(
            self.worker.health,
            mode="adaptive",
            shadow=False,
            price_of=lambda *_: None,
            emit=lambda event: None,
            draws=random.Random(12),  # noqa: S311
            adaptive_draws=random.Random(13),  # noqa: S311
        )
        self.channel: Channel = "sms"

    def run(
        self, sends: int, *, every: float, flush: float = 4, **conversion: float
    ) -> dict[str, float]:
        """Send, have codes typed by each vendor's chance, and return the shares."""
        firsts = dict.fromkeys(VENDORS, 0)
        waited = 0.0
        for _ in range(sends):
            first = self.router.order(self.channel, INDIAN, HOPS).vendors[0]
            firsts[first] += 1
            route = Route(self.channel, "IN", first)
            self.worker.send(route)
            if self.luck.random() < conversion[first]:
                self.worker.health.converted(route, first=True, age_seconds=15)
            self.clock.advance(every)
            waited += every
            if waited >= flush:
                self.worker.flush()
                waited = 0.0
        return {name: count / sends for name, count in firsts.items()}


def test_traffic_comes_to_the_vendor_that_converts(real_store: Store) -> None:
    world = World(real_store, NO_STEPS)
    world.run(1_500, every=2, twilio=0.6, vonage=0.75)

    shares = world.run(1_000, every=2, twilio=0.6, vonage=0.75)

    assert shares["vonage"] >= 0.75


def test_traffic_follows_when_the_better_one_changes(real_store: Store) -> None:
    world = World(real_store, NO_STEPS)
    # A day of one login a minute, and then half a day of the opposite.
    world.run(1_440, every=60, flush=60, twilio=0.8, vonage=0.5)
    before = world.run(60, every=60, flush=60, twilio=0.8, vonage=0.5)
    world.run(660, every=60, flush=60, twilio=0.5, vonage=0.8)

    after = world.run(120, every=60, flush=60, twilio=0.5, vonage=0.8)

    assert before["twilio"] >= 0.75
    assert after["vonage"] >= 0.75


def test_a_vendor_that_accepts_and_delivers_nothing_is_left_in_minutes(
    real_store: Store,
) -> None:
    world = World(real_store)
    world.run(1_800, every=1, twilio=0.9, vonage=0.8)
    before = world.run(60, every=1, twilio=0.9, vonage=0.8)
    # A minute until anything can be judged, two until it shows, two of stepping down.
    world.run(300, every=1, twilio=0.0, vonage=0.8)

    during = world.run(120, every=1, twilio=0.0, vonage=0.8)

    assert before["twilio"] >= 0.75
    assert during["twilio"] <= 0.1


def test_a_vendor_that_is_well_again_gets_its_traffic_back(real_store: Store) -> None:
    world = World(real_store)
    world.run(1_800, every=1, twilio=0.9, vonage=0.6)
    world.run(600, every=1, twilio=0.0, vonage=0.6)

    world.run(3_600, every=1, twilio=0.9, vonage=0.6)
    after = world.run(300, every=1, twilio=0.9, vonage=0.6)

    assert world.worker.of(Route("sms", "IN", "twilio")).weight == 100
    assert after["twilio"] >= 0.75
