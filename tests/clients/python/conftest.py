"""The service as a process, for the kit."""

from collections.abc import Iterator

import pytest
import redis

from tests.backend.api import production
from tests.clients.python.running import ADMIN, Running
from tests.redis_server import RedisServer
from tests.simulator import Simulator


@pytest.fixture(scope="module")
def started(
    redis_server: RedisServer,
    running_simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()  # Of signing keys that other tests left.
    variables = production(running_simulator, redis_server.url)
    folder = tmp_path_factory.mktemp("service")
    running = Running(
        folder, {**variables, "ADMIN_PHONES": ADMIN, "WORKERS": "1"}, running_simulator
    )
    try:
        running.service.wait_until_ready()
        yield running
    finally:
        running.service.close()


@pytest.fixture
def running(
    started: Running,
    redis_url: str,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
) -> Running:
    """The running service, its store emptied; the examples' settings point at it."""
    monkeypatch.setenv("AUTH_ISSUER", started.issuer)
    monkeypatch.setenv("AUTH_CLIENT_SECRET", started.secret)
    return started
