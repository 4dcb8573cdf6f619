"""Where a person is logged in, as they see it."""

from typing import Any

import jwt
import pytest

from tests.backend.api import (
    OTHER_PHONE,
    PHONE,
    Api,
    assert_problem,
    without_request_id,
)
from tests.backend.conftest import MakeApi

SHOP = "https://shop.example"


def listed(api: Api, body: Any) -> list[dict[str, Any]]:
    answer = api.sessions(body["access_token"])
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["sessions"]
    return found


def id_of(api: Api, body: Any) -> str:
    return str(api.me(body["access_token"]).json["session"]["id"])


def end(api: Api, body: Any, session_id: str) -> Any:
    return api.bearing(body["access_token"], "DELETE", f"/api/sessions/{session_id}")


@pytest.fixture
def two(make_api: MakeApi) -> tuple[Api, Any, Any]:
    """A person who logged in twice, and a minute later used the second one."""
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    first = api.login(PHONE, device_name="Phone")
    api.clock.advance(100)
    second = api.login(PHONE, origin=SHOP, device_name="Laptop")
    return api, first, second


def test_a_list_shows_every_session_with_every_field(
    two: tuple[Api, Any, Any],
) -> None:
    api, first, second = two

    newer, older = listed(api, second)

    created = api.me(second["access_token"]).json["session"]["created_at"]
    assert newer == {
        "id": id_of(api, second),
        "device": "Laptop",
        "client": SHOP,
        "created_at": created,
        "last_used_at": created,
        "current": True,
    }
    assert older["id"] == id_of(api, first)
    assert (older["device"], older["client"]) == ("Phone", "direct")
    assert older["current"] is False
    assert 99 <= newer["created_at"] - older["created_at"] <= 101


def test_the_list_says_when_a_session_was_used_to_the_hour(
    two: tuple[Api, Any, Any],
) -> None:
    api, first, second = two
    api.clock.advance(7_000)

    renewed = api.refresh(first["refresh_token"])
    assert renewed.status_code == 200, renewed.text

    newest, other = listed(api, renewed.json)
    assert newest["id"] == id_of(api, renewed.json)
    assert newest["last_used_at"] % 3_600 == 0
    assert 7_000 - 3_600 < newest["last_used_at"] - newest["created_at"] <= 7_101
    assert other["last_used_at"] == other["created_at"]
    assert other["device"] == "Laptop"
    assert second["user"] == first["user"] | {"first_login": False}


def test_no_address_is_in_the_list(two: tuple[Api, Any, Any]) -> None:
    api, first, _ = two

    assert "198.51.100" not in api.sessions(first["access_token"]).text


def test_others_sessions_are_not_in_the_list(api: Api) -> None:
    mine, other = api.login(PHONE), api.login(OTHER_PHONE)

    assert [it["id"] for it in listed(api, mine)] == [id_of(api, mine)]
    assert [it["id"] for it in listed(api, other)] == [id_of(api, other)]


def test_a_person_ends_one_of_their_sessions(two: tuple[Api, Any, Any]) -> None:
    api, first, second = two

    answer = end(api, second, id_of(api, first))

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert api.me(first["access_token"]).status_code == 401
    assert api.refresh(first["refresh_token"]).status_code == 400
    assert len(listed(api, second)) == 1


def test_to_end_the_current_session_clears_its_cookie_too(api: Api) -> None:
    body = api.login(PHONE)

    answer = end(api, body, id_of(api, body))

    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert api.me(body["access_token"]).status_code == 401


def test_anothers_session_is_as_unknown_as_one_that_never_was(api: Api) -> None:
    mine, other = api.login(PHONE), api.login(OTHER_PHONE)
    own_id, others_id = id_of(api, mine), id_of(api, other)

    answers = [
        end(api, mine, others_id),
        end(api, mine, own_id[:16] + others_id[16:]),
        end(api, mine, own_id[:-1] + "~"),
        end(api, mine, own_id[:16]),
        end(api, mine, "x" * 2000),
    ]

    for answer in answers:
        assert_problem(answer, 404, "not_found")
    bodies = [without_request_id(it) for it in answers]
    assert bodies == [bodies[0]] * 5
    assert api.me(other["access_token"]).status_code == 200
    assert api.me(mine["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/me"),
        ("GET", "/api/sessions"),
        ("DELETE", f"/api/sessions/{'A' * 38}"),
        ("POST", "/api/logout"),
        ("POST", "/api/logout-all"),
        ("POST", "/api/me/phone"),
    ],
)
def test_every_route_refuses_who_is_not_logged_in_with_one_body(
    api: Api, method: str, path: str
) -> None:
    ended, expired = api.login(PHONE), api.login(OTHER_PHONE)
    api.bearing(ended["access_token"], "POST", "/api/logout")
    api.clock.advance(700)

    basic = {"Authorization": "Basic Zm9vOmJhcg=="}
    without = [api.call(method, path), api.call(method, path, headers=basic)]
    bad = [
        api.bearing("x", method, path),
        api.bearing(expired["access_token"], method, path),
        api.bearing(expired["refresh_token"], method, path),
    ]

    refusal = 'Bearer error="invalid_token"'
    # A refresh token would do there, too.
    invitation = refusal if path == "/api/logout" else "Bearer"
    for answers, challenge in ((without, invitation), (bad, refusal)):
        bodies = [without_request_id(it) for it in answers]
        assert bodies == [bodies[0]] * len(bodies)
        for answer in answers:
            assert_problem(answer, 401, "invalid_token")
            assert answer.headers["WWW-Authenticate"] == challenge


def test_a_frozen_person_neither_logs_in_nor_uses_a_session(api: Api) -> None:
    body = api.login(PHONE)
    (tag,) = {it["id"][:16] for it in listed(api, body)}
    api.clock.advance(31)
    verification = api.start(PHONE)
    api.services.identity.people.freeze(tag, "stolen")

    refused = api.verify(verification, PHONE, api.code_of(PHONE))

    assert_problem(refused, 403, "subject_frozen")
    assert "stolen" not in refused.text
    assert api.me(body["access_token"]).status_code == 401
    assert api.refresh(body["refresh_token"]).status_code == 400
    # The code was used up all the same.
    again = api.verify(verification, PHONE, api.code_of(PHONE))
    assert_problem(again, 410, "verification_gone")

    api.services.identity.people.thaw(tag)

    assert api.me(body["access_token"]).status_code == 200


def test_the_phone_is_in_a_token_only_with_its_scope(api: Api) -> None:
    plain = api.login(PHONE)
    api.clock.advance(31)
    scoped = api.login(PHONE, scope="phone")

    claims = [_claims(it["access_token"]) for it in (plain, scoped)]
    renewed = api.refresh(scoped["refresh_token"]).json
    claims.append(_claims(renewed["access_token"]))

    assert [it.get("phone_number") for it in claims] == [None, PHONE, PHONE]
    assert [it.get("phone_number_verified") for it in claims] == [None, True, True]
    assert [it["scope"] for it in claims] == ["", "phone", "phone"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("session", "header"),
        ("session", None),
        ("session", True),
        ("scope", "admin"),
        ("scope", ""),
        ("scope", ["phone"]),
    ],
)
def test_only_what_the_contract_knows_may_be_asked_for(
    shared_api: Api, field: str, value: Any
) -> None:
    answer = shared_api.verify("A" * 43, PHONE, "123456", **{field: value})

    assert_problem(answer, 422, "invalid_request")


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def test_the_settings_say_how_long_sessions_last_and_how_many_there_are(
    make_api: MakeApi,
) -> None:
    api = make_api(SESSION_IDLE_DAYS="1", SESSION_MAX_DAYS="2", SESSIONS_PER_PERSON="2")
    body = api.login(PHONE)
    assert body["refresh_expires_in"] == 86_400

    for _ in range(2):
        api.clock.advance(86_000)
        body = api.refresh(body["refresh_token"]).json
    # The end of the second day comes before that of another idle one.
    assert abs(body["refresh_expires_in"] - 800) <= 2
    api.clock.advance(802)
    assert api.refresh(body["refresh_token"]).status_code == 400

    logins = []
    for _ in range(3):
        logins.append(api.login(PHONE))
        api.clock.advance(120)
    statuses = [api.me(it["access_token"]).status_code for it in logins]
    assert statuses == [401, 200, 200]
