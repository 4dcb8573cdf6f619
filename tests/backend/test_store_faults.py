"""Redis gone: 503, nothing sent, nothing accepted, and back without a restart."""

from collections.abc import Iterator

import pytest
import redis

from tests.backend.api import OTHER_PHONE, PHONE, Api
from tests.backend.conftest import MakeApi
from tests.redis_server import RedisServer, free_port


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that this test may stop."""
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def mortal(make_api: MakeApi, own_redis: RedisServer) -> Api:
    """The service on a server that may be stopped."""
    return make_api(REDIS_URL=own_redis.url)


def test_without_redis_nothing_is_sent(mortal: Api, own_redis: RedisServer) -> None:
    own_redis.stop()

    answer = mortal.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"]) == "1"
    assert answer.json["next"]["sms"] == {"allowed": True, "retry_in": 1}
    assert mortal.simulator.messages() == []


def test_redis_gone_in_mid_flight_stops_every_route_that_needs_it(
    mortal: Api, own_redis: RedisServer
) -> None:
    token = mortal.login(OTHER_PHONE)["access_token"]
    verification = mortal.start(PHONE)
    code = mortal.code_of(PHONE)
    sent = len(mortal.simulator.messages())
    own_redis.stop()

    answers = [
        mortal.send(PHONE, verification_id=verification),
        mortal.verify(verification, PHONE, code),
        mortal.status(verification),
        mortal.me(token),
    ]

    assert {it.status_code for it in answers} == {503}
    assert {it.json["code"] for it in answers} == {"store_unavailable"}
    assert {it.headers["Retry-After"] for it in answers} == {"1"}
    assert len(mortal.simulator.messages()) == sent


def test_probes_tell_a_live_process_from_a_ready_one(
    mortal: Api, own_redis: RedisServer
) -> None:
    assert mortal.call("GET", "/readyz").status_code == 200
    own_redis.stop()

    live, ready, health = (
        mortal.call("GET", path) for path in ("/livez", "/readyz", "/api/health")
    )

    assert live.status_code == 200
    assert (ready.status_code, ready.json["status"]) == (503, "fail")
    assert (health.status_code, health.json["status"]) == (503, "fail")
    (check,) = health.json["checks"]["redis:connection"]
    assert check["output"] == "cannot be written to (ConnectionError)"


def test_a_store_that_takes_no_writes_is_not_ready(
    api: Api, store: redis.Redis
) -> None:
    store.replicaof("127.0.0.1", str(free_port()))
    try:
        sent, ready = api.send(PHONE), api.call("GET", "/readyz")
    finally:
        store.replicaof("NO", "ONE")

    assert (sent.status_code, ready.status_code) == (503, 503)
    assert "ReadOnlyError" in ready.json["checks"]["redis:connection"][0]["output"]
    assert api.send(PHONE).status_code == 202


def test_what_needs_no_store_is_served_without_it(
    mortal: Api, own_redis: RedisServer
) -> None:
    own_redis.stop()

    assert mortal.call("GET", "/.well-known/jwks.json").status_code == 200
    assert mortal.call("GET", "/api/openapi.json").status_code == 200
    assert mortal.send("not a phone").status_code == 422
    assert mortal.me("not a token").status_code == 401


def test_the_service_recovers_without_a_restart(
    mortal: Api, own_redis: RedisServer
) -> None:
    token = mortal.login(OTHER_PHONE)["access_token"]
    own_redis.stop()
    assert mortal.send(PHONE).status_code == 503
    assert mortal.me(token).status_code == 503

    own_redis.start()

    assert mortal.call("GET", "/readyz").status_code == 200
    assert mortal.login(PHONE)["verified"] is True
    # The session was in the server that died; its token is no longer good.
    assert mortal.me(token).status_code == 401


def test_a_restart_that_nobody_saw_is_not_noticed(
    mortal: Api, own_redis: RedisServer
) -> None:
    mortal.login(OTHER_PHONE)
    own_redis.stop()
    own_redis.start()

    assert mortal.login(PHONE)["verified"] is True


def test_redis_gone_is_in_the_log_and_in_the_metrics(
    mortal: Api, own_redis: RedisServer
) -> None:
    own_redis.stop()

    mortal.send(PHONE)

    assert b'"event":"script_ran"' in mortal.log.getvalue()
    metrics = mortal.telemetry.metrics.render().decode()
    assert 'redis_seconds_count{outcome="ConnectionError",script="admit"} 1.0' in (
        metrics
    )


@pytest.mark.parametrize("flushed_before", range(8))
def test_nobody_notices_a_script_flush(
    api: Api, store: redis.Redis, flushed_before: int
) -> None:
    steps = iter(range(8))

    def step() -> None:
        if next(steps) == flushed_before:
            store.script_flush()

    step()
    verification = api.start(PHONE)
    step()
    assert api.status(verification).json["state"] == "pending"
    step()
    wrong = api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    assert (wrong.status_code, wrong.json["attempts_left"]) == (400, 4)
    step()
    api.clock.advance(30)
    assert api.send(PHONE, verification_id=verification).status_code == 202
    step()
    won = api.verify(verification, PHONE, api.code_of(PHONE))
    assert won.status_code == 200
    step()
    assert api.me(won.json["access_token"]).status_code == 200
    step()
    assert api.verify(verification, PHONE, api.code_of(PHONE)).status_code == 410
    step()
    assert api.status(verification).json["state"] == "verified"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_store_that_may_drop_keys_is_not_ready(
    mortal: Api, own_redis: RedisServer, policy: str
) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory-policy", policy)

    answer = mortal.call("GET", "/readyz")

    assert answer.status_code == 503
    (check,) = answer.json["checks"]["redis:connection"]
    assert (check["status"], check["output"]) == (
        "fail",
        f"maxmemory-policy is {policy}",
    )


def test_a_full_store_refuses_and_sends_nothing(
    mortal: Api, own_redis: RedisServer
) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", 1)

    answer = mortal.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert mortal.simulator.messages() == []


def test_a_read_only_replica_is_no_store(mortal: Api, own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        client.replicaof("127.0.0.1", "1")

        answer = mortal.send(PHONE)

        client.replicaof("NO", "ONE")
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert mortal.simulator.messages() == []
    assert mortal.send(PHONE).status_code == 202
