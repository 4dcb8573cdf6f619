"""A few minutes of the simulated day: what its books say, and what shadow changes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
import redis

from benchmarks.simulation.day import Day, Login
from benchmarks.simulation.desk import ServiceDesk
from benchmarks.simulation.oracle import Oracle
from benchmarks.simulation.people import draw_people
from benchmarks.simulation.vendors import Strategy
from benchmarks.simulation.world import OUTAGES, World
from services.events import CodeChecked, Event, ProviderCalled
from services.routing_events import RouteChosen, VendorWeightChanged
from tests.redis_server import RedisServer

SEED = 1
LOGINS = 250
SILENCE = next(it for it in OUTAGES if it.kind == "silence")
# Dense enough, and long enough, for weights to move.
BETWEEN = (SILENCE.begins - 60, SILENCE.begins + 300)


@dataclass
class Simulated:
    """A day, what the service told of it, and what it left in Redis."""

    logins: list[Login] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    sessions: int = 0


def simulate(url: str, strategy: Strategy, seed: int = SEED) -> Simulated:
    found = Simulated()
    desk = partial(
        ServiceDesk,
        strategy=strategy,
        seed=seed,
        redis_url=url,
        emit=found.events.append,
    )
    people = draw_people(seed, LOGINS, between=BETWEEN)
    with redis.Redis.from_url(url) as client:
        client.flushall()
        found.logins = Day(people, World(seed), desk).run()
        found.sessions = sum(1 for _ in client.scan_iter("ses:*"))
    return found


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = RedisServer()
    yield server.url
    server.close()


@pytest.fixture(scope="module")
def day(store: str) -> Simulated:
    return simulate(store, Strategy("priorities"))


def test_everybody_ends_in_one_way(day: Simulated) -> None:
    ends = Counter(it.state for it in day.logins)

    assert len(day.logins) == LOGINS
    assert ends.keys() <= {"done", "left", "ignored"}
    assert ends["done"] > LOGINS / 2
    assert ends["left"] > 0


def test_a_login_is_a_session_at_the_service(day: Simulated) -> None:
    checks = [it for it in day.events if isinstance(it, CodeChecked)]
    done = sum(it.state == "done" for it in day.logins)

    assert day.sessions == done
    assert [it.outcome for it in checks] == ["verified"] * done


def test_every_message_was_taken_by_a_vendor_and_costs(day: Simulated) -> None:
    calls = [it for it in day.events if isinstance(it, ProviderCalled)]
    taken = Counter(it.provider for it in calls if it.outcome == "accepted")
    lines = World(SEED).lines

    assert Counter(name for it in day.logins for name in it.vendors) == taken
    for it in day.logins:
        assert it.paid == pytest.approx(
            sum(lines[name, it.region].price for name in it.vendors)
        )


def test_nobody_types_a_code_that_did_not_come(day: Simulated) -> None:
    for it in day.logins:
        assert (it.code_after is None) == (it.state == "left")
        assert it.code_after is None or it.code_after > 0


def test_the_same_seed_gives_the_same_day(store: str) -> None:
    first, second = (simulate(store, Strategy("adaptive")) for _ in range(2))

    assert first.logins == second.logins
    assert first.logins != simulate(store, Strategy("adaptive"), seed=2).logins


def test_shadow_changes_no_traffic(store: str, day: Simulated) -> None:
    shadowed = simulate(store, Strategy("priorities", shadow=True))

    chosen = [it for it in shadowed.events if isinstance(it, RouteChosen)]
    assert len(chosen) >= LOGINS
    assert not any(it.obeyed for it in chosen)
    assert shadowed.logins == day.logins
    # Also where chance has a say: a vendor that lost weight is kept by a draw.
    assert any(isinstance(it, VendorWeightChanged) for it in day.events)


def test_the_oracle_sends_nothing_into_an_outage() -> None:
    people = draw_people(SEED, LOGINS, between=(SILENCE.begins, SILENCE.ends - 600))

    logins = Day(people, World(SEED), Oracle).run()

    assert not any(SILENCE.vendor in it.vendors for it in logins)
    assert sum(it.state == "done" for it in logins) > 0.9 * LOGINS
