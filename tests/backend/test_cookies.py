"""Cookie mode: our pages never hold the refresh token, and others cannot use it."""

import re
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest

from backend.cookies import refresh_cookie
from tests.backend.api import (
    PHONE,
    Answer,
    Api,
    assert_problem,
    fields_of,
    without_request_id,
)
from tests.backend.conftest import MakeApi
from tests.backend.oauth import assert_oauth_error

SHOP, OTHER_SHOP = "https://shop.example", "https://fresh.example"
NAME = refresh_cookie(SHOP)
OURS = {"X-Requested-With": "QuickCart"}


@pytest.fixture
def shop_api(make_api: MakeApi) -> Api:
    api = make_api(STOREFRONT_ORIGINS=f"{SHOP},{OTHER_SHOP}")
    # The browser's part is played by hand.
    api.client = api.app.test_client(use_cookies=False)
    return api


def login(api: Api, origin: str = SHOP, **fields: Any) -> Answer:
    verification = api.start(PHONE, origin=origin)
    answer = api.verify(
        verification,
        PHONE,
        api.code_of(PHONE),
        origin=origin,
        session="cookie",
        **fields,
    )
    assert answer.status_code == 200, answer.text
    return answer


def cookie_of(answer: Answer, origin: str = SHOP) -> "Morsel[str]":
    (header,) = answer.headers.getlist("Set-Cookie")
    return SimpleCookie(header)[refresh_cookie(origin)]


def renew(
    api: Api,
    cookie: str,
    *,
    origin: str | None = SHOP,
    name: str = NAME,
    **headers: str,
) -> Answer:
    return api.call(
        "POST",
        "/api/token",
        data={"grant_type": "refresh_token"},
        origin=origin,
        headers={"Cookie": f"{name}={cookie}", **headers},
    )


def logout(api: Api, cookie: str, *, origin: str = SHOP, name: str = NAME) -> Answer:
    return api.call(
        "POST",
        "/api/logout",
        origin=origin,
        headers={"Cookie": f"{name}={cookie}", **OURS},
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


def test_two_storefronts_in_one_browser_keep_their_own_sessions(
    shop_api: Api,
) -> None:
    # A jar that all pages share, as they all call the same host.
    jar = SimpleCookie()
    for origin in (SHOP, OTHER_SHOP):
        jar.load(login(shop_api, origin).headers["Set-Cookie"])
        shop_api.clock.advance(60)
    assert len(jar) == 2
    cookies = "; ".join(f"{it.key}={it.value}" for it in jar.values())

    for origin in (SHOP, OTHER_SHOP):
        answer = shop_api.call(
            "POST",
            "/api/token",
            data={"grant_type": "refresh_token"},
            origin=origin,
            headers={"Cookie": cookies, **OURS},
        )
        assert answer.status_code == 200, answer.text
        assert cookie_of(answer, origin).value.startswith("qcr_")


def test_a_name_that_the_cookie_has_is_any_clients_alone() -> None:
    names = {refresh_cookie(it) for it in (SHOP, OTHER_SHOP, "direct", "svc-orders")}

    assert len(names) == 4
    assert all(re.fullmatch(r"__Host-qc_refresh-[0-9a-f]{8}", it) for it in names)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://SHOP.example", ""]
)
def test_a_foreign_page_renews_nothing_with_the_header(
    make_api: MakeApi, origin: str
) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    api.client = api.app.test_client(use_cookies=False)
    body = api.login(PHONE)
    name, token = refresh_cookie("direct"), body["refresh_token"]

    renewed = renew(api, token, origin=origin, name=name, **OURS)
    out = logout(api, token, origin=origin, name=name)

    assert_oauth_error(renewed, 400, "invalid_request")
    assert_problem(out, 401, "invalid_token")
    assert renew(api, token, origin=None, name=name, **OURS).status_code == 200


def test_a_foreign_page_is_told_that_cookies_are_not_for_it(shop_api: Api) -> None:
    evil = "https://evil.example"
    verification = shop_api.start(PHONE, origin=evil)
    code = shop_api.code_of(PHONE)

    refused = shop_api.verify(verification, PHONE, code, origin=evil, session="cookie")

    assert_problem(refused, 422, "invalid_request")
    assert fields_of(refused) == ["session"]
    assert "Set-Cookie" not in refused.headers
    # Nor was the code used up.
    answer = shop_api.verify(verification, PHONE, code, origin=evil)
    assert answer.status_code == 200


def test_anothers_token_in_the_cookie_is_refused_and_ends_nothing(
    shop_api: Api,
) -> None:
    cookie = cookie_of(login(shop_api)).value
    name = refresh_cookie(OTHER_SHOP)
    shop_api.clock.advance(60)

    renewed = renew(shop_api, cookie, origin=OTHER_SHOP, name=name, **OURS)
    out = logout(shop_api, cookie, origin=OTHER_SHOP, name=name)

    assert_oauth_error(renewed, 400, "invalid_grant")
    assert_problem(out, 401, "invalid_token")
    assert "Set-Cookie" not in renewed.headers
    assert "Set-Cookie" not in out.headers
    assert renew(shop_api, cookie, **OURS).status_code == 200


def test_a_frozen_persons_cookie_is_kept_until_they_are_thawed(shop_api: Api) -> None:
    answer = login(shop_api)
    cookie = cookie_of(answer).value
    me = shop_api.me(answer.json["access_token"]).json
    tag = me["session"]["id"][:16]
    shop_api.services.identity.people.freeze(tag, "stolen")

    refused = renew(shop_api, cookie, **OURS)

    assert_oauth_error(refused, 400, "invalid_grant")
    assert "Set-Cookie" not in refused.headers
    shop_api.services.identity.people.thaw(tag)
    assert renew(shop_api, cookie, **OURS).status_code == 200


def test_the_cookie_of_a_session_that_is_over_is_cleared(shop_api: Api) -> None:
    answer = login(shop_api)
    first = cookie_of(answer).value
    renew(shop_api, first, **OURS)
    shop_api.clock.advance(60)

    reused = renew(shop_api, first, **OURS)
    gone = renew(shop_api, first, **OURS)

    for refused in (reused, gone):
        assert_oauth_error(refused, 400, "invalid_grant")
        assert (cookie_of(refused).value, cookie_of(refused)["max-age"]) == ("", "0")


@pytest.mark.parametrize("path", ["/api/logout", "/api/logout-all"])
def test_logout_by_the_access_token_clears_its_storefronts_cookie(
    shop_api: Api, path: str
) -> None:
    token = login(shop_api).json["access_token"]

    out = shop_api.bearing(token, "POST", path, origin=SHOP)

    assert out.status_code == 204
    assert (cookie_of(out).value, cookie_of(out)["max-age"]) == ("", "0")


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

    out = logout(shop_api, cookie)

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
