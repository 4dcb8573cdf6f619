"""Browsers: the configured storefronts may call, nobody else may."""

import pytest

from tests.backend.api import PHONE, Answer, Api
from tests.backend.conftest import MakeApi

SHOP = "https://shop.example"


@pytest.fixture
def shop_api(make_api: MakeApi) -> Api:
    return make_api(STOREFRONT_ORIGINS=f"{SHOP}, https://app.example:8443")


def preflight(api: Api, origin: str, path: str = "/api/send-otp") -> Answer:
    return api.call(
        "OPTIONS",
        path,
        origin=origin,
        headers={
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )


@pytest.mark.parametrize("origin", [SHOP, "https://app.example:8443"])
def test_a_storefront_may_call(shop_api: Api, origin: str) -> None:
    asked, sent = preflight(shop_api, origin), shop_api.send(PHONE, origin=origin)

    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert asked.headers["Access-Control-Allow-Headers"].lower() == "content-type"
    assert asked.headers["Access-Control-Max-Age"] == "600"
    assert sent.status_code == 202
    assert sent.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in sent.headers["Vary"]


def test_a_storefront_may_read_errors_and_what_they_say(shop_api: Api) -> None:
    answer = shop_api.send("nonsense", origin=SHOP)

    assert answer.status_code == 422
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    exposed = answer.headers["Access-Control-Expose-Headers"]
    assert {it.strip() for it in exposed.split(",")} == {
        "X-Request-Id",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
    }


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "*",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "https://shop.example:8443",
        "https://shop.example:443",
        "https://shop.example/",
        "https://shopXexample",
        "https://app.example",
        "https://SHOP.EXAMPLE",
        "https://user@shop.example",
        "https://shop.example, https://evil.example",
    ],
)
def test_nobody_else_may(shop_api: Api, origin: str) -> None:
    asked, sent = preflight(shop_api, origin), shop_api.send(PHONE, origin=origin)

    for answer in (asked, sent):
        assert not [
            name for name, _ in answer.headers if "access-control" in name.lower()
        ]


def test_a_storefront_may_send_cookies(shop_api: Api) -> None:
    asked = preflight(shop_api, SHOP)

    assert asked.headers["Access-Control-Allow-Credentials"] == "true"


def test_without_storefronts_no_browser_may_call(api: Api) -> None:
    assert "Access-Control-Allow-Origin" not in preflight(api, SHOP).headers


def test_routes_outside_the_api_are_no_business_of_a_browsers(shop_api: Api) -> None:
    asked = preflight(shop_api, SHOP, path="/metrics")

    assert "Access-Control-Allow-Origin" not in asked.headers


@pytest.mark.parametrize("origin", ["http://[::1]:3000", "capacitor://localhost"])
def test_every_kind_of_origin_that_the_settings_take_works(
    make_development: MakeApi, origin: str
) -> None:
    api = make_development(STOREFRONT_ORIGINS=origin)

    assert preflight(api, origin).headers["Access-Control-Allow-Origin"] == origin


def test_all_origins_may_call_in_development(make_development: MakeApi) -> None:
    api = make_development(STOREFRONT_ORIGINS="*")

    sent = api.send(PHONE, origin="http://localhost:3000")

    assert sent.headers["Access-Control-Allow-Origin"] in {"*", "http://localhost:3000"}


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"],
)
def test_what_a_form_can_send_is_refused(shop_api: Api, content_type: str) -> None:
    """A browser sends these across origins without asking first."""
    answer = shop_api.call(
        "POST",
        "/api/send-otp",
        data=f'{{"phone": "{PHONE}"}}',
        content_type=content_type,
        origin="https://evil.example",
    )

    assert (answer.status_code, answer.json["code"]) == (415, "unsupported_media_type")
    assert shop_api.simulator.messages() == []
