"""A service whose names would not be the old ones is not ready."""

from pathlib import Path

import pytest
import redis

from backend.app import main
from backend.composition.subject_key import refuse_other_names
from config.config import load_settings
from tests.backend.api import PHONE, Api, assert_problem, production
from tests.backend.conftest import MakeApi
from tests.redis_server import free_port
from tests.simulator import Simulator

OTHER_KEY = {"SUBJECT_KEY": "c3ViamVjdC1rZXktb2YtdGhpcnR5LXR3by1ieXRlcyE"}


def ready(api: Api) -> tuple[int, str | None]:
    answer = api.call("GET", "/readyz")
    (check,) = answer.json["checks"]["redis:connection"]
    return answer.status_code, check.get("output")


def record(api: Api) -> Api:
    """Do what comes round every minute, and at once when the service is started."""
    api.chores.rounds["subject key"]()
    return api


def test_a_service_with_another_subject_key_is_not_ready(make_api: MakeApi) -> None:
    usual, other = record(make_api()), record(make_api(**OTHER_KEY))

    assert ready(usual) == (200, None)
    status, reason = ready(other)

    assert status == 503
    assert reason
    assert reason.startswith("SUBJECT_KEY: ")
    assert ready(usual) == (200, None)


def test_it_is_ready_where_the_change_is_wanted(make_api: MakeApi) -> None:
    usual = record(make_api())
    changing = record(make_api(**OTHER_KEY, SUBJECT_KEY_CHANGE="true"))

    assert ready(changing) == (200, None)
    assert ready(make_api(**OTHER_KEY)) == (200, None)
    assert ready(usual)[0] == 503


def test_to_ask_puts_nothing_on_record(make_api: MakeApi, store: redis.Redis) -> None:
    api = make_api()

    assert ready(api) == (200, None)
    assert not store.exists("subject_key")


def test_nobody_is_served_by_another_name(make_api: MakeApi) -> None:
    usual, other = make_api(), make_api(**OTHER_KEY)
    usual.start(PHONE)

    answer = other.send(PHONE)

    assert_problem(answer, 503, "store_unavailable")
    assert other.call("GET", "/livez").status_code == 200
    usual.clock.advance(60)
    assert usual.send(PHONE).status_code == 202


def test_another_name_is_noticed_once_redis_is_back(
    make_api: MakeApi, store: redis.Redis
) -> None:
    other = make_api(**OTHER_KEY)
    record(make_api())

    # As after a start without Redis: nothing was compared before this request.
    assert_problem(other.send(PHONE), 503, "store_unavailable")
    store.delete("subject_key")
    record(other)
    assert other.send(PHONE).status_code == 202


def test_a_secret_of_one_start_leaves_no_record(
    make_api: MakeApi, store: redis.Redis
) -> None:
    passing = {"FLASK_ENV": "development", "SECRET_KEY": None, "SUBJECT_KEY": None}
    first = make_api(**passing)
    first.start(PHONE)

    assert ready(make_api(**passing)) == (200, None)
    assert not store.exists("subject_key")


def test_a_record_that_redis_lost_is_made_again(
    make_api: MakeApi, store: redis.Redis
) -> None:
    usual = record(make_api())
    store.flushall()
    record(usual)

    assert ready(make_api(**OTHER_KEY))[0] == 503


def test_the_embedded_store_begins_with_any_key(development: Api) -> None:
    assert ready(development) == (200, None)


@pytest.fixture
def variables(simulator: Simulator, redis_url: str) -> dict[str, str]:
    return production(simulator, redis_url)


def test_the_service_does_not_start_with_another_subject_key(
    variables: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    refuse_other_names(load_settings(environ=variables, env_file=None))
    for name, value in {**variables, **OTHER_KEY, "PORT": str(free_port())}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app"])

    code = main()

    assert code == 78
    assert "SUBJECT_KEY: is not the one" in capsys.readouterr().err


def test_without_redis_it_starts_and_nothing_is_on_record(
    variables: dict[str, str], redis_url: str
) -> None:
    nowhere = {"REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    settings = load_settings(environ={**variables, **nowhere}, env_file=None)

    assert not refuse_other_names(settings)
    with redis.Redis.from_url(redis_url) as client:
        assert not client.exists("subject_key")
