"""What workers see of the vendors becomes one standing, on both stores."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from services.errors import StoreUnavailable
from services.events import ScriptRan
from services.routing_events import VendorMeasured
from services.scripts import Command, Exchange, HeldConnections, ScriptRunner
from services.sms.routing.standing import Route
from tests.services.sms.routing.workers import JUDGED, TWILIO, VONAGE, Worker
from tests.services.stores import Store
from tests.services.threads import at_once

HALF_LIFE = 120
KEY = "health:{sms:IN}"


class Faulty:
    """A way to Redis that can break: before a command arrives, or after."""

    def __init__(self, inner: Exchange) -> None:
        self.inner = inner
        self.away = False
        self.loses_answers = False

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        if self.away:
            raise redis.ConnectionError
        replies = self.inner(commands, once=once)
        if self.loses_answers:
            raise redis.TimeoutError
        return replies


@pytest.fixture
def worker(store: Store) -> Worker:
    return Worker(store)


@pytest.fixture
def faulty(store: Store) -> Faulty:
    return Faulty(store.scripts._exchange)


@pytest.fixture
def unlucky(store: Store, faulty: Faulty) -> Worker:
    """A worker whose way to Redis is faulty."""
    return Worker(store, scripts=ScriptRunner(faulty, emit=store.events.append))


def rounded(value: float) -> float:
    return round(value, 3)


def test_what_all_workers_saw_adds_up(store: Store) -> None:
    first, second = Worker(store), Worker(store)

    first.send(times=3)
    first.flush()
    second.send(times=2)
    second.fail()
    second.flush()
    first.flush()

    for worker in (first, second):
        long = worker.of().long
        assert (rounded(long.calls), rounded(long.errors)) == (6, 1)
        assert rounded(long.seconds) == 1


def test_counting_and_asking_cost_no_round_trip(worker: Worker) -> None:
    worker.send(times=10)
    worker.fail()
    worker.deliver()
    worker.convert()
    worker.of()

    assert worker.store.events == []


def test_a_flush_is_one_script_run_per_area(worker: Worker) -> None:
    worker.send()
    worker.send(VONAGE)
    worker.send(Route("voice", "IN", "twilio"))
    worker.send(Route("sms", "US", "twilio"))

    worker.flush()

    runs = [it for it in worker.store.events if isinstance(it, ScriptRan)]
    assert [(it.script, it.outcome) for it in runs] == [("health", "ok")] * 3
    assert set(worker.store.dump()) == {
        KEY,
        "health:{voice:IN}",
        "health:{sms:US}",
    }


def test_a_message_counts_when_it_is_a_minute_old(worker: Worker) -> None:
    worker.send()
    worker.flush()
    worker.after(59)
    young = worker.of().long

    worker.after(1)

    assert (young.calls > 0.9, young.judged, young.tries) == (True, 0, 0)
    assert (worker.of().short.judged, worker.of().short.tries) == (1, 1)


def test_what_comes_sooner_counts_with_its_message(worker: Worker) -> None:
    worker.send()
    worker.store.clock.advance(5)
    worker.deliver()
    worker.store.clock.advance(5)
    worker.convert()
    worker.after(0)
    early = worker.of().long

    worker.after(50)

    assert (early.delivered, early.converted) == (0, 0)
    judged = worker.of().short
    assert (judged.delivered, judged.converted, judged.tries) == (1, 1, 1)


def test_what_comes_later_counts_at_once(worker: Worker) -> None:
    worker.health.receipt(TWILIO, delivered=True, age_seconds=200)
    worker.health.converted(TWILIO, first=True, age_seconds=200)

    worker.after(1)

    assert (worker.of().short.delivered, worker.of().short.converted) == (1, 1)


def test_only_first_attempts_are_tries(worker: Worker) -> None:
    worker.health.called(
        TWILIO, accepted=True, seconds=0.1, held_against=False, first=False
    )
    worker.health.converted(TWILIO, first=False, age_seconds=10)
    worker.fail(first=False)

    worker.after(JUDGED)

    counts = worker.of().short
    assert (counts.judged, counts.tries, counts.converted) == (1, 0, 0)
    assert counts.error_share == 0.5


def test_a_failure_of_the_vendor_is_a_try_that_did_not_convert(worker: Worker) -> None:
    worker.fail()

    worker.flush()

    assert worker.of().long.conversion == 0
    assert worker.of().long.judged == 0


def test_a_number_at_fault_is_an_answer_like_any_other(worker: Worker) -> None:
    worker.fail(held_against=False)

    worker.flush()

    assert worker.of().long.error_share == 0
    assert worker.of().long.conversion is None


def test_counts_halve_with_every_half_life(worker: Worker) -> None:
    worker.send(times=8)
    worker.flush()

    worker.after(HALF_LIFE)
    once = worker.of()
    worker.after(2 * HALF_LIFE)
    thrice = worker.of()

    assert rounded(once.short.calls) == pytest.approx(4, abs=0.01)
    assert rounded(thrice.short.calls) == pytest.approx(1, abs=0.01)
    assert thrice.long.calls == pytest.approx(8 * 2 ** (-360 / 21_600), abs=0.01)


def test_merging_often_and_rarely_come_to_the_same(store: Store) -> None:
    often, rarely = Worker(store), Worker(store)
    rare, frequent = Route("sms", "US", "twilio"), Route("sms", "DE", "twilio")
    often.send(frequent, times=8)
    often.flush()
    rarely.send(rare, times=8)
    rarely.flush()

    for _ in range(60):
        often.after(4)
    rarely.flush()

    assert often.of(frequent).short.calls == pytest.approx(
        rarely.of(rare).short.calls, rel=0.01
    )


def test_a_clock_that_goes_back_makes_nothing_more(worker: Worker) -> None:
    worker.send(times=4)
    worker.flush()

    worker.after(-3_600)

    assert worker.of().short.calls == 4


def test_half_of_the_receipts_came_within_the_median(worker: Worker) -> None:
    for age in (1, 3, 3, 3, 30):
        worker.health.receipt(TWILIO, delivered=True, age_seconds=age)
    worker.health.receipt(TWILIO, delivered=False, age_seconds=500)

    worker.flush()

    median = worker.of().long.p50_seconds
    assert median is not None
    assert 2 < median < 4


def test_while_redis_is_away_what_was_seen_is_kept(
    faulty: Faulty, unlucky: Worker
) -> None:
    faulty.away = True
    unlucky.send(times=2)
    unlucky.flush()
    unlucky.send(times=3)
    unlucky.flush()
    meanwhile = unlucky.of().long.calls

    faulty.away = False
    unlucky.flush()
    unlucky.flush()

    assert meanwhile == 0
    assert rounded(unlucky.of().long.calls) == 5


def test_what_is_kept_grows_with_routes_and_not_with_messages(
    faulty: Faulty, unlucky: Worker
) -> None:
    faulty.away = True
    for _ in range(200):
        unlucky.send(times=10)
        unlucky.deliver(times=10)
        unlucky.after(1)

    health = unlucky.health
    assert len(health._batches) == 1
    assert len(health._seen) == 1
    assert len(health._held_back) <= 61


def test_an_answer_that_was_lost_merges_nothing_twice(
    faulty: Faulty, unlucky: Worker
) -> None:
    faulty.loses_answers = True
    unlucky.send(times=3)
    unlucky.flush()
    unlucky.send(times=2)
    unlucky.flush()

    faulty.loses_answers = False
    unlucky.flush()
    unlucky.flush()

    assert rounded(unlucky.of().long.calls) == 5


def test_a_step_whose_answer_was_lost_is_told_once(
    faulty: Faulty, unlucky: Worker
) -> None:
    faulty.loses_answers = True
    unlucky.fail(times=10)
    unlucky.flush()
    unheard = list(unlucky.changes)

    faulty.loses_answers = False
    unlucky.flush()
    unlucky.flush()

    assert unheard == []
    assert unlucky.changes == [("twilio", 100, 75, "errors")]


def test_an_area_that_was_asked_about_is_known_after_the_next_flush(
    store: Store,
) -> None:
    first, second = Worker(store), Worker(store)
    first.send(times=4)
    first.flush()

    before = second.of().long.calls
    second.flush()

    assert (before, rounded(second.of().long.calls)) == (0, 4)


def test_an_area_is_followed_for_an_hour(worker: Worker) -> None:
    worker.of()
    worker.after(3_600)
    asked = len(worker.store.events)

    worker.after(1)

    assert (asked, len(worker.store.events)) == (1, 1)


def test_a_look_changes_nothing(store: Store) -> None:
    worker = Worker(store)
    worker.fail(times=10)
    worker.health.read("sms", "IN")
    untouched = store.dump()
    worker.flush()
    before = store.client.get(KEY)

    store.clock.advance(HALF_LIFE)
    seen = worker.health.read("sms", "IN")

    assert untouched == {}
    assert store.client.get(KEY) == before
    assert seen["twilio"].short.calls == pytest.approx(5, abs=0.01)
    assert seen["vonage"].weight == 100


def test_a_look_at_a_store_that_is_away_says_so(
    faulty: Faulty, unlucky: Worker
) -> None:
    faulty.away = True

    with pytest.raises(StoreUnavailable):
        unlucky.health.read("sms", "IN")


def test_open_breakers_are_counted_by_worker_while_it_speaks(store: Store) -> None:
    first, second, third = Worker(store), Worker(store), Worker(store)
    for worker in (first, second, third):
        worker.send()
    first.flush(lambda route: route.vendor == "twilio")
    second.flush(lambda route: True)
    third.flush()
    together = third.of(), third.of(VONAGE)

    store.clock.advance(29)
    first.flush(lambda route: route.vendor == "twilio")
    store.clock.advance(2)
    third.flush()

    assert [it.open_workers for it in together] == [2, 1]
    assert (third.of().open_workers, third.of(VONAGE).open_workers) == (1, 0)


def test_a_vendor_that_left_the_routes_is_forgotten_in_days(store: Store) -> None:
    Worker(store, vendors=("nexmo",)).health.flush()
    before = Worker(store, vendors=("nexmo",))
    before.send(Route("sms", "IN", "nexmo"))
    before.flush()
    worker = Worker(store)
    worker.send()
    worker.flush()
    kept = "nexmo" in worker.health.read("sms", "IN")

    store.clock.advance(2 * 86_400)
    worker.send()
    worker.flush()

    assert kept
    assert set(worker.health.read("sms", "IN")) == {"twilio", "vonage"}


def test_workers_that_are_gone_are_forgotten(store: Store) -> None:
    for _ in range(5):
        worker = Worker(store)
        worker.send()
        worker.flush()

    worker.after(3_600)

    value = store.client.get(KEY)
    assert isinstance(value, bytes)
    assert len(json.loads(value)["workers"]) == 1


def test_every_key_lives_for_two_days(worker: Worker) -> None:
    worker.send()

    worker.flush()

    ((_, ttl),) = worker.store.dump().values()
    assert 47.9 * 3_600_000 < ttl <= 48 * 3_600_000


def test_what_each_worker_adds_is_told_once(store: Store) -> None:
    first, second = Worker(store), Worker(store)
    first.send(times=4)
    first.deliver(times=3)
    first.convert(times=2)
    first.flush()
    second.of()
    second.flush()
    first.after(JUDGED)
    first.flush()

    told = [it for it in first.events if isinstance(it, VendorMeasured)]
    heard = [it for it in second.events if isinstance(it, VendorMeasured)]
    twilio = [it for it in told if it.provider == "twilio"]
    assert [(it.judged, it.delivered, it.tries, it.converted) for it in twilio] == [
        (0, 0, 0, 0),
        (4, 3, 4, 2),
    ]
    # A weight is told by every worker that learns of it: gauges are per worker.
    assert {(it.provider, it.weight, it.judged) for it in heard} == {
        ("twilio", 100, 0),
        ("vonage", 100, 0),
    }


def test_a_worker_that_ends_leaves_nothing_behind(store: Store) -> None:
    leaving, staying = Worker(store), Worker(store)
    leaving.send(times=4)
    leaving.health.close()
    store.clock.advance(JUDGED)
    for _ in range(3):
        staying.health.converted(TWILIO, first=True, age_seconds=JUDGED)

    staying.flush()

    assert staying.of().long.conversion == pytest.approx(0.75, rel=0.01)


def test_threads_that_count_while_others_flush_lose_nothing(
    real_store: Store,
) -> None:
    workers = [Worker(real_store) for _ in range(2)]

    def work(index: int) -> None:
        worker = workers[index % 2]
        for _ in range(100):
            worker.send()
            worker.health.converted(TWILIO, first=True, age_seconds=90)
            if index < 4:
                worker.flush()

    at_once(8, work)
    real_store.clock.advance(JUDGED)
    for worker in workers:
        worker.flush()

    long = workers[1].of().long
    for count in (long.calls, long.judged, long.tries, long.converted):
        assert count == pytest.approx(800, rel=0.01)


def test_on_a_real_server_a_lost_connection_merges_nothing_twice(
    real_store: Store,
) -> None:
    assert isinstance(real_store.scripts._exchange, HeldConnections)
    worker = Worker(real_store)
    worker.send(times=3)
    worker.flush()
    real_store.client.client_kill_filter(_type="normal", skipme=True)

    worker.send(times=2)
    worker.flush()

    assert rounded(worker.of().long.calls) == 5
