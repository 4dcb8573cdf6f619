"""Mode ``monitor``: no answer changes, and what is reported is what block would do."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

import pytest

from benchmarks.simulation.store import SimulatedTime
from services.abuse.asking import Caller, ChallengeWanted
from services.abuse.keys import TALLY
from services.abuse.rules import RULES, Mode, Rule
from services.abuse_events import SendShadowed
from services.errors import AuthError
from services.events import LimitReached
from services.scripts import HeldConnections, ScriptRunner
from tests.services.abuse.world import World, far_phone, money, phone, rule
from tests.services.stores import Store, open_real

# Half a second after a full hour, in the future.
_BEGIN = 1_900_000_800.5

WINDOWS: Mapping[str, Rule] = {
    "sends_per_ip": rule("block", (4, 600), (20, 3_600)),
    "phones_per_ip": rule("block", (14, 3_600)),
    "sends_per_prefix": rule("block", (12, 600)),
    "sends_per_country": rule("block", (60, 600)),
    "sends_global": rule("block", (80, 600)),
    "prefix_conversion": rule("block"),
    "country_conversion": rule("block"),
    "spend_global": money("block", (50, 86_400)),
}


def in_mode(mode: Mode) -> dict[str, Rule]:
    return {
        name: Rule(mode, it.windows, it.special)
        for name, it in WINDOWS.items()
        if mode in RULES[name].modes
    }


def traffic(it: World, seed: int) -> tuple[list[str], list[tuple[int, str]]]:
    """Send what a mixed day brings.

    Return what each send was told, and which of them, by number, was or would have
    been refused for what.
    """
    draws = random.Random(seed)  # noqa: S311 - traffic, no secret
    verdicts: list[str] = []
    refused: list[tuple[int, str]] = []
    moment = _BEGIN
    for number in range(500):
        caller = Caller(f"192.0.2.{draws.randrange(12)}", "direct")
        is_attack = draws.random() < 0.3
        to = phone(number) if is_attack else far_phone(number)
        types = draws.random() < (0.0 if is_attack else 0.8)
        wait = draws.choice((0, 1, 5, 30))
        # At the same moments in both runs, or windows would end elsewhere.
        it.store.clock.offset = moment
        seen = len(it.store.events)
        ask = it.ask(to, caller, cost_micros=200_000)
        try:
            room = it.guard.admit_send(ask)
        except ChallengeWanted as wanted:
            verdicts.append("challenge")
            refused.append((number, wanted.limit))
        except AuthError as refusal:
            verdicts.append(refusal.code)
            told = [e for e in it.store.events[seen:] if isinstance(e, LimitReached)]
            refused.append((number, told[0].limit))
        else:
            verdicts.append("pass")
            it.aftermath.settle(ask, room, 200_000)
            if types:
                it.type(to, room, caller)
        shadowed = [e for e in it.store.events[seen:] if isinstance(e, SendShadowed)]
        refused += [(number, event.limit) for event in shadowed]
        it.settle()
        moment += wait
    return verdicts, refused


@pytest.fixture
def still(redis_url: str) -> Iterator[Store]:
    """A real server whose scripts know no time but the offset."""
    found = open_real(redis_url)
    # Scripts that the server knows already would run as they are, with its own clock.
    found.client.script_flush()
    exchange = SimulatedTime(HeldConnections(found.pools[0]))
    yield replace(found, scripts=ScriptRunner(exchange, emit=found.events.append))
    found.close()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_monitor_changes_no_answer_and_reports_what_block_would_refuse(
    still: Store, seed: int
) -> None:
    blocking, refused = traffic(World(still, in_mode("block")), seed)
    still.client.flushall()

    watching, shadowed = traffic(World(still, in_mode("monitor")), seed)

    assert set(watching) == {"pass"}
    assert shadowed == refused
    limits = {limit for _, limit in refused}
    assert {"sends_per_prefix", "prefix_conversion", "spend_global"} <= limits
    assert {"rate_limited", "spend_limit"} <= set(blocking)


def test_the_tallies_of_a_watching_rule_are_those_of_a_strict_one(
    still: Store,
) -> None:
    def tallies(mode: Mode) -> dict[str, bytes]:
        still.client.flushall()
        traffic(World(still, in_mode(mode)), 1)
        found = cast("dict[bytes, bytes]", still.client.hgetall(TALLY))
        shadow = "1" if mode == "monitor" else "0"
        return {
            field.decode().replace(f"|{shadow}", ""): count
            for field, count in found.items()
        }

    assert tallies("monitor") == tallies("block")
