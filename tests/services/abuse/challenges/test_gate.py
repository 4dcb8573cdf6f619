"""The gate before a captcha's vendor: it may be away, and logins go on."""

import threading

import pytest

from services.abuse.challenges.challenger import Unsolved
from services.abuse.challenges.gate import Gate
from tests.fakes import FakeClock
from tests.services.threads import at_once


def fail(gate: Gate) -> str:
    """Ask in vain; the reason is what is told of it."""
    with pytest.raises(Unsolved) as caught, gate.call():
        raise Unsolved("unavailable", reason="timeout")
    return caught.value.reason


def test_a_storm_holds_few_threads(clock: FakeClock) -> None:
    gate = Gate(clock=clock, at_once=3)
    answered = threading.Event()
    turned_away: list[str] = []

    def ask(index: int) -> str:
        try:
            with gate.call():
                # Mute until all the others are through.
                assert answered.wait(timeout=10)
                return "asked"
        except Unsolved as error:
            turned_away.append(error.outcome)
            if len(turned_away) == 17:
                answered.set()
            return error.outcome

    outcomes = at_once(20, ask)

    assert (outcomes.count("asked"), outcomes.count("busy")) == (3, 17)
    # A storm is no sign that the vendor is away.
    assert not gate.is_closed
    with gate.call():
        pass


def test_it_closes_after_failures_in_a_row(clock: FakeClock) -> None:
    gate = Gate(clock=clock)

    assert [fail(gate) for _ in range(6)] == ["timeout"] * 5 + ["closed"]
    assert gate.is_closed

    clock.advance(30)
    assert not gate.is_closed
    assert fail(gate) == "timeout"
    assert gate.is_closed


def test_an_answer_in_between_keeps_it_open(clock: FakeClock) -> None:
    gate = Gate(clock=clock)
    for _ in range(4):
        fail(gate)

    with pytest.raises(Unsolved), gate.call():
        raise Unsolved("refused")

    assert [fail(gate) for _ in range(4)] == ["timeout"] * 4
    assert not gate.is_closed
