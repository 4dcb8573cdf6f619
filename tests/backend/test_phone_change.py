"""A person takes their account along to another number."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.cookies import refresh_cookie
from tests.backend.api import (
    OTHER_PHONE,
    PHONE,
    Answer,
    Api,
    assert_problem,
    fields_of,
)
from tests.backend.conftest import MakeApi
from tests.services.threads import at_once


def move(api: Api, body: Any, phone: str = OTHER_PHONE, **options: Any) -> Answer:
    """Ask for a code on another number and move there."""
    verification = api.start(phone, purpose="change")
    return api.change_phone(body, verification, phone, api.code_of(phone), **options)


def is_alive(api: Api, body: Any) -> bool:
    return api.me(body["access_token"]).status_code == 200


def test_the_account_moves_with_its_subject_and_a_new_login(api: Api) -> None:
    body = api.login(PHONE, device_name="Phone", scope="phone")

    answer = move(api, body)

    assert answer.status_code == 200, answer.text
    moved = answer.json
    assert set(moved) == set(body)
    assert moved["user"] == {
        "id": body["user"]["id"],
        "phone": OTHER_PHONE,
        "roles": ["customer"],
        "first_login": False,
    }
    session = api.me(moved["access_token"]).json
    assert session["user"]["phone"] == OTHER_PHONE
    assert session["session"]["device"] == "Phone"
    assert api.refresh(moved["refresh_token"]).status_code == 200


def test_the_code_to_move_with_comes_in_words_of_its_own(api: Api) -> None:
    sent = api.send(OTHER_PHONE, purpose="change")

    assert (sent.status_code, sent.json["purpose"]) == (202, "change")
    assert "verification code" in api.simulator.messages(to=OTHER_PHONE)[-1].text
    again = api.status(sent.json["verification_id"])
    assert again.json["state"] == "pending"


def test_all_sessions_of_the_old_number_end(api: Api) -> None:
    first = api.login(PHONE)
    api.clock.advance(31)
    second = api.login(PHONE)

    moved = move(api, second).json

    assert [is_alive(api, it) for it in (first, second, moved)] == [False, False, True]
    assert api.refresh(first["refresh_token"]).status_code == 400
    assert len(api.sessions(moved["access_token"]).json["sessions"]) == 1


def test_whoever_has_the_old_number_next_is_somebody_else(api: Api) -> None:
    subject = api.login(PHONE)["user"]["id"]
    api.clock.advance(31)
    move(api, api.login(PHONE))
    api.clock.advance(60)

    there, here = api.login(OTHER_PHONE), api.login(PHONE)

    assert there["user"]["id"] == subject
    assert there["user"]["first_login"] is False
    assert here["user"]["id"] != subject
    assert here["user"]["first_login"] is True


def test_a_person_may_move_back(api: Api) -> None:
    body = api.login(PHONE)
    there = move(api, body).json
    api.clock.advance(60)

    back = move(api, there, PHONE)

    assert back.status_code == 200, back.text
    assert back.json["user"]["id"] == body["user"]["id"]
    assert back.json["user"]["phone"] == PHONE
    assert is_alive(api, back.json)


def test_roles_move_along(api: Api) -> None:
    body = api.login(PHONE)
    tag = api.me(body["access_token"]).json["session"]["id"][:16]
    api.services.identity.people.grant(tag, "support")

    moved = move(api, body).json

    roles = api.me(moved["access_token"]).json["user"]["roles"]
    assert roles == ["customer", "support"]


def test_who_holds_the_token_in_a_cookie_moves_by_it(api: Api) -> None:
    body = api.login(PHONE, session="cookie")

    answer = move(api, body, headers={"X-Requested-With": "QuickCart"})

    assert answer.status_code == 200, answer.text
    assert "refresh_token" not in answer.json
    assert f"{refresh_cookie('direct')}=qcr_" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("headers", [{}, {"X-Requested-With": "QuickCart"}])
def test_an_access_token_alone_moves_nothing(api: Api, headers: dict[str, str]) -> None:
    body = api.login(PHONE)
    stolen = {"access_token": body["access_token"]}
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)

    refused = api.change_phone(stolen, verification, OTHER_PHONE, code, headers=headers)

    assert_problem(refused, 401, "invalid_token")
    assert "refresh" in refused.json["detail"]
    # Nor was the code used up.
    moved = api.change_phone(body, verification, OTHER_PHONE, code)
    assert moved.json["user"]["id"] == body["user"]["id"]


@pytest.mark.parametrize("held", ["a used one", "another session's", "anybody's", "x"])
def test_another_refresh_token_than_the_newest_of_the_session_moves_nothing(
    api: Api, held: str
) -> None:
    body = api.login(PHONE)
    api.clock.advance(31)
    tokens = {
        "a used one": body["refresh_token"],
        "another session's": api.login(PHONE)["refresh_token"],
        "anybody's": api.login(OTHER_PHONE)["refresh_token"],
        "x": "x",
    }
    renewed = api.refresh(body["refresh_token"]).json
    new = "+919812345670"

    refused = move(api, {**renewed, "refresh_token": tokens[held]}, new)

    assert_problem(refused, 401, "invalid_token")
    api.clock.advance(31)
    assert move(api, renewed, new).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://other.example", "https://evil.example", "null"]
)
def test_from_another_page_the_cookie_moves_nothing(
    make_api: MakeApi, origin: str
) -> None:
    shop = "https://shop.example"
    api = make_api(STOREFRONT_ORIGINS=f"{shop},https://other.example")
    body = api.login(PHONE, origin=shop, session="cookie")
    verification = api.start(OTHER_PHONE, origin=origin, purpose="change")
    headers = {"X-Requested-With": "QuickCart"}

    refused = api.change_phone(
        body,
        verification,
        OTHER_PHONE,
        api.code_of(OTHER_PHONE),
        headers=headers,
        origin=origin,
    )

    assert_problem(refused, 401, "invalid_token")
    assert is_alive(api, body)


def test_a_cookie_without_our_header_moves_nothing(api: Api) -> None:
    body = api.login(PHONE, session="cookie")

    assert_problem(move(api, body), 401, "invalid_token")
    assert is_alive(api, body)


def test_an_old_login_is_not_enough(api: Api) -> None:
    body = api.login(PHONE)
    api.clock.advance(240)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)
    api.clock.advance(62)

    answer = api.change_phone(body, verification, OTHER_PHONE, code)

    assert_problem(answer, 401, "fresh_login_required")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_user_authentication", max_age="300"'
    )
    fresh = api.login(PHONE)
    again = api.change_phone(fresh, verification, OTHER_PHONE, code)
    assert again.status_code == 200, again.text


def test_a_refresh_makes_no_login_fresh(api: Api) -> None:
    body = api.login(PHONE)
    api.clock.advance(301)
    renewed = api.refresh(body["refresh_token"]).json

    assert_problem(move(api, renewed), 401, "fresh_login_required")


@pytest.mark.parametrize("purpose", ["login", "verify"])
def test_a_code_for_something_else_moves_nothing(api: Api, purpose: str) -> None:
    body = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose=purpose)
    code = api.code_of(OTHER_PHONE)

    answer = api.change_phone(body, verification, OTHER_PHONE, code)

    assert_problem(answer, 410, "verification_gone")
    assert api.verify(verification, OTHER_PHONE, code).status_code == 200
    assert is_alive(api, body)


def test_a_code_to_move_with_logs_nobody_in(api: Api) -> None:
    body = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)

    refused = [
        api.verify(verification, OTHER_PHONE, guess)
        for guess in (code, api.wrong_code_of(OTHER_PHONE))
    ]

    for answer in refused:
        assert_problem(answer, 410, "verification_gone")
    moved = api.change_phone(body, verification, OTHER_PHONE, code)
    assert moved.status_code == 200


def test_a_wrong_code_moves_nothing_and_costs_an_attempt(api: Api) -> None:
    body = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose="change")

    answer = api.change_phone(
        body, verification, OTHER_PHONE, api.wrong_code_of(OTHER_PHONE)
    )

    assert_problem(answer, 400, "wrong_code")
    assert answer.json["attempts_left"] == 4
    assert is_alive(api, body)


def test_anothers_number_is_told_only_to_who_has_its_code(api: Api) -> None:
    body, other = api.login(PHONE), api.login(OTHER_PHONE)
    api.clock.advance(31)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)

    wrong = api.change_phone(
        body, verification, OTHER_PHONE, api.wrong_code_of(OTHER_PHONE)
    )
    right = api.change_phone(body, verification, OTHER_PHONE, code)

    assert_problem(wrong, 400, "wrong_code")
    assert_problem(right, 409, "phone_in_use")
    assert other["user"]["id"] not in right.text
    assert is_alive(api, body)
    assert is_alive(api, other)
    assert api.simulator.messages(to=PHONE)[-1].text.count("changed") == 0


@pytest.mark.parametrize("spelling", [PHONE, "+91 98765 43210", "9876543210"])
def test_the_number_that_it_has_is_no_new_one(api: Api, spelling: str) -> None:
    body = api.login(PHONE)

    answer = api.change_phone(body, "A" * 43, spelling, "123456")

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["phone"]
    assert is_alive(api, body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", 7),
        ("otp", "12345"),
        ("verification_id", ""),
        ("refresh_token", ""),
        ("refresh_token", "x" * 401),
        ("session", "token"),
        ("scope", "phone"),
    ],
)
def test_a_field_that_is_not_valid_is_named(
    api: Api, field: str, value: object
) -> None:
    body = api.login(PHONE)
    good = {"verification_id": "A" * 43, "phone": OTHER_PHONE, "otp": "123456"}

    answer = api.bearing(
        body["access_token"], "POST", "/api/me/phone", json={**good, field: value}
    )

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == [field]


def test_a_code_moves_an_account_once(api: Api) -> None:
    body = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)
    token = body["access_token"]

    def change(_: int) -> int:
        client = api.app.test_client()
        return client.post(
            "/api/me/phone",
            json={
                "verification_id": verification,
                "phone": OTHER_PHONE,
                "otp": code,
                "refresh_token": body["refresh_token"],
            },
            headers={"Authorization": f"Bearer {token}"},
            environ_base={"REMOTE_ADDR": "198.51.100.7"},
        ).status_code

    statuses = at_once(8, change)

    assert statuses.count(200) == 1
    # The others came after it: their session was over, or the code was used.
    assert set(statuses) <= {200, 401, 410}


def test_no_number_is_in_the_store_after_a_move(
    api: Api, dump: Callable[[], dict[str, Any]]
) -> None:
    move(api, api.login(PHONE, scope="phone"))

    stored = str(dump())

    for phone in (PHONE, OTHER_PHONE):
        assert phone[1:] not in stored
        assert phone[3:] not in stored


def test_a_frozen_number_takes_nobody_in(make_api: MakeApi) -> None:
    api = make_api()
    other = api.login(OTHER_PHONE)
    tag = api.me(other["access_token"]).json["session"]["id"][:16]
    api.services.identity.people.freeze(tag, "stolen")
    api.clock.advance(31)

    assert_problem(move(api, api.login(PHONE)), 403, "subject_frozen")
