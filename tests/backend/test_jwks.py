"""The keys that others check our tokens by, and how a worker follows them."""

import json
from collections.abc import Iterator

import pytest
import redis

from backend.composition.secrets import secrets_of
from backend.composition.signing_keys import build_key_store, held_keys
from services.errors import StoreUnavailable
from services.identity.keys.signing_keys import (
    generate_signing_key,
    one_key,
    read_signing_key,
)
from services.identity.keys.store import KeyStore
from tests.backend.api import PHONE, Answer, Api, assert_problem
from tests.backend.conftest import MakeApi
from tests.redis_server import free_port
from tests.services.stores import open_real

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def operator(api: Api, redis_url: str) -> Iterator[KeyStore]:
    """What an operator's commands work on."""
    secrets = secrets_of(api.settings)
    held = held_keys(api.settings, secrets)
    store = open_real(redis_url)
    yield build_key_store(secrets, store.scripts, held[0])
    store.close()


def jwks(api: Api, **headers: str) -> Answer:
    return api.call("GET", JWKS, headers=headers)


def kids(api: Api) -> set[str]:
    return {it["kid"] for it in jwks(api).json["keys"]}


def follow(api: Api) -> None:
    api.chores.rounds["signing keys"]()


def test_the_keys_are_kept_for_five_minutes_and_asked_for_by_their_tag(
    api: Api,
) -> None:
    first = jwks(api)

    again = jwks(api, **{"If-None-Match": first.headers["ETag"]})
    other = jwks(api, **{"If-None-Match": '"another"'})

    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == "public, max-age=300"
    assert (other.status_code, other.get_data()) == (200, first.get_data())


def test_all_workers_answer_with_the_same_bytes(
    make_api: MakeApi, operator: KeyStore
) -> None:
    for _ in range(3):
        operator.add(generate_signing_key("ES256"))

    one, other = make_api(), make_api()

    assert jwks(one).get_data() == jwks(other).get_data()
    assert jwks(one).headers["ETag"] == jwks(other).headers["ETag"]


def test_another_set_of_keys_has_another_tag(api: Api, operator: KeyStore) -> None:
    before = jwks(api)
    operator.add(generate_signing_key("EdDSA"))
    follow(api)

    answer = jwks(api, **{"If-None-Match": before.headers["ETag"]})

    assert answer.status_code == 200
    assert answer.headers["ETag"] != before.headers["ETag"]


def test_a_running_service_signs_with_the_key_that_was_activated(
    api: Api, operator: KeyStore
) -> None:
    old = api.login(PHONE)["access_token"]
    built_in = kids(api)
    pem = generate_signing_key("EdDSA")
    kid = read_signing_key(pem).kid
    operator.add(pem)
    follow(api)
    operator.activate(kid, at_once=True)
    follow(api)
    api.clock.advance(60)

    new = api.login(PHONE)["access_token"]

    assert kids(api) == built_in | {kid}
    assert api.me(old).status_code == 200
    assert api.me(new).status_code == 200
    operator.retire(*built_in, at_once=True)
    follow(api)
    assert kids(api) == {kid}
    assert_problem(api.me(old), 401, "invalid_token")
    assert api.me(new).status_code == 200


def test_a_change_is_told_once(api: Api, operator: KeyStore) -> None:
    pem = generate_signing_key("ES256")
    operator.add(pem)
    follow(api)
    follow(api)

    log = api.log.getvalue().decode()

    assert log.count(read_signing_key(pem).kid) == 1


def test_a_row_that_cannot_be_read_is_told_and_stops_nothing(
    api: Api, store: redis.Redis
) -> None:
    before = kids(api)
    store.hset("keys", "x" * 43, "{no JSON")
    follow(api)

    answer = api.login(PHONE)

    assert kids(api) == before
    assert api.me(answer["access_token"]).status_code == 200
    (told,) = [
        json.loads(line) for line in api.log.getvalue().splitlines() if b"xxx" in line
    ]
    assert (told["level"], told["kid"]) == ("warning", "x" * 43)
    assert told["state"] == "unreadable"


def test_health_warns_of_a_key_that_cannot_be_read(
    api: Api, store: redis.Redis
) -> None:
    store.hset("keys", "x" * 43, "[]")
    follow(api)

    answer = api.call("GET", "/readyz")

    (check,) = answer.json["checks"]["keys:signing"]
    assert (answer.status_code, answer.json["status"]) == (200, "warn")
    assert "cannot be read" in check["output"]


def test_a_service_starts_whatever_stands_in_the_place_of_the_keys(
    make_api: MakeApi, store: redis.Redis
) -> None:
    store.set("keys", "no hash")

    api = make_api()

    ready = api.call("GET", "/readyz")
    (check,) = ready.json["checks"]["keys:signing"]
    assert (ready.status_code, check["status"]) == (503, "fail")
    store.delete("keys")
    follow(api)
    assert api.call("GET", "/readyz").status_code == 200


def test_to_follow_costs_one_command(
    api: Api, operator: KeyStore, store: redis.Redis
) -> None:
    operator.add(generate_signing_key("RS256"))
    follow(api)
    before = store.info("commandstats")

    follow(api)

    after = store.info("commandstats")
    ran = {
        name: after[name]["calls"] - before.get(name, {"calls": 0})["calls"]
        for name in after
    }
    assert ran["cmdstat_evalsha"] == 1
    assert not any(ran.get(f"cmdstat_{it}") for it in ("hset", "eval"))


def test_a_configured_key_of_any_kind_signs(make_api: MakeApi) -> None:
    for algorithm in ("EdDSA", "RS256"):
        pem = generate_signing_key(algorithm)
        api = make_api(JWT_SIGNING_KEY=pem.decode())
        api.clock.advance(60)

        token = api.login(PHONE)["access_token"]

        assert kids(api) == {one_key(pem).active().kid}
        assert api.me(token).status_code == 200


def test_keys_and_tokens_need_the_store_until_it_was_read_once(
    make_api: MakeApi,
) -> None:
    api = make_api(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert_problem(jwks(api), 503, "store_unavailable")
    with pytest.raises(StoreUnavailable):
        api.services.identity.keys.active()


def test_the_embedded_store_has_the_built_in_key(development: Api) -> None:
    assert len(kids(development)) == 1
    token = development.login(PHONE)["access_token"]
    assert development.me(token).status_code == 200
