"""Weights that step down while a vendor is bad, and drift back; on both stores."""

from collections.abc import Callable

import pytest

from services.sms.routing.rules import HealthRules
from services.sms.routing.standing import Route
from tests.services.sms.routing.workers import JUDGED, TWILIO, VONAGE, Worker
from tests.services.stores import Store
from tests.services.threads import at_once

WORKERS = 5
ROUNDS = 10


def has_errors(worker: Worker, route: Route = TWILIO) -> None:
    worker.send(route, times=12)
    worker.fail(route, times=8)
    worker.flush()


def is_slow(worker: Worker, route: Route = TWILIO) -> None:
    worker.send(route, times=10, seconds=3.5)
    worker.flush()


def delivers_nothing(worker: Worker, route: Route = TWILIO) -> None:
    worker.send(route, times=11)
    worker.deliver(route, delivered=False)
    worker.after(JUDGED)


def delivers_less_than_half(worker: Worker, route: Route = TWILIO) -> None:
    worker.send(route, times=22)
    worker.deliver(route, times=10)
    worker.convert(route, times=10)
    worker.after(JUDGED)


def converts_nothing(worker: Worker, route: Route = TWILIO) -> None:
    worker.send(route, times=40)
    worker.convert(route, times=30)
    worker.after(JUDGED)
    # Ten half-lives: of the old counts less than one in a thousand is left.
    worker.store.clock.advance(1_200)
    worker.send(route, times=21)
    worker.after(JUDGED)


def converts_less_than_another(worker: Worker, route: Route = TWILIO) -> None:
    other = VONAGE if route == TWILIO else TWILIO
    worker.send(route, times=21)
    worker.convert(route, times=7)
    worker.send(other, times=21)
    worker.convert(other, times=16)
    worker.after(JUDGED)


BAD: dict[Callable[[Worker], None], str] = {
    has_errors: "errors",
    is_slow: "slow",
    delivers_nothing: "undelivered",
    delivers_less_than_half: "undelivered",
    converts_nothing: "unconverted",
    converts_less_than_another: "unconverted",
}


@pytest.fixture
def worker(store: Store) -> Worker:
    return Worker(store)


def step_to(worker: Worker, weight: int, route: Route = TWILIO) -> None:
    """Bring a vendor down, and then let the errors be forgotten."""
    has_errors(worker, route)
    while worker.of(route).weight > weight:
        worker.store.clock.advance(30)
        has_errors(worker, route)
    worker.store.clock.advance(240)
    worker.events.clear()


@pytest.mark.parametrize("goes_bad", BAD, ids=lambda it: it.__name__)
def test_a_vendor_that_is_bad_loses_a_quarter(
    worker: Worker, goes_bad: Callable[[Worker], None]
) -> None:
    goes_bad(worker)

    assert worker.changes == [("twilio", 100, 75, BAD[goes_bad])]
    assert (worker.of().weight, worker.of(VONAGE).weight) == (75, 100)


@pytest.mark.parametrize("goes_bad", BAD, ids=lambda it: it.__name__)
def test_the_only_vendor_keeps_its_weight(
    store: Store, goes_bad: Callable[[Worker], None]
) -> None:
    worker = Worker(store, vendors=("twilio",))

    goes_bad(worker)

    assert worker.changes == []
    assert worker.of().weight == 100


def test_when_all_are_bad_nothing_moves(worker: Worker) -> None:
    for route in (TWILIO, VONAGE):
        worker.send(route, times=5)
        worker.fail(route, times=25)

    for _ in range(4):
        worker.after(31)

    assert worker.changes == []


def test_the_last_that_goes_bad_keeps_what_it_has(worker: Worker) -> None:
    step_to(worker, 50)

    for _ in range(4):
        worker.fail(times=20)
        worker.fail(VONAGE, times=20)
        worker.after(31)

    assert worker.changes == []


def test_all_bad_in_different_ways_are_all_bad(worker: Worker) -> None:
    worker.send(times=20, seconds=5)
    worker.fail(VONAGE, times=20)

    worker.flush()

    assert worker.changes == []


def test_a_country_of_a_few_messages_is_enough_to_see_silence(worker: Worker) -> None:
    worker.send(times=30)
    worker.deliver(times=30)
    worker.after(JUDGED)
    worker.store.clock.advance(1_200)

    for _ in range(12):
        worker.send()
        worker.after(30)
    worker.after(JUDGED)

    assert worker.changes[0] == ("twilio", 100, 75, "undelivered")


def test_too_little_is_no_reason(worker: Worker) -> None:
    worker.fail(times=4)
    worker.send(VONAGE, times=4, seconds=8)
    worker.deliver(VONAGE, delivered=False)

    worker.after(JUDGED)

    assert worker.changes == []


@pytest.mark.parametrize(("sent", "failed", "seconds"), [(71, 29, 0.2), (100, 0, 2.9)])
def test_a_little_worse_is_no_reason(
    worker: Worker, sent: int, failed: int, seconds: float
) -> None:
    worker.send(times=sent, seconds=seconds)
    worker.fail(times=failed)

    worker.flush()

    assert worker.changes == []


def test_numbers_at_fault_are_no_reason(worker: Worker) -> None:
    worker.fail(times=50, held_against=False)

    worker.flush()

    assert worker.changes == []


def test_a_vendor_that_sends_no_receipts_is_not_called_undelivered(
    worker: Worker,
) -> None:
    worker.send(times=15)

    worker.after(JUDGED)

    assert worker.changes == []


def test_receipts_that_stop_are_no_outage_while_codes_are_typed(
    worker: Worker,
) -> None:
    worker.send(times=30)
    worker.deliver(times=30)
    worker.convert(times=25)
    worker.after(JUDGED)
    worker.store.clock.advance(1_200)

    worker.send(times=30)
    worker.convert(times=25)
    worker.after(JUDGED)

    assert worker.of().short.delivered < 0.1
    assert worker.changes == []


def test_messages_too_young_to_judge_are_no_reason(worker: Worker) -> None:
    worker.send(times=30)
    worker.deliver(times=30)
    worker.convert(times=25)
    worker.after(JUDGED)

    for _ in range(10):
        worker.send(times=30)
        worker.after(1)

    assert worker.changes == []


def test_a_vendor_elsewhere_changes_nothing_here(worker: Worker) -> None:
    has_errors(worker, Route("sms", "US", "twilio"))
    has_errors(worker, Route("voice", "IN", "twilio"))
    worker.of()

    worker.flush()

    assert worker.of().weight == 100
    assert len(worker.changes) == 2


def test_one_step_in_half_a_minute(worker: Worker) -> None:
    has_errors(worker)
    for _ in range(5):
        worker.after(5.9)
    soon = worker.of().weight

    worker.after(0.6)

    assert (soon, worker.of().weight) == (75, 50)


def test_weight_ends_at_nothing(worker: Worker) -> None:
    for _ in range(8):
        has_errors(worker)
        worker.after(31)

    assert [(it[1], it[2]) for it in worker.changes] == [
        (100, 75),
        (75, 50),
        (50, 25),
        (25, 0),
    ]
    assert worker.of().weight == 0


def test_a_step_that_is_larger_than_the_weight_takes_what_is_left(
    store: Store,
) -> None:
    worker = Worker(store, rules=HealthRules(step_down=60))

    for _ in range(3):
        has_errors(worker)
        worker.after(31)

    assert [(it[1], it[2]) for it in worker.changes] == [(100, 40), (40, 0)]


def test_weight_drifts_back_to_rest_and_no_further(worker: Worker) -> None:
    step_to(worker, 75)

    for _ in range(8):
        worker.after(300)

    assert worker.changes == [
        ("twilio", 75, 85, "recovered"),
        ("twilio", 85, 95, "recovered"),
        ("twilio", 95, 100, "recovered"),
    ]


def test_drift_takes_its_time_however_often_one_looks(worker: Worker) -> None:
    step_to(worker, 50)
    worker.flush()
    start = worker.of().weight

    for _ in range(100):
        worker.after(2.9)

    assert worker.of().weight <= start + 10


def test_a_vendor_that_stays_bad_does_not_drift_back(worker: Worker) -> None:
    for _ in range(40):
        has_errors(worker)
        worker.after(30)

    assert {reason for *_, reason in worker.changes} == {"errors"}
    assert worker.of().weight == 0


def test_two_bad_vendors_of_three_step_together(store: Store) -> None:
    worker = Worker(store, vendors=("twilio", "vonage", "plivo"))
    for route in (TWILIO, VONAGE):
        worker.fail(route, times=10)

    worker.flush()

    assert worker.changes == [
        ("twilio", 100, 75, "errors"),
        ("vonage", 100, 75, "errors"),
    ]


def test_where_no_weight_may_be_taken_none_is(store: Store) -> None:
    worker = Worker(store, rules=HealthRules(step_down=0))

    has_errors(worker)

    assert worker.changes == []


def test_all_workers_come_to_the_new_weight_and_one_tells_of_it(
    store: Store,
) -> None:
    first, second = Worker(store), Worker(store)

    has_errors(first)
    second.of()
    second.flush()

    assert (first.of().weight, second.of().weight) == (75, 75)
    assert (len(first.changes), len(second.changes)) == (1, 0)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_five_workers_that_step_at_once_make_one_step(
    real_store: Store, round_: int
) -> None:
    workers = [Worker(real_store) for _ in range(WORKERS)]
    for worker in workers:
        worker.send(times=20)
        worker.fail(times=20)

    at_once(WORKERS, lambda index: workers[index].flush())
    at_once(WORKERS, lambda index: workers[index].flush())

    told = [change for worker in workers for change in worker.changes]
    assert told == [("twilio", 100, 75, "errors")]
    assert {worker.of().weight for worker in workers} == {75}
    assert workers[0].of().long.calls == pytest.approx(200, rel=0.01)
