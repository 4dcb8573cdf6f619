"""Thirty simulated days of a storefront, a person's devices, and a service."""

from typing import Any

import jwt
import pytest

from tests.backend.api import PHONE, Api
from tests.backend.conftest import MakeApi
from tests.backend.oauth import AUDIENCE, ISSUER, Service, assert_oauth_error

SHOP = "https://shop.example"
DAY = 86_400
# What a service that checks by itself grants clocks, as we do.
LEEWAY = 30


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api(STOREFRONT_ORIGINS=SHOP)


@pytest.fixture
def service(api: Api) -> Service:
    service = Service(api)
    service.change(expires=int(api.clock.now()) + 60 * DAY)
    return service


def accepts(api: Api, token: str) -> bool:
    """Check a token as a service does offline: by the published keys alone."""
    keys = jwt.PyJWKSet.from_dict(api.call("GET", "/.well-known/jwks.json").json)
    header = jwt.get_unverified_header(token)
    assert header["typ"] == "at+jwt"
    claims = jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=["ES256"],
        audience=AUDIENCE,
        issuer=ISSUER,
        # By the simulated clock, which PyJWT does not know.
        options={"verify_exp": False, "verify_iat": False},
    )
    return bool(claims["exp"] + LEEWAY > api.clock.now())


def is_active(service: Service, token: str) -> bool:
    return bool(service.introspect(token).json["active"])


def log_in(api: Api, device: str) -> Any:
    api.clock.advance(31)
    return api.login(PHONE, origin=SHOP, device_name=device)


def refresh(api: Api, body: Any) -> Any:
    answer = api.refresh(body["refresh_token"], origin=SHOP)
    assert answer.status_code == 200, answer.text
    return answer.json


def assert_over(api: Api, service: Service, body: Any) -> None:
    """Find a session that is nowhere good any more, and said so in one way."""
    assert_oauth_error(
        api.refresh(body["refresh_token"], origin=SHOP), 400, "invalid_grant"
    )
    assert service.introspect(body["refresh_token"]).json == {"active": False}
    assert service.introspect(body["access_token"]).json == {"active": False}
    assert api.me(body["access_token"]).status_code == 401


def test_a_month_of_daily_visits_and_an_absolute_end(
    api: Api, service: Service
) -> None:
    phone, tablet = log_in(api, "Phone"), log_in(api, "Tablet")
    subject, seen = phone["user"]["id"], set()

    for day in range(1, 30):
        api.clock.advance(DAY)
        assert not accepts(api, phone["access_token"])
        phone = refresh(api, phone)
        seen.add(phone["refresh_token"])

        left = min(14, 30 - day) * DAY
        assert left - 60 <= phone["refresh_expires_in"] <= left
        assert accepts(api, phone["access_token"])
        assert is_active(service, phone["access_token"])
        assert is_active(service, phone["refresh_token"])
        assert api.me(phone["access_token"]).json["user"]["id"] == subject
        devices = [
            it["device"] for it in api.sessions(phone["access_token"]).json["sessions"]
        ]
        assert devices == (["Phone", "Tablet"] if day < 14 else ["Phone"])
        assert is_active(service, tablet["refresh_token"]) == (day < 14)
    api.clock.advance(DAY)

    assert len(seen) == 29
    assert_over(api, service, tablet)
    assert_over(api, service, phone)
    again = log_in(api, "Phone")
    assert (again["user"]["id"], again["user"]["first_login"]) == (subject, False)


def test_a_visit_on_the_last_day_of_idleness_is_in_time(
    api: Api, service: Service
) -> None:
    body = log_in(api, "Phone")

    for _ in range(2):
        api.clock.advance(14 * DAY - 60)
        body = refresh(api, body)
    api.clock.advance(2 * DAY + 120)

    assert_over(api, service, body)


def test_a_logout_is_known_at_once_to_who_asks_and_soon_to_who_does_not(
    api: Api, service: Service
) -> None:
    body = log_in(api, "Phone")
    for _ in range(3):
        api.clock.advance(DAY)
        body = refresh(api, body)
    token = body["access_token"]
    assert accepts(api, token)
    assert is_active(service, token)

    assert api.bearing(token, "POST", "/api/logout").status_code == 204

    assert not is_active(service, token)
    assert_over(api, service, body)
    # Who checks offline does not know, for as long as the token lives at the most.
    assert accepts(api, token)
    api.clock.advance(body["expires_in"] + LEEWAY)
    assert not accepts(api, token)


def test_one_device_is_logged_out_from_another(api: Api, service: Service) -> None:
    phone, lost = log_in(api, "Phone"), log_in(api, "Lost phone")
    api.clock.advance(DAY)
    phone = refresh(api, phone)
    token = phone["access_token"]
    (found,) = [
        it["id"]
        for it in api.sessions(token).json["sessions"]
        if it["device"] == "Lost phone"
    ]

    ended = api.bearing(token, "DELETE", f"/api/sessions/{found}")

    assert ended.status_code == 204
    assert_over(api, service, lost)
    assert is_active(service, token)
    assert refresh(api, phone)["access_token"]


def test_logging_out_everywhere_leaves_no_device(api: Api, service: Service) -> None:
    bodies = [log_in(api, name) for name in ("Phone", "Tablet")]
    api.clock.advance(DAY)
    bodies = [refresh(api, body) for body in bodies]
    tokens = [body["access_token"] for body in bodies]
    assert [is_active(service, token) for token in tokens] == [True, True]

    assert api.bearing(tokens[0], "POST", "/api/logout-all").status_code == 204

    for body in bodies:
        assert_over(api, service, body)
    api.clock.advance(630)
    assert [accepts(api, token) for token in tokens] == [False, False]


def test_a_thief_and_the_owner_are_both_out_once_both_have_refreshed(
    api: Api, service: Service
) -> None:
    body = log_in(api, "Phone")
    stolen = body
    api.clock.advance(DAY)
    owners = refresh(api, body)
    api.clock.advance(60)

    theirs = api.refresh(stolen["refresh_token"], origin=SHOP)

    assert_oauth_error(theirs, 400, "invalid_grant")
    assert_over(api, service, owners)
