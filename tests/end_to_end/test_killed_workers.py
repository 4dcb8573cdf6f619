"""Workers killed while a vendor holds their send: what they held is free again."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis

from tests.backend.api import Api, phones, production
from tests.end_to_end.service import Service
from tests.fakes import FakeClock
from tests.simulator import Simulator

FIRST, HELD, *OTHERS = phones(7)
CAP = 3
HOLD_SECONDS = 60
SPEND = "spend:{all}:spend_global:"


@pytest.fixture
def variables(simulator: Simulator, redis_url: str) -> dict[str, str]:
    """One vendor, every message of which costs one unit."""
    apart = ("FAST2SMS_API_KEY", "FAST2SMS_BASE_URL")
    found = production(simulator, redis_url)
    return {
        **{name: it for name, it in found.items() if name not in apart},
        "SPEND_GLOBAL": f"{CAP}/24h",
        "PRICE_UNKNOWN": "1",
        "RULE_MODES": "sends_per_ip=off, phones_per_ip=off",
    }


@pytest.fixture
def service(variables: dict[str, str], tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path, variables=variables)
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.close()


@pytest.fixture
def later(variables: dict[str, str], simulator: Simulator) -> Iterator[Api]:
    """One more worker on the same Redis, whose clock the test moves."""
    api = Api(variables, simulator=simulator, clock=FakeClock())
    yield api
    api.close()


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def wait_for(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(500):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("it never came")


def test_what_killed_workers_held_is_free_after_a_minute_and_the_cap_holds(
    service: Service, later: Api, simulator: Simulator, store: redis.Redis
) -> None:
    def held() -> int:
        return int(store.hget(SPEND, "held") or 0)

    def ask() -> None:
        # Nobody is left to answer.
        with suppress(OSError, http.client.HTTPException):
            service.send(HELD)

    assert service.send(FIRST).status == 202
    wait_for(lambda: not held())
    simulator.add_rule("hang", to=HELD)
    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: simulator.messages(to=HELD))
    assert held() == 1_000_000

    service.kill_workers()
    asking.join()
    service.wait_until_ready()

    # The hold of the dead counts as long as the message might still be under way.
    assert held() == 1_000_000
    assert service.send(OTHERS[0]).status == 202
    wait_for(lambda: held() == 1_000_000)
    refused = service.send(OTHERS[1])
    assert (refused.status, refused.json["code"]) == (503, "spend_limit")
    later.clock.advance(HOLD_SECONDS - 15)
    assert later.send(OTHERS[1]).json["code"] == "spend_limit"

    later.clock.advance(16)

    assert later.send(OTHERS[1]).status_code == 202
    later.settle()
    assert later.send(OTHERS[2]).json["code"] == "spend_limit"
    assert held() == 0
    taken = [it for it in simulator.messages() if it.outcome == "accepted"]
    assert len(taken) == CAP
