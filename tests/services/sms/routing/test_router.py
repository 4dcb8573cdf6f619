"""In which order vendors are tried: by configuration, weight and luck."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from services.events import Event
from services.routing_events import RouteChosen
from services.sms.provider import Channel
from services.sms.routing.router import Choice, Hop, Mode, Router
from services.sms.routing.standing import Counts, Standing, VendorStanding
from tests.services.sms.fakes import INDIAN

DRAWS = 4_000
PREFERRED: tuple[Hop, ...] = (("twilio", None), ("vonage", None), ("plivo", None))
SHARED: tuple[Hop, ...] = (("twilio", 60), ("vonage", 30), ("plivo", 10))


class World:
    """A router, and how its vendors stand."""

    def __init__(
        self,
        mode: Mode,
        *,
        shadow: bool = False,
        seed: int = 1,
        **weights: int,
    ) -> None:
        self.vendors: dict[str, VendorStanding] = {
            name: VendorStanding(weight=weight) for name, weight in weights.items()
        }
        self.prices: dict[str, float] = {}
        self.asked: list[tuple[Channel, str]] = []
        self.events: list[Event] = []
        self.router = Router(
            self,
            mode=mode,
            shadow=shadow,
            price_of=lambda vendor, *_: self.prices.get(vendor),
            emit=self.events.append,
            draws=random.Random(seed),  # noqa: S311
            adaptive_draws=random.Random(seed + 1),  # noqa: S311
        )

    def standing(self, channel: Channel, region: str) -> Standing:
        self.asked.append((channel, region))
        return self.vendors

    def order(self, hops: Sequence[Hop] = PREFERRED) -> Choice:
        return self.router.order("sms", INDIAN, hops)

    def firsts(self, hops: Sequence[Hop] = PREFERRED) -> dict[str, float]:
        """The share of sends that each vendor gets first."""
        counts = Counter(self.order(hops).vendors[0] for _ in range(DRAWS))
        return {name: count / DRAWS for name, count in counts.items()}

    def knows(self, vendor: str, tries: float, conversion: float) -> None:
        counts = Counts(tries=tries, converted=tries * conversion)
        self.vendors[vendor] = VendorStanding(long=counts)


def about(share: float) -> Any:
    # More than four standard deviations of what is drawn.
    return pytest.approx(share, abs=0.035)


@pytest.mark.parametrize("mode", ["order", "priorities"])
@pytest.mark.parametrize("hops", [PREFERRED, (("plivo", None), ("twilio", None))])
def test_without_shares_and_trouble_the_order_is_as_configured(
    mode: Mode, hops: Sequence[Hop]
) -> None:
    world = World(mode)

    orders = {world.order(hops) for _ in range(100)}

    assert orders == {Choice(tuple(vendor for vendor, _ in hops))}
    assert set(world.asked) == {("sms", "IN")}


def test_a_fixed_order_heeds_neither_weights_nor_shares() -> None:
    world = World("order", twilio=0)

    assert world.firsts(SHARED) == {"twilio": 1}


def test_shares_divide_the_traffic() -> None:
    firsts = World("priorities").firsts(SHARED)

    assert firsts == {
        "twilio": about(0.6),
        "vonage": about(0.3),
        "plivo": about(0.1),
    }


def test_the_rest_follow_by_share_too() -> None:
    world = World("priorities")
    orders = [world.order(SHARED).vendors for _ in range(DRAWS)]

    after_twilio = [it[1] for it in orders if it[0] == "twilio"]

    assert after_twilio.count("vonage") / len(after_twilio) == about(0.75)


def test_a_pick_is_kept_with_the_chance_of_its_weight() -> None:
    assert World("priorities", twilio=75).firsts() == {
        "twilio": about(0.75),
        "vonage": about(0.25),
    }


def test_a_pick_not_kept_is_drawn_again_among_the_rest() -> None:
    assert World("priorities", twilio=25, vonage=50).firsts() == {
        "twilio": about(0.25),
        "vonage": about(0.75 * 0.5),
        "plivo": about(0.75 * 0.5),
    }


def test_a_vendor_without_weight_stands_last() -> None:
    orders = {World("priorities", twilio=0).order().vendors for _ in range(50)}

    assert orders == {("vonage", "plivo", "twilio")}


def test_the_rest_follow_by_weight_and_preference() -> None:
    world = World("priorities", vonage=50)

    assert world.order().vendors == ("twilio", "plivo", "vonage")


def test_where_none_is_kept_the_one_of_the_most_weight_is_taken() -> None:
    world = World("priorities", twilio=0, vonage=10, plivo=0)

    assert {world.order().vendors for _ in range(50)} == {("vonage", "twilio", "plivo")}


def test_every_vendor_is_in_every_order_once() -> None:
    world = World("adaptive", twilio=50, vonage=0)

    for _ in range(200):
        assert sorted(world.order().vendors) == ["plivo", "twilio", "vonage"]


def test_a_route_without_vendors_has_no_order() -> None:
    assert World("adaptive", shadow=True).order(()) == Choice(())


def test_adaptive_sends_to_who_converts_and_one_in_twenty_at_random() -> None:
    world = World("adaptive")
    world.knows("twilio", 10_000, 0.5)
    world.knows("vonage", 10_000, 0.8)
    world.knows("plivo", 10_000, 0.6)

    choices = [world.order() for _ in range(DRAWS)]

    explored = [it for it in choices if it.explored]
    at_random = Counter(it.vendors[0] for it in explored)
    assert len(explored) / DRAWS == pytest.approx(0.05, abs=0.015)
    assert {it.vendors[0] for it in choices if not it.explored} == {"vonage"}
    assert all(count > len(explored) / 5 for count in at_random.values())
    assert len(at_random) == 3


def test_adaptive_gives_less_to_who_is_not_well() -> None:
    world = World("adaptive")
    world.knows("twilio", 10_000, 0.5)
    world.vendors["vonage"] = VendorStanding(
        weight=25, long=Counts(tries=10_000, converted=8_000)
    )

    firsts = world.firsts(PREFERRED[:2])

    assert firsts["vonage"] == about(0.25 * 0.975)


def test_what_is_known_to_be_out_is_not_explored() -> None:
    world = World("adaptive", twilio=0)
    world.knows("vonage", 10_000, 0.8)

    assert world.firsts(PREFERRED[:2]) == {"vonage": 1}


def test_what_adaptive_chooses_is_told() -> None:
    world = World("adaptive")

    choices = [world.order() for _ in range(200)]

    assert world.events == [
        RouteChosen(it.vendors[0], "sms", "IN", it.explored, obeyed=True)
        for it in choices
    ]


@pytest.mark.parametrize("mode", ["order", "priorities"])
@pytest.mark.parametrize("hops", [PREFERRED, SHARED])
def test_the_shadow_changes_no_traffic(mode: Mode, hops: Sequence[Hop]) -> None:
    plain = World(mode, seed=7, twilio=50, vonage=75)
    shadowed = World(mode, shadow=True, seed=7, twilio=50, vonage=75)

    expected = [plain.order(hops) for _ in range(1_000)]
    actual = [shadowed.order(hops) for _ in range(1_000)]

    assert actual == expected
    assert plain.events == []
    assert len(shadowed.events) == 1_000


def test_the_shadow_tells_what_adaptive_would_have_chosen() -> None:
    shadowed, adaptive = World("priorities", shadow=True), World("adaptive")
    for world in (shadowed, adaptive):
        world.knows("vonage", 50, 0.8)

    for _ in range(500):
        shadowed.order()
        adaptive.order()

    assert [
        (it.provider, it.explored, it.obeyed)
        for it in shadowed.events
        if isinstance(it, RouteChosen)
    ] == [
        (it.provider, it.explored, False)
        for it in adaptive.events
        if isinstance(it, RouteChosen)
    ]
