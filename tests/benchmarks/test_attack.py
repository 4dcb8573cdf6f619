"""The attack laboratory on a small scale: what its books say, and what holds."""

import pytest

from benchmarks.abuse.customers import draw_customers
from benchmarks.abuse.enumeration import compare
from benchmarks.abuse.findings import Findings
from benchmarks.abuse.levels import LEVELS
from benchmarks.abuse.pumping import Pumped, run_pump
from benchmarks.abuse.pumps import PUMPS, draw_pump
from benchmarks.abuse.quiet import quiet_day
from benchmarks.abuse.report import write_report
from benchmarks.abuse.town import Honest
from benchmarks.abuse.victim import bomb, lock_out

# A small laboratory takes seconds all the same.
pytestmark = pytest.mark.slow

SEED = 1
SCALE = 0.05
EMPTY = Honest()


def pumped(name: str) -> Pumped:
    return run_pump(draw_pump(name, SEED, SCALE), "ours", seed=SEED)


def test_the_same_seed_gives_the_same_attack_and_figures() -> None:
    assert draw_pump("random", SEED, SCALE) == draw_pump("random", SEED, SCALE)
    assert draw_pump("random", 2, SCALE) != draw_pump("random", SEED, SCALE)
    assert pumped("random") == pumped("random")


def test_without_a_defence_every_attempt_is_paid_for() -> None:
    pump = draw_pump("sequential", SEED, SCALE)

    found = run_pump(pump, "none", seed=SEED)

    assert found.messages == found.tried == len(pump.attempts)
    assert found.crossed_after is None


def test_a_pump_is_stopped_soon_after_a_rule_is_crossed() -> None:
    found = pumped("sequential")

    assert found.crossed_after is not None
    assert found.stopped_after is not None
    assert found.messages < found.tried / 5
    assert sum(count for _, count in found.limits) >= found.tried - found.messages


def test_every_pump_has_numbers_that_can_be_texted() -> None:
    for name in PUMPS:
        found = run_pump(draw_pump(name, SEED, 0.002), "none", seed=SEED)

        assert found.messages == found.tried > 0


def test_people_of_a_day_have_numbers_of_their_own() -> None:
    people = draw_customers(SEED, 2_000)

    assert len({it.phone for it in people}) == len(people) == 2_000
    assert [it.came_at for it in people] == sorted(it.came_at for it in people)


def test_a_quiet_day_refuses_nobody() -> None:
    found = quiet_day(seed=SEED, scale=0.01)

    assert found.came == 500
    assert found.completed > 0.9 * found.came
    assert (found.refused, found.challenged) == (0, 0)


def test_a_victim_of_bombing_gets_few_texts_and_many_without_a_defence() -> None:
    texts = {it: bomb(it, seed=SEED, scale=SCALE).in_ten_minutes for it in LEVELS}

    assert texts["ours"] <= 3
    assert texts["none"] > 10


def test_a_victim_logs_in_on_a_known_device() -> None:
    found = lock_out("ours", seed=SEED, scale=SCALE)

    assert found.wrong_checks > 5
    assert found.known_device == "logs in"


def test_answers_do_not_tell_customers_from_strangers() -> None:
    found = compare(seed=SEED, scale=SCALE)

    assert all(it.equal for it in found)
    assert {status for it in found for status in it.statuses} >= {202, 400, 410, 429}


def test_the_report_says_what_was_missed() -> None:
    findings = Findings()
    findings.pumps["random"] = draw_pump("random", SEED, SCALE)
    lost, kept = Pumped(10, 10, 2.5, EMPTY), Pumped(10, 10, 2.5, EMPTY)
    findings.pumped["random"] = {"none": lost, "per_ip": kept, "ours": kept}

    assert not findings.holds
    assert "does not hold" in write_report(findings, seed=SEED)
