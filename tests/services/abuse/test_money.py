"""Money: held before a message goes out, and never more than the cap (invariant 4)."""

import multiprocessing
from typing import Any

import pytest

from services.abuse_events import MoneyReached
from services.errors import SpendLimit, StoreUnavailable
from tests.services.abuse.spender import UNIT, spend_all
from tests.services.abuse.world import HERE, THERE, World, far_phone, money, rule
from tests.services.stores import Store


def spend(it: World, number: int, cost: int = UNIT) -> bool:
    """Send for so much, and have it cost that."""
    ask = it.ask(far_phone(number), cost_micros=cost)
    try:
        room = it.guard.admit_send(ask)
    except SpendLimit:
        return False
    it.aftermath.settle(ask, room, cost)
    it.settle()
    return True


def test_a_cap_holds_to_the_unit(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (10, 3_600))})

    assert [spend(it, number) for number in range(12)] == [True] * 10 + [False] * 2


def test_sixteen_workers_spend_a_thousand_units_and_not_one_more(
    real_store: Store, redis_url: str
) -> None:
    """Processes. Each send holds the three units it may cost, and then costs one."""
    # Forked off a server that has imported everything, and has no threads.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([spend_all.__module__])
    start = context.Barrier(16)
    workers = [
        context.Process(target=spend_all, args=(redis_url, it, start))
        for it in range(16)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {it.exitcode for it in workers} == {0}

    found: dict[Any, Any] = real_store.client.hgetall("spend:{all}:spend_global:")
    # The last to give up leaves what is less than a send may cost.
    spent = [int(it) for name, it in found.items() if name.startswith(b"86400000:")]
    assert 990 * UNIT <= sum(spent) <= 1_000 * UNIT
    assert int(found.get(b"held", 0)) == 0


def test_what_is_held_counts_until_it_is_settled(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (3, 3_600))})
    ask = it.ask(far_phone(1), cost_micros=3 * UNIT)
    room = it.guard.admit_send(ask)
    assert not spend(it, 2)

    it.aftermath.settle(ask, room, UNIT)
    it.settle()

    assert [spend(it, number) for number in range(3, 6)] == [True, True, False]


def test_a_send_that_did_not_take_place_costs_nothing(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (1, 3_600))})
    ask = it.ask(far_phone(1), cost_micros=UNIT)
    room = it.guard.admit_send(ask)

    it.aftermath.give_back(ask, room, to_caller=True)

    assert spend(it, 2)
    assert not spend(it, 3)


def test_what_a_worker_held_that_died_is_free_after_a_minute(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (1, 3_600))})
    it.send(far_phone(1), cost_micros=UNIT)
    store.clock.advance(59)
    assert not spend(it, 2)

    store.clock.advance(2)

    assert spend(it, 3)
    assert not spend(it, 4)


def test_a_late_word_of_what_was_spent_still_counts(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (2, 3_600))})
    ask = it.ask(far_phone(1), cost_micros=UNIT)
    room = it.guard.admit_send(ask)
    store.clock.advance(90)
    assert spend(it, 2)

    it.aftermath.settle(ask, room, UNIT)
    it.settle()

    assert not spend(it, 3)


def test_phones_that_logged_in_are_served_beyond_a_cap_up_to_twice(
    store: Store,
) -> None:
    it = World(store, {"spend_global": money("block", (2, 3_600))})
    it.send_and_type(far_phone(0))
    for number in (1, 2):
        assert spend(it, number)

    assert not spend(it, 3)
    assert [spend(it, 0) for _ in range(3)] == [True, True, False]


def test_each_country_and_service_has_a_cap_of_its_own(store: Store) -> None:
    it = World(store, {"spend_per_country": rule("block", (UNIT, 600), IN=((0, 600),))})
    assert it.verdict(far_phone(1), cost_micros=UNIT) == "spend_limit"
    it = World(store, {"spend_per_country": rule("block", (UNIT, 600))})
    assert it.verdict(far_phone(1), cost_micros=UNIT) == "pass"
    assert it.verdict(far_phone(2), cost_micros=UNIT) == "spend_limit"


def test_a_refusal_says_when_there_will_be_money_again(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (1, 600))})
    spend(it, 1)

    with pytest.raises(SpendLimit) as refusal:
        it.send(far_phone(2), cost_micros=UNIT)

    wait = refusal.value.retry_after or 0
    assert 600 <= wait <= 661
    store.clock.advance(wait)
    assert spend(it, 2)


def test_the_operator_is_told_once_at_80_and_at_100_percent(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (10, 86_400))})
    for number in range(14):
        spend(it, number)

    told = [e for e in store.events if isinstance(e, MoneyReached)]
    assert [(e.percent, e.cap, e.currency) for e in told] == [
        (80, 10.0, "USD"),
        (100, 10.0, "USD"),
    ]


def test_what_costs_nothing_needs_no_money(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (1, 600))})
    spend(it, 1)

    assert it.verdict(far_phone(2), cost_micros=0) == "pass"


def test_without_redis_nothing_is_let_pass_and_what_was_spent_is_told_later(
    real_store: Store,
) -> None:
    it = World(real_store, {"spend_global": money("block", (2, 3_600))})
    ask = it.ask(far_phone(1), cost_micros=UNIT)
    room = it.guard.admit_send(ask)
    it.aftermath.settle(ask, room, UNIT)
    port = real_store.client.connection_pool.connection_kwargs["port"]
    pool = it.store.pools[0]
    pool.connection_kwargs["port"] = 1
    real_store.scripts._exchange._local.__dict__.clear()  # type: ignore[attr-defined]
    with pytest.raises(StoreUnavailable):
        it.settle()
    with pytest.raises(StoreUnavailable):
        it.send(far_phone(2), THERE, cost_micros=UNIT)

    pool.connection_kwargs["port"] = port
    it.aftermath.note_again()

    assert spend(it, 3)
    assert not spend(it, 4)
    assert it.verdict(far_phone(5), HERE, cost_micros=UNIT) == "spend_limit"
