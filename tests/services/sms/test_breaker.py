"""The breaker: when it opens, for how long, and who may try again."""

import threading

import pytest

from services.events import BreakerChanged, Event
from services.sms.breaker import Breaker, BreakerState
from tests.services.sms.fakes import FakeClock

CLOSED, OPEN, HALF_OPEN = BreakerState


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def breaker(clock: FakeClock, events: list[Event]) -> Breaker:
    return Breaker(clock=clock, provider="twilio", country="IN", emit=events.append)


def fail(breaker: Breaker, times: int = 5) -> None:
    for _ in range(times):
        breaker.failure()


def fail_probe(breaker: Breaker, clock: FakeClock) -> float:
    """Wait for the probe, fail it, and return how long the breaker is open then."""
    clock.advance(breaker.retry_in())
    assert breaker.allow()
    breaker.failure()
    return breaker.retry_in()


def test_a_new_breaker_lets_calls_pass(breaker: Breaker) -> None:
    assert breaker.state is CLOSED
    assert breaker.allow()
    assert breaker.retry_in() == 0.0


def test_four_failures_in_a_row_do_not_open_it(breaker: Breaker) -> None:
    fail(breaker, 4)

    assert breaker.allow()


def test_five_failures_in_a_row_open_it_for_30_seconds(breaker: Breaker) -> None:
    fail(breaker, 5)

    assert breaker.state is OPEN
    assert not breaker.allow()
    assert breaker.retry_in() == 30.0


def test_any_number_of_doubts_in_a_row_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(19):
        breaker.doubt()

    assert breaker.state is CLOSED


def test_a_doubt_does_not_lengthen_the_row(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.doubt()

    assert breaker.state is CLOSED


def test_half_of_twenty_calls_in_doubt_open_it(breaker: Breaker) -> None:
    for _ in range(10):
        breaker.success()
        breaker.doubt()

    assert breaker.state is OPEN


def test_less_than_half_in_doubt_do_not_open_it(breaker: Breaker) -> None:
    for _ in range(30):
        breaker.success()
        breaker.doubt()
        breaker.success()

    assert breaker.state is CLOSED


def test_a_probe_in_doubt_is_given_to_the_next_call(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(30.0)
    assert breaker.allow()
    assert not breaker.allow()
    breaker.doubt()

    assert breaker.state is HALF_OPEN
    assert breaker.allow()


def test_a_doubt_that_comes_late_changes_nothing(breaker: Breaker) -> None:
    fail(breaker)
    breaker.doubt()

    assert breaker.state is OPEN
    assert breaker.retry_in() == 30.0


def test_a_success_in_between_starts_the_row_again(breaker: Breaker) -> None:
    fail(breaker, 4)
    breaker.success()
    fail(breaker, 4)

    assert breaker.state is CLOSED


def test_half_of_twenty_calls_failing_opens_it(breaker: Breaker) -> None:
    for _ in range(10):
        breaker.success()
        breaker.failure()

    assert breaker.state is OPEN


def test_half_of_nineteen_calls_failing_does_not(breaker: Breaker) -> None:
    breaker.failure()
    for _ in range(9):
        breaker.success()
        breaker.failure()

    assert breaker.state is CLOSED


def test_less_than_half_failing_does_not_open_it(breaker: Breaker) -> None:
    for _ in range(30):
        breaker.success()
        breaker.failure()
        breaker.success()

    assert breaker.state is CLOSED


def test_failures_of_more_than_a_minute_ago_are_forgotten(
    breaker: Breaker, clock: FakeClock
) -> None:
    for _ in range(9):
        breaker.success()
        breaker.failure()
    clock.advance(66.0)
    breaker.success()
    breaker.failure()
    breaker.success()

    assert breaker.state is CLOSED


def test_it_lets_one_probe_through_when_its_time_is_up(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(29.9)
    assert not breaker.allow()
    clock.advance(0.1)

    assert breaker.allow()
    assert breaker.state is HALF_OPEN
    assert not breaker.allow()


def test_a_successful_probe_closes_it(breaker: Breaker, clock: FakeClock) -> None:
    fail(breaker)
    clock.advance(30.0)
    breaker.allow()
    breaker.success()

    assert breaker.state is CLOSED
    assert breaker.allow()


def test_failing_probes_double_the_time_up_to_ten_minutes(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)

    waits = [fail_probe(breaker, clock) for _ in range(6)]

    assert waits == [60.0, 120.0, 240.0, 480.0, 600.0, 600.0]


def test_a_successful_probe_resets_the_time(breaker: Breaker, clock: FakeClock) -> None:
    fail(breaker)
    fail_probe(breaker, clock)
    clock.advance(60.0)
    breaker.allow()
    breaker.success()
    fail(breaker)

    assert breaker.retry_in() == 30.0


def test_exactly_one_of_twenty_threads_gets_the_probe(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(30.0)
    barrier = threading.Barrier(20)
    answers: list[bool] = []

    def ask() -> None:
        barrier.wait()
        answers.append(breaker.allow())

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 19 + [True]


def test_a_probe_that_never_reports_is_forgotten(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(30.0)
    breaker.allow()
    clock.advance(14.9)
    assert not breaker.allow()
    clock.advance(0.1)

    assert breaker.allow()
    assert not breaker.allow()


def test_a_call_that_comes_as_the_probe_succeeds_passes(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(30.0)
    breaker.allow()
    lock = breaker._lock

    class SlowLock:
        """Is not taken before the probe's success was counted."""

        def __enter__(self) -> None:
            breaker._lock = lock
            breaker.success()
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    breaker._lock = SlowLock()  # type: ignore[assignment]

    assert breaker.allow()
    assert breaker.state is CLOSED


def test_a_released_probe_goes_to_the_next_call(
    breaker: Breaker, clock: FakeClock
) -> None:
    fail(breaker)
    clock.advance(30.0)
    breaker.allow()
    breaker.release()

    assert breaker.allow()
    assert not breaker.allow()


def test_a_release_means_nothing_to_a_closed_breaker(breaker: Breaker) -> None:
    breaker.release()

    assert breaker.state is CLOSED


def test_a_trip_opens_it_at_once(breaker: Breaker) -> None:
    breaker.trip(300.0)

    assert not breaker.allow()
    assert breaker.retry_in() == 300.0


def test_trips_of_calls_that_were_under_way_do_not_add_up(breaker: Breaker) -> None:
    for _ in range(100):
        breaker.trip(300.0)

    assert breaker.retry_in() == 300.0


def test_a_trip_makes_an_open_breaker_wait_longer(breaker: Breaker) -> None:
    fail(breaker)
    breaker.trip(300.0)

    assert breaker.retry_in() == 300.0


def test_reports_of_calls_that_were_under_way_do_not_touch_an_open_breaker(
    breaker: Breaker,
) -> None:
    fail(breaker)
    breaker.success()
    fail(breaker, 20)

    assert breaker.state is OPEN
    assert breaker.retry_in() == 30.0


def test_every_change_is_an_event(
    breaker: Breaker, clock: FakeClock, events: list[Event]
) -> None:
    fail(breaker, 7)
    clock.advance(30.0)
    breaker.allow()
    breaker.failure()
    clock.advance(60.0)
    breaker.allow()
    breaker.release()
    breaker.allow()
    breaker.success()

    assert events == [
        BreakerChanged("twilio", "IN", "open", 30.0),
        BreakerChanged("twilio", "IN", "half_open", 0.0),
        BreakerChanged("twilio", "IN", "open", 60.0),
        BreakerChanged("twilio", "IN", "half_open", 0.0),
        BreakerChanged("twilio", "IN", "closed", 0.0),
    ]


def test_a_listener_may_ask_the_breaker(clock: FakeClock) -> None:
    answers: list[bool] = []

    def listen(_: Event) -> None:
        answers.append(talkative.allow())

    talkative = Breaker(clock=clock, provider="twilio", emit=listen)
    fail(talkative)

    assert answers == [False]
