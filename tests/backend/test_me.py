"""GET /api/me: who the bearer of a token is, while the session lives."""

import base64
import json
from typing import Any

import jwt
import pytest
import redis

from tests.backend.api import PHONE, Api, assert_problem
from tests.backend.conftest import MakeApi

MASKED = "+91********10"


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _segment(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return _base64url(text.encode())


def _claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def assert_refused(api: Api, token: str) -> None:
    answer = api.me(token)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


def test_a_token_names_its_bearer_with_every_field(api: Api) -> None:
    body = api.login(PHONE, device_name="Asha's phone")
    claims = _claims(body["access_token"])
    api.clock.advance(100)

    answer = api.me(body["access_token"])

    assert answer.status_code == 200
    assert answer.json == {
        "user": {"id": body["user"]["id"], "phone": MASKED, "roles": ["customer"]},
        "session": {
            "id": claims["sid"],
            "device": "Asha's phone",
            "created_at": claims["auth_time"],
            "expires_in": 500,
        },
    }


def test_the_number_is_shown_whole_with_scope_phone_alone(api: Api) -> None:
    without = api.login(PHONE)
    api.clock.advance(31)
    logins = [api.login(PHONE, scope="phone"), without]

    shown = [api.me(it["access_token"]).json["user"]["phone"] for it in logins]

    assert shown == [PHONE, MASKED]
    assert [it["user"]["phone"] for it in logins] == [PHONE, PHONE]


def test_the_scheme_is_read_in_any_case(api: Api) -> None:
    token = api.login(PHONE)["access_token"]

    answer = api.call("GET", "/api/me", headers={"Authorization": f"bEARER {token}"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer a.b.c.d.e",
        "Bearer " + "A" * 4000,
        "Bearer \xff\xfe",
        f"Bearer {_segment([])}.{_segment({})}.x",
        f"Bearer {_segment('null')}.{_segment({})}.x",
        f"Bearer {_segment({'alg': 'ES256', 'kid': [1]})}.{_segment({})}.x",
        f"Bearer {_segment({'alg': 'ES256', 'kid': '../../dev/null'})}.e30.AA",
        f"Bearer {_segment({'alg': 'none'})}.{_segment({'sub': 'me'})}.",
        f"Bearer {_segment({'alg': 'ES256', 'crit': ['b64'], 'b64': False})}.e30.AA",
        f"Bearer {_segment('[' * 2000)}.e30.AA",
    ],
)
def test_what_is_no_token_is_refused(shared_api: Api, header: str) -> None:
    answer = shared_api.call("GET", "/api/me", headers={"Authorization": header})

    assert (answer.status_code, answer.json["code"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjpwYXNz"])
def test_who_sends_no_token_is_told_to(shared_api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    answer = shared_api.call("GET", "/api/me", headers=headers)

    assert_problem(answer, 401, "invalid_token")
    assert answer.json["detail"].startswith("A token is needed here")
    # RFC 6750 3.1: nothing that was sent is wrong.
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_in_the_query_does_not_count(api: Api) -> None:
    token = api.login(PHONE)["access_token"]

    assert api.call("GET", f"/api/me?access_token={token}").status_code == 401


def test_a_token_ends_with_its_time(api: Api) -> None:
    token = api.login(PHONE)["access_token"]
    api.clock.advance(631)  # Half a minute of leeway for clocks.

    assert_refused(api, token)


def test_a_token_ends_with_its_session(api: Api, store: redis.Redis) -> None:
    token = api.login(PHONE)["access_token"]
    (key,) = store.scan_iter("ses:*")
    store.delete(key)

    assert_refused(api, token)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TOKEN_ISSUER", "https://auth.shop.example.evil.example"),
        ("TOKEN_AUDIENCE", "quickcart-staging"),
    ],
)
def test_tokens_of_another_issuer_or_audience_are_refused(
    make_api: MakeApi, setting: str, value: str
) -> None:
    ours, theirs = make_api(), make_api(**{setting: value})
    token = theirs.login(PHONE)["access_token"]

    assert theirs.me(token).status_code == 200
    assert_refused(ours, token)


def test_another_secret_opens_nothing(make_api: MakeApi) -> None:
    api = make_api()
    token = api.login(PHONE)["access_token"]
    other = make_api(SECRET_KEY="q8Wn3zRk5vTb1yGm7xJc2hLd9sPf4aUe")

    assert_refused(other, token)


def test_the_keys_are_public_cacheable_and_hold_nothing_private(api: Api) -> None:
    answer = api.call("GET", "/.well-known/jwks.json")

    assert answer.headers["Cache-Control"] == "public, max-age=300"
    (key,) = answer.json["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == (
        "EC",
        "P-256",
        "sig",
        "ES256",
    )
