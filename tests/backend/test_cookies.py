"""Cookie mode: our pages never hold the refresh token, and others cannot use it."""

from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

from tests.backend.api import PHONE, Answer, Api, assert_problem, without_request_id
from tests.backend.conftest import MakeApi

SHOP = "https://shop.example"
NAME = "__Host-qc_refresh"
OURS = {"X-Requested-With": "QuickCart"}


@pytest.fixture
def shop_api(make_api: MakeApi) -> Api:
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    # The browser's part is played by hand.
    api.client = api.app.test_client(use_cookies=False)
    return api


def login(api: Api, **fields: Any) -> Answer:
    verification = api.start(PHONE, origin=SHOP)
    answer = api.verify(
        verification, PHONE, api.code_of(PHONE), origin=SHOP, session="cookie", **fields
    )
    assert answer.status_code == 200, answer.text
    return answer


def cookie_of(answer: Answer) -> "Morsel[str]":
    (header,) = answer.headers.getlist("Set-Cookie")
    return SimpleCookie(header)[NAME]


def renew(api: Api, cookie: str, *, origin: str = SHOP, **headers: str) -> Answer:
    return api.call(
        "POST",
        "/api/token",
        data={"grant_type": "refresh_token"},
        origin=origin,
        headers={"Cookie": f"{NAME}={cookie}", **headers},
    )


def test_the_refresh_token_is_in_a_cookie_out_of_scripts_reach(shop_api: Api) -> None:
    answer = login(shop_api)

    cookie = cookie_of(answer)
    assert cookie.value.startswith("qcr_")
    assert cookie["httponly"]
    assert cookie["secure"]
    assert cookie["path"] == "/"
    assert cookie["domain"] == ""
    assert cookie["samesite"] == "Strict"
    assert int(cookie["max-age"]) == answer.json["refresh_expires_in"] == 14 * 86_400
    assert "qcr_" not in answer.text
    assert "refresh_token" not in answer.json


def test_token_mode_sets_no_cookie(shop_api: Api) -> None:
    verification = shop_api.start(PHONE, origin=SHOP)

    answer = shop_api.verify(verification, PHONE, shop_api.code_of(PHONE), origin=SHOP)

    assert answer.json["refresh_token"].startswith("qcr_")
    assert "Set-Cookie" not in answer.headers


def test_a_page_renews_with_the_cookie_and_never_sees_it(shop_api: Api) -> None:
    first = cookie_of(login(shop_api)).value
    shop_api.clock.advance(86_400)

    answer = renew(shop_api, first, **OURS)

    assert answer.status_code == 200, answer.text
    second = cookie_of(answer)
    assert second.value != first
    assert int(second["max-age"]) == 14 * 86_400
    assert "qcr_" not in answer.text
    assert shop_api.me(answer.json["access_token"]).status_code == 200


@pytest.mark.parametrize(
    "headers", [{}, {"X-Requested-With": "XMLHttpRequest"}, {"X-Requested-With": ""}]
)
def test_the_cookie_alone_renews_nothing(
    shop_api: Api, headers: dict[str, str]
) -> None:
    cookie = cookie_of(login(shop_api)).value
    shop_api.clock.advance(60)

    answer = renew(shop_api, cookie, **headers)

    assert answer.status_code == 400, answer.text
    assert "access_token" not in answer.json
    # Nor was it used up.
    assert renew(shop_api, cookie, **OURS).status_code == 200


@pytest.mark.parametrize("path", ["/api/me", "/api/sessions"])
def test_the_cookie_is_no_access_token(shop_api: Api, path: str) -> None:
    cookie = cookie_of(login(shop_api)).value
    headers = {"Cookie": f"{NAME}={cookie}", **OURS}

    assert_problem(
        shop_api.call("GET", path, origin=SHOP, headers=headers), 401, "invalid_token"
    )


def test_logout_by_cookie_ends_the_session_and_clears_the_cookie(
    shop_api: Api,
) -> None:
    answer = login(shop_api)
    cookie = cookie_of(answer).value
    shop_api.clock.advance(3_600)

    out = shop_api.call(
        "POST",
        "/api/logout",
        origin=SHOP,
        headers={"Cookie": f"{NAME}={cookie}", **OURS},
    )

    assert (out.status_code, out.data) == (204, b"")
    cleared = cookie_of(out)
    assert (cleared.value, cleared["max-age"], cleared["path"]) == ("", "0", "/")
    assert cleared["secure"]
    assert renew(shop_api, cookie, **OURS).json["error"] == "invalid_grant"


def test_nobody_is_logged_out_by_the_cookie_alone(shop_api: Api) -> None:
    answer = login(shop_api)
    cookie = cookie_of(answer).value

    out = shop_api.call(
        "POST", "/api/logout", origin=SHOP, headers={"Cookie": f"{NAME}={cookie}"}
    )

    assert_problem(out, 401, "invalid_token")
    assert shop_api.me(answer.json["access_token"]).status_code == 200


@pytest.mark.parametrize(
    "value", ["", "x", "qcr_", "qcr_" + "A" * 76, "\xff", "a" * 3000]
)
def test_a_cookie_that_is_none_of_ours_is_like_none(shop_api: Api, value: str) -> None:
    headers = {"Cookie": f"{NAME}={value}", **OURS}

    with_cookie = shop_api.call("POST", "/api/logout", origin=SHOP, headers=headers)
    without = shop_api.call("POST", "/api/logout", origin=SHOP)

    assert_problem(with_cookie, 401, "invalid_token")
    assert without_request_id(with_cookie) == without_request_id(without)
    assert renew(shop_api, value, **OURS).status_code == 400


def preflight(api: Api, origin: str, path: str = "/api/token") -> Answer:
    return api.call(
        "OPTIONS",
        path,
        origin=origin,
        headers={
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-requested-with",
        },
    )


def allowed(answer: Answer) -> dict[str, Any]:
    return {
        name: value
        for name, value in answer.headers
        if name.lower().startswith("access-control")
    }


def test_a_storefront_may_send_the_cookie_and_the_header(shop_api: Api) -> None:
    headers = allowed(preflight(shop_api, SHOP))

    assert headers["Access-Control-Allow-Origin"] == SHOP
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Access-Control-Allow-Headers"].lower() == "x-requested-with"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://SHOP.example"]
)
def test_a_foreign_page_may_neither_send_the_header_nor_read_the_answer(
    shop_api: Api, origin: str
) -> None:
    cookie = cookie_of(login(shop_api)).value

    answers = [
        preflight(shop_api, origin),
        renew(shop_api, cookie, origin=origin),
        shop_api.call("POST", "/api/logout", origin=origin),
    ]

    assert [allowed(it) for it in answers] == [{}, {}, {}]


def test_where_any_origin_may_call_none_may_with_cookies(
    make_development: MakeApi,
) -> None:
    api = make_development(STOREFRONT_ORIGINS="*")

    headers = allowed(preflight(api, "http://localhost:3000"))

    assert "Access-Control-Allow-Origin" in headers
    assert "Access-Control-Allow-Credentials" not in headers
