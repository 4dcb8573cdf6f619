"""What the defence says of itself, on both stores."""

from collections.abc import Mapping

import pytest

from services.abuse.report import Reports, Spend
from services.abuse.rules import Rule
from tests.services.abuse.world import World, far_phone, money, rule
from tests.services.stores import Store

RULES: Mapping[str, Rule] = {
    "sends_per_ip": rule("block", (2, 600)),
    "sends_global": rule("monitor", (1, 600)),
    "spend_global": money("block", (10, 3_600), (50, 86_400)),
    # Who has not spent anything is named only where their cap is of their own.
    "spend_per_country": Rule(
        "block", ((9_000_000, 60),), {"AE": ((5_000_000, 3_600),)}
    ),
    "spend_per_caller": Rule("block", (), {"svc-call": ((5_000_000, 3_600),)}),
}


@pytest.fixture
def world(store: Store) -> World:
    return World(store, RULES)


@pytest.fixture
def reports(world: World) -> Reports:
    return Reports(
        world.store.scripts,
        policy=lambda: world.policy,
        blocks=world.blocks,
        guessing=world.guessing,
        subjects={"country": lambda: ["IN", "AE"], "caller": lambda: ["svc-shop"]},
        offset_seconds=world.store.offset,
    )


def test_on_a_quiet_day_there_are_caps_and_nothing_else(reports: Reports) -> None:
    report = reports.read(2)

    assert (list(report.blocks), list(report.tallies)) == ([], [])
    assert report.guesses.wrong_checks_hour == 0
    assert report.spends == [
        Spend("spend_per_country", "AE", 3_600, 0, 0, 5),
        Spend("spend_per_caller", "svc-call", 3_600, 0, 0, 5),
        Spend("spend_global", "", 3_600, 0, 0, 10),
        Spend("spend_global", "", 86_400, 0, 0, 50),
    ]


def test_what_is_held_and_spent_is_told_by_cap(world: World, reports: Reports) -> None:
    ask = world.ask(far_phone(1), cost_micros=500_000)
    room = world.guard.admit_send(ask)
    held = {
        it.subject: it for it in reports.read(1).spends if it.window_seconds == 3600
    }
    assert (held[""].spent, held[""].held) == (0, 0.5)

    world.aftermath.settle(ask, room, 300_000)
    world.settle()

    spends = {(it.rule, it.window_seconds): it for it in reports.read(1).spends}
    for window in (3_600, 86_400):
        found = spends["spend_global", window]
        assert (found.spent, found.held) == (0.3, 0)


def test_refusals_and_what_monitor_let_by_are_apart(
    world: World, reports: Reports
) -> None:
    for number in range(4):
        world.verdict(far_phone(number), cost_micros=500_000)

    found = {
        (it.rule, it.verdict, it.shadow): (it.sends, it.saved)
        for it in reports.read(1).tallies
    }

    assert found == {
        ("sends_per_ip", "block", False): (2, 1.0),
        ("sends_global", "block", True): (1, 0.5),
    }


def test_days_are_told_apart_as_far_as_is_asked(world: World, reports: Reports) -> None:
    for day in range(3):
        for number in range(3 + day):
            world.verdict(far_phone(number))
        world.store.clock.advance(86_400)

    def refused(days: int) -> list[int]:
        tallies = reports.read(days).tallies
        return [it.sends for it in tallies if not it.shadow]

    assert refused(1) == []
    assert refused(2) == [3]
    assert refused(8) == [3, 2, 1]
    begins = [it.begins for it in reports.read(8).tallies if not it.shadow]
    assert begins[0] - begins[1] == begins[1] - begins[2] == 86_400
    assert all(it % 86_400 == 0 for it in begins)


def test_fields_of_another_kind_break_no_report(world: World, reports: Reports) -> None:
    world.store.client.hset("tally:{all}", mapping={"x": "1", "99999999|y": "z"})

    assert reports.read(8).tallies == []


def test_a_report_is_three_round_trips(world: World, reports: Reports) -> None:
    world.store.events.clear()

    reports.read(2)

    assert len(world.store.events) == 3
