"""What a failed send counts against, and whom the next send is spared."""

import pytest

from services.events import BreakerChanged, Event
from services.sms.breaker import BreakerState
from services.sms.outgoing import NotDelivered
from services.sms.provider import ProviderFailure, Reason, Refused, Scope
from tests.fakes import FakeClock
from tests.services.sms.fakes import (
    GERMAN,
    ScriptedProvider,
    ambiguous,
    refused,
    unavailable,
)
from tests.services.sms.worlds import ACCOUNT_COUNTRY, World, failing, pair


def test_five_failures_in_a_row_spare_the_next_send_the_call() -> None:
    world = pair([unavailable()] * 5)
    world.send_until_open("a")
    world.events.clear()

    world.send("a")

    assert world.calls == [("b", "accepted")]


def test_a_provider_that_is_back_is_found_by_one_probe() -> None:
    world = pair([unavailable()] * 5)
    world.send_until_open("a")
    world.clock.advance(30.0)

    assert world.send("a").provider == "a"
    assert world.sms.health()["a"].state is BreakerState.CLOSED


def test_an_account_error_spares_the_provider_for_five_minutes_at_once() -> None:
    world = pair([unavailable(Reason.ACCOUNT)])
    world.send("a")

    health = world.sms.health()["a"]
    assert health.state is BreakerState.OPEN
    assert health.retry_in_seconds == 300.0
    assert BreakerChanged("a", "", "open", 300.0) in world.events


def test_an_account_error_for_one_country_spares_that_country_only() -> None:
    world = pair([unavailable(Reason.ACCOUNT, Scope.COUNTRY)])
    world.send("a")

    assert BreakerChanged("a", "IN", "open", 300.0) in world.events
    assert world.sms.health()["a"].state is BreakerState.CLOSED
    assert world.sms.health()["a"].blocked_countries == ("IN",)
    assert world.send("a", GERMAN).provider == "a"
    assert world.send("a").provider == "b"


@pytest.mark.parametrize("scope", [Scope.COUNTRY, Scope.UNKNOWN])
@pytest.mark.parametrize("reason", [Reason.TRANSIENT, Reason.CONTENT])
def test_other_errors_for_one_country_open_when_they_are_half_of_many(
    reason: Reason, scope: Scope
) -> None:
    # Not after a few: it may be about the number, and anybody chooses numbers.
    world = pair([unavailable(reason, scope=scope)] * 20)
    for _ in range(19):
        world.send("a")
    early = world.sms.health()["a"].blocked_countries
    world.send("a")

    assert early == ()
    assert world.sms.health()["a"].blocked_countries == ("IN",)


@pytest.mark.parametrize(
    "failure", [refused(), refused(Reason.FRAUD), unavailable(scope=Scope.NUMBER)]
)
def test_an_error_about_one_number_counts_against_nobody(
    failure: ProviderFailure,
) -> None:
    world = World(failing("a", *[failure] * 50))
    for _ in range(50):
        with pytest.raises((Refused, NotDelivered)):
            world.send("a")

    assert world.sms.health()["a"].state is BreakerState.CLOSED
    assert world.sms.health()["a"].blocked_countries == ()


def test_a_few_errors_of_unknown_cause_in_a_row_close_no_country() -> None:
    # Anybody chooses numbers: five odd ones must not close a country.
    world = pair([unavailable(scope=Scope.UNKNOWN)] * 19)
    for _ in range(19):
        world.send("a")

    assert world.sms.health()["a"].blocked_countries == ()


def test_errors_of_unknown_cause_close_the_country_that_has_hardly_others() -> None:
    world = pair([unavailable(scope=Scope.UNKNOWN)] * 20)
    for _ in range(20):
        world.send("a")

    assert world.sms.health()["a"].blocked_countries == ("IN",)
    assert world.sms.health()["a"].state is BreakerState.CLOSED


def test_an_account_error_about_one_number_goes_on_and_closes_nothing() -> None:
    world = pair([unavailable(Reason.ACCOUNT, Scope.NUMBER)])

    assert world.send("a").provider == "b"
    assert world.calls == [("a", "account"), ("b", "accepted")]
    assert world.sms.health()["a"].state is BreakerState.CLOSED
    assert world.sms.health()["a"].blocked_countries == ()


def test_a_probe_that_met_a_bad_number_is_given_to_the_next_send() -> None:
    world = pair([*[unavailable()] * 5, refused()])
    world.send_until_open("a")
    world.clock.advance(30.0)
    with pytest.raises(Refused):
        world.send("a")

    assert world.send("a").provider == "a"


def test_a_provider_given_little_time_is_not_blamed_for_needing_more() -> None:
    clock = FakeClock()
    slow = ScriptedProvider("a", [ambiguous()] * 9, takes=lambda: clock.advance(7.0))
    second = ScriptedProvider("b", [ambiguous()] * 9)
    world = World(slow, second, clock=clock)
    for _ in range(5):
        with pytest.raises(NotDelivered):
            world.send("a")

    assert world.sms.health()["a"].state is BreakerState.OPEN
    assert world.sms.health()["b"].state is BreakerState.CLOSED


def test_all_open_is_told_at_once_with_the_time_of_the_first_probe() -> None:
    world = World(
        failing("a", unavailable(Reason.ACCOUNT)),
        failing("b", *[unavailable()] * 5),
    )
    for _ in range(5):
        with pytest.raises(NotDelivered):
            world.send("a")
    world.clock.advance(10.5)
    world.events.clear()

    with pytest.raises(NotDelivered) as caught:
        world.send("a")

    assert world.calls == []
    assert caught.value.reason is None
    assert caught.value.retry_after_seconds == 20


def test_a_country_that_is_blocked_costs_the_provider_no_probe() -> None:
    world = pair([ACCOUNT_COUNTRY, *[unavailable()] * 5])
    world.send("a")
    for _ in range(5):
        world.send("a", GERMAN)
    world.clock.advance(30.0)

    world.send("a")

    assert world.sms.health()["a"].state is BreakerState.OPEN


def test_a_probe_that_another_send_took_is_left_to_it() -> None:
    clock = FakeClock()
    first = ScriptedProvider("a", [ACCOUNT_COUNTRY, *[unavailable()] * 5])

    def take_the_other_probe(event: Event) -> None:
        if event == BreakerChanged("a", "", "half_open", 0.0):
            assert world.sms._breakers._country_breaker("a", "IN").allow()

    world = World(
        first, ScriptedProvider("b"), clock=clock, on_event=take_the_other_probe
    )
    world.send("a")
    for _ in range(5):
        world.send("a", GERMAN)
    clock.advance(300.0)

    assert world.send("a").provider == "b"
    assert world.send("a", GERMAN).provider == "a"
