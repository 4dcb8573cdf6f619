"""What tests share: real Redis, the simulator, a clock, and an app with verbs."""

from collections.abc import Iterator

import pytest
import redis

from tests.fakes import FakeClock
from tests.redis_server import RedisServer
from tests.simulator import Simulator


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real server for the whole run."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The real server's address, emptied."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def running_simulator() -> Iterator[Simulator]:
    """The vendors, for the whole run."""
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    """The vendors, with no rules and no messages."""
    running_simulator.clear()
    return running_simulator


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
