"""Guessing at everybody: when the service escalates, and what it is worth (A02)."""

import pytest

from services.abuse_events import GuessingChanged
from tests.services.abuse.world import HERE, World, far_phone, rule
from tests.services.stores import Store

ON = {"wrong_checks_global": rule("challenge", (20, 3_600))}


def guess(it: World, count: int, *, digits: int = 6) -> None:
    for number in range(count):
        it.guard.count_wrong_check(HERE, far_phone(number), digits=digits)


def test_too_many_wrong_checks_escalate_for_everybody(store: Store) -> None:
    it = World(store, ON)
    guess(it, 19)
    assert not it.send(far_phone(1)).escalated

    guess(it, 1)

    assert it.verdict(far_phone(1)) == "challenge wrong_checks_global"
    assert it.send(far_phone(1), solution_key="key").escalated
    assert it.guard.admit_check(HERE, far_phone(1), "tag").check_wait == 0
    told = [e for e in store.events if isinstance(e, GuessingChanged)]
    assert [(e.escalated, e.wrong_checks) for e in told] == [(True, 20)]


def test_it_comes_down_by_itself(store: Store) -> None:
    it = World(store, ON)
    guess(it, 25)
    store.clock.advance(1_700)
    assert it.guessing.look().escalated

    store.clock.advance(3_700)

    assert not it.guessing.look().escalated
    assert it.verdict(far_phone(1)) == "pass"
    told = [e for e in store.events if isinstance(e, GuessingChanged)]
    assert [e.escalated for e in told] == [True, False]


def test_known_devices_are_not_challenged_meanwhile(store: Store) -> None:
    it = World(store, ON)
    it.send_and_type(far_phone(1))
    guess(it, 20)

    assert it.verdict(far_phone(1), knows_device=True) == "pass"
    assert it.verdict(far_phone(1)) == "challenge wrong_checks_global"


def test_a_large_service_is_not_escalated_for_what_is_usual_there(
    store: Store,
) -> None:
    it = World(store, {"wrong_checks_global": rule("challenge", (4, 3_600))})
    for _ in range(24 * 10):
        guess(it, 3)
        for _ in range(12):
            store.scripts.run(it.guessing.right_call())
        store.clock.advance(3_900)

    assert it.guessing.look().threshold >= 6


def test_who_guesses_patiently_does_not_make_guessing_usual(store: Store) -> None:
    it = World(store, {"wrong_checks_global": rule("challenge", (4, 3_600))})
    for _ in range(24 * 10):
        guess(it, 3)
        store.clock.advance(3_900)

    assert it.guessing.look().threshold == 4


@pytest.mark.parametrize(("digits", "worth"), [(6, 25e-6), (8, 25e-8)])
def test_expected_takeovers_weigh_each_guess_with_its_chance(
    store: Store, digits: int, worth: float
) -> None:
    it = World(store, {})
    guess(it, 25, digits=digits)

    assert it.guessing.look().expected_takeovers == pytest.approx(worth)
    store.clock.advance(90_000)
    assert it.guessing.look().expected_takeovers == 0


def test_watching_it_escalates_nothing(store: Store) -> None:
    it = World(store, {"wrong_checks_global": rule("monitor", (20, 3_600))})
    guess(it, 20)

    room = it.send(far_phone(1))

    assert not room.escalated
    # What the gauge and the report show: how it is, and not how it would be.
    guesses = it.guessing.look()
    assert (guesses.escalated, guesses.until, guesses.wrong_checks_hour) == (
        False,
        0,
        20,
    )
    told = [e for e in store.events if isinstance(e, GuessingChanged)]
    assert [(e.escalated, e.shadow) for e in told] == [(True, True)]
