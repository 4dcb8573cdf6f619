"""A phone change that is cut short leaves the person at one number, wherever."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import redis

from backend.composition.store import Store, open_redis
from config.config import Settings
from services.events import Emit
from services.scripts import Command, Exchange, HeldConnections, ScriptRunner
from tests.backend.api import OTHER_PHONE, PHONE, Api, production
from tests.fakes import FakeClock
from tests.simulator import Simulator


class Faulty:
    """An exchange that breaks after ``left`` scripts, or with the answer to one."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.left: int | None = None
        self.answer_is_lost = False

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        if self.left is None or commands == [("TIME",)]:
            return self._exchange(commands, once=once)
        self.left -= 1
        if self.left >= 0:
            return self._exchange(commands, once=once)
        if self.left == -1 and self.answer_is_lost:
            self._exchange(commands, once=once)
        raise redis.ConnectionError


class FaultyApi(Api):
    """The service on a store that can be broken between any two scripts."""

    faults: Faulty

    def _open_store(self, settings: Settings, emit: Emit) -> Store:
        self._redis, _ = open_redis(settings, emit)
        self.faults = Faulty(HeldConnections(self._redis.connection_pool))
        return self._redis, ScriptRunner(self.faults, emit=emit)


@pytest.fixture
def faulty_api(redis_url: str, simulator: Simulator, clock: FakeClock) -> Any:
    api = FaultyApi(production(simulator, redis_url), simulator=simulator, clock=clock)
    yield api
    api.close()


# Session, limits, check; then leaving, arriving and forgetting take one each or more.
@pytest.mark.parametrize("answer_is_lost", [False, True])
@pytest.mark.parametrize("left", range(12))
def test_a_change_cut_short_anywhere_heals(
    faulty_api: FaultyApi,
    dump: Callable[[], dict[str, Any]],
    left: int,
    *,
    answer_is_lost: bool,
) -> None:
    api = faulty_api
    body = api.login(PHONE)
    subject = body["user"]["id"]
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)
    # A script that the server does not know yet takes two exchanges.
    assert api.me(body["access_token"]).status_code == 200

    api.faults.left, api.faults.answer_is_lost = left, answer_is_lost
    answer = api.change_phone(body, verification, OTHER_PHONE, code)
    api.faults.left = None

    assert answer.status_code in {200, 503}
    api.clock.advance(60)
    there = api.login(OTHER_PHONE)
    has_moved = there["user"]["id"] == subject
    assert has_moved == (left + answer_is_lost >= 3)
    assert has_moved or answer.status_code == 503
    assert (api.me(body["access_token"]).status_code == 200) is not has_moved
    here = api.login(PHONE)
    assert (here["user"]["id"] == subject) is not has_moved
    for side in (there, here):
        assert api.me(side["access_token"]).status_code == 200
    assert "coming_from" not in str(dump())


def test_a_move_that_was_cut_short_ends_the_old_sessions_with_the_next_refresh(
    faulty_api: FaultyApi,
) -> None:
    api = faulty_api
    body = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)
    api.faults.left = 3
    moved = api.change_phone(body, verification, OTHER_PHONE, code)
    api.faults.left = None
    assert moved.status_code == 200
    assert api.me(body["access_token"]).status_code == 200

    assert api.refresh(moved.json["refresh_token"]).status_code == 200

    assert api.me(body["access_token"]).status_code == 401
    assert api.refresh(body["refresh_token"]).status_code == 400
