"""The service on real Redis and simulated vendors, and in development."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis

from backend.cli.__main__ import main
from tests.backend.api import Api, production, vendors
from tests.fakes import FakeClock
from tests.redis_server import RedisServer
from tests.simulator import Simulator

MakeApi = Callable[..., Api]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def make_api(
    redis_url: str, simulator: Simulator, clock: FakeClock
) -> Iterator[MakeApi]:
    """Build the service of production, some settings changed; None unsets one."""
    with ExitStack() as made:

        def make(**variables: str | None) -> Api:
            wanted = {**production(simulator, redis_url), **variables}
            given = {name: it for name, it in wanted.items() if it is not None}
            api = Api(given, simulator=simulator, clock=clock)
            made.callback(api.close)
            return api

        yield make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """The service of production."""
    return make_api()


@pytest.fixture(scope="session")
def lasting_api(
    redis_server: RedisServer, running_simulator: Simulator
) -> Iterator[Api]:
    """One service of production for the whole run."""
    variables = production(running_simulator, redis_server.url)
    api = Api(variables, simulator=running_simulator, clock=FakeClock())
    yield api
    api.close()


@pytest.fixture
def shared_api(lasting_api: Api, redis_url: str, simulator: Simulator) -> Api:
    """It, with store and vendors emptied: for tests that leave no other trace."""
    return lasting_api


@pytest.fixture
def make_development(simulator: Simulator, clock: FakeClock) -> Iterator[MakeApi]:
    """Build the service of development: embedded store, console behind the vendors."""
    with ExitStack() as made:

        def make(**variables: str) -> Api:
            wanted = {"FLASK_ENV": "development", **vendors(simulator), **variables}
            api = Api(wanted, simulator=simulator, clock=clock)
            made.callback(api.close)
            return api

        yield make


@pytest.fixture
def development(make_development: MakeApi) -> Api:
    """The service of development."""
    return make_development()


@pytest.fixture
def store(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the store that ``api`` uses."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def variables(simulator: Simulator, redis_url: str) -> dict[str, str]:
    """The environment of production."""
    return production(simulator, redis_url)


@pytest.fixture
def run(
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Run a command beside the service, some settings changed; "" unsets one.

    It returns the exit code, and what was said on the two outputs.
    """

    def run_it(*arguments: str, **changed: str) -> tuple[int, str, str]:
        for name, value in {**variables, **changed}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        code = main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run_it


@pytest.fixture
def dump(store: redis.Redis) -> Callable[[], dict[str, Any]]:
    """Read all keys and values of the store, whatever their type."""
    readers: dict[Any, Callable[[bytes], Any]] = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"list": lambda key: store.lrange(key, 0, -1),
        b"set": store.smembers,
        b"zset": lambda key: store.zrange(key, 0, -1, withscores=True),
        b"stream": store.xrange,
    }

    def read() -> dict[str, Any]:
        return {
            key.decode(): readers[store.type(key)](key) for key in store.scan_iter("*")
        }

    return read


@pytest.fixture
def untouched(shared_api: Api, dump: Callable[[], dict[str, Any]]) -> Iterator[Api]:
    """The service, and proof afterwards that nothing was sent or changed."""
    yield shared_api
    assert shared_api.simulator.messages() == []
    # Whoever comes first to a store marks whose names are in it.
    assert set(dump()) <= {"subject_key"}
