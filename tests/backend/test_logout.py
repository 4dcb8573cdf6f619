"""Logging out: here, everywhere, and when the access token is long gone."""

from typing import Any

import pytest

from tests.backend.api import OTHER_PHONE, PHONE, Answer, Api, assert_problem


def logout(api: Api, body: Any, path: str = "/api/logout") -> Answer:
    return api.bearing(body["access_token"], "POST", path)


def is_alive(api: Api, body: Any) -> bool:
    status = api.me(body["access_token"]).status_code
    assert status in {200, 401}
    return status == 200


def test_logout_ends_the_session_at_once(api: Api) -> None:
    body = api.login(PHONE)

    answer = logout(api, body)

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Type" not in answer.headers
    assert not is_alive(api, body)
    assert api.refresh(body["refresh_token"]).json["error"] == "invalid_grant"


def test_logout_may_be_said_twice(api: Api) -> None:
    body = api.login(PHONE)

    assert [logout(api, body).status_code for _ in range(3)] == [204, 204, 204]


def test_logout_leaves_other_sessions_alone(api: Api) -> None:
    first = api.login(PHONE)
    api.clock.advance(31)
    second, other = api.login(PHONE), api.login(OTHER_PHONE)

    logout(api, first)

    assert [is_alive(api, it) for it in (first, second, other)] == [False, True, True]


def test_whoever_holds_the_refresh_token_may_log_out(api: Api) -> None:
    body = api.login(PHONE)
    api.clock.advance(86_400)

    answers = [
        api.post("/api/logout", {"refresh_token": body["refresh_token"]})
        for _ in range(2)
    ]

    assert [it.status_code for it in answers] == [204, 204]
    assert api.refresh(body["refresh_token"]).status_code == 400


def test_an_expired_access_token_does_not_stand_in_the_way(api: Api) -> None:
    body = api.login(PHONE)
    api.clock.advance(86_400)

    answer = api.bearing(
        body["access_token"],
        "POST",
        "/api/logout",
        json={"refresh_token": body["refresh_token"]},
    )

    assert answer.status_code == 204
    assert api.refresh(body["refresh_token"]).status_code == 400


@pytest.mark.parametrize("alteration", ["", "x", "qcr_", "cut", "flipped"])
def test_what_is_no_refresh_token_logs_nobody_out(api: Api, alteration: str) -> None:
    body = api.login(PHONE)
    token = body["refresh_token"]
    flipped = token[:30] + ("A" if token[30] != "A" else "B") + token[31:]
    given = {"cut": token[:-1], "flipped": flipped}.get(alteration, alteration)

    answer = api.post("/api/logout", {"refresh_token": given or "-"})

    assert_problem(answer, 401, "invalid_token")
    assert is_alive(api, body)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({}, 422, "invalid_request"),
        ({"refresh_token": 1}, 422, "invalid_request"),
        ({"refresh_token": "x" * 401}, 422, "invalid_request"),
        ({"refresh_token": "x", "all": True}, 422, "invalid_request"),
        ([], 400, "malformed_request"),
    ],
)
def test_a_body_that_makes_no_sense_is_said_to(
    shared_api: Api, given: object, status: int, code: str
) -> None:
    assert_problem(shared_api.post("/api/logout", given), status, code)


def test_logout_everywhere_ends_this_session_too(api: Api) -> None:
    first = api.login(PHONE)
    api.clock.advance(31)
    second, other = api.login(PHONE), api.login(OTHER_PHONE)

    answer = logout(api, second, "/api/logout-all")

    assert (answer.status_code, answer.data) == (204, b"")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert [is_alive(api, it) for it in (first, second, other)] == [False, False, True]
    assert api.refresh(first["refresh_token"]).status_code == 400
    assert_problem(logout(api, second, "/api/logout-all"), 401, "invalid_token")


def test_a_refresh_token_ends_no_other_session(api: Api) -> None:
    body = api.login(PHONE)

    answer = api.call(
        "POST",
        "/api/logout-all",
        json={"refresh_token": body["refresh_token"]},
    )

    assert_problem(answer, 401, "invalid_token")
    assert is_alive(api, body)


def test_ends_are_counted_by_their_reason(api: Api) -> None:
    logout(api, api.login(PHONE))
    logout(api, api.login(OTHER_PHONE), "/api/logout-all")

    metrics = api.telemetry.metrics.render().decode()

    assert 'sessions_ended_total{reason="logout"} 1.0' in metrics
    assert 'sessions_ended_total{reason="logout_all"} 1.0' in metrics
