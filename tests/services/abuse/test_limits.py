"""The shared counters, on the embedded store and on a real server."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.abuse.limits import Limit, Limits, Standing, Use
from services.scripts import Reply
from tests.services.stores import Store, open_embedded
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

TEN_MINUTES = ((3, 600),)


def take(
    store: Store, *uses: Use, force: bool = False, returning: int | None = None
) -> tuple[bool, list[Standing]]:
    reply = run(store, *uses, force=force, returning=returning)
    return reply["taken"], Limits.read(uses, reply)


def run(
    store: Store, *uses: Use, force: bool = False, returning: int | None = None
) -> Reply:
    limits = Limits(offset_seconds=store.offset)
    return store.scripts.run(limits.call(uses, force=force, returning=returning))


def rule(
    name: str = "sends",
    windows: tuple[tuple[int, int], ...] = TEN_MINUTES,
    *,
    taken: bool = True,
) -> Use:
    return Use(Limit(name, windows), "someone", take=taken)


def test_units_are_taken_until_there_are_none(store: Store) -> None:
    granted = [take(store, rule())[0] for _ in range(4)]

    assert granted == [True, True, True, False]


def test_all_are_taken_or_none(store: Store) -> None:
    for _ in range(3):
        take(store, rule("scarce"))

    granted, standings = take(store, rule("plenty", ((9, 600),)), rule("scarce"))

    assert not granted
    assert standings[0].quotas()[0].left == 9


def test_looking_takes_nothing(store: Store) -> None:
    for _ in range(9):
        _, standings = take(store, rule(taken=False))

    assert standings[0].quotas()[0].left == 3
    assert not store.dump()


def test_force_counts_what_has_happened_already(store: Store) -> None:
    for _ in range(5):
        take(store, rule(), force=True)

    granted, standings = take(store, rule())

    assert not granted
    assert standings[0].quotas()[0].left == 0


@pytest.mark.parametrize("later", [0, 61, 500])
def test_a_unit_is_given_back_to_the_tenth_it_was_taken_from(
    store: Store, later: int
) -> None:
    taken_at = run(store, rule())["at_ms"]
    store.clock.advance(later)
    take(store, rule())

    take(store, rule(), returning=taken_at)

    left = [take(store, rule(taken=False))[1][0].quotas()[0].left]
    store.clock.advance(661 - later)
    left.append(take(store, rule(taken=False))[1][0].quotas()[0].left)
    assert left == [2, 2 if later else 3]


def test_nothing_is_given_back_that_was_not_taken(store: Store) -> None:
    now = run(store, rule(taken=False))["at_ms"]
    for _ in range(5):
        take(store, rule(), returning=now)

    granted = [take(store, rule())[0] for _ in range(4)]

    assert granted == [True, True, True, False]


def test_the_wait_that_is_told_is_enough(store: Store) -> None:
    for _ in range(3):
        take(store, rule())
        store.clock.advance(7)
    _, standings = take(store, rule())

    store.clock.advance(standings[0].wait_seconds)

    assert take(store, rule())[0]


def test_the_wait_is_never_much_longer_than_the_window(store: Store) -> None:
    for _ in range(3):
        take(store, rule())

    _, standings = take(store, rule())

    assert 600 <= standings[0].wait_seconds <= 660


def test_the_longest_of_several_windows_binds(store: Store) -> None:
    both = rule("sends", ((2, 600), (3, 3_600)))
    for _ in range(2):
        take(store, both)
    store.clock.advance(660)
    take(store, both)
    store.clock.advance(660)

    granted, standings = take(store, both)

    assert not granted
    assert standings[0].wait_seconds > 1_800


def test_subjects_do_not_share(store: Store) -> None:
    for _ in range(3):
        take(store, rule())

    assert take(store, Use(Limit("sends", TEN_MINUTES), "another", take=True))[0]


def test_every_counter_has_an_end(store: Store) -> None:
    take(store, rule("sends", ((2, 600), (3, 3_600))))

    ttls = [ttl for _, ttl in store.dump().values()]

    assert len(ttls) == 1
    assert 3_600_000 <= ttls[0] <= 3_960_000


def test_old_tenths_are_cleared_away(store: Store) -> None:
    for _ in range(100):
        take(store, rule("sends", ((10, 60),)))
        store.clock.advance(6)

    (value, _) = next(iter(store.dump().values()))
    assert len(value) <= 12


def test_50_threads_share_what_there_is(real_store: Store) -> None:
    granted = at_once(50, lambda _: take(real_store, rule())[0])

    assert granted.count(True) == 3


@settings(max_examples=40, deadline=None)
@given(waits=st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_no_window_ever_holds_more_than_its_limit(waits: list[int]) -> None:
    store = open_embedded()
    granted = []
    for wait in waits:
        store.clock.advance(wait)
        if take(store, rule())[0]:
            granted.append(store.clock.offset)

    for at in granted:
        assert sum(at <= other < at + 600 for other in granted) <= 3
