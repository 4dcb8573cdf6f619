"""What a won check hands out: access tokens, and receipts for other services."""

import time
from typing import Any

import jwt
import redis

from services.identity.keys.signing_keys import derived_signing_key
from tests.backend.api import OTHER_PHONE, PHONE, Api
from tests.backend.conftest import MakeApi

SHOP = "https://shop.example"


def read_token(
    api: Api, token: str, audience: str = "quickcart"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verify a token with another library; return its header and claims."""
    (key,) = jwt.PyJWKSet.from_dict(api.call("GET", "/.well-known/jwks.json").json).keys
    claims = jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        audience=audience,
        issuer="https://auth.shop.example",
        options={"verify_exp": False, "verify_iat": False},
    )
    return jwt.get_unverified_header(token), claims


def test_the_access_token_says_who_and_how_and_no_phone(api: Api) -> None:
    body = api.login(PHONE)

    header, claims = read_token(api, body["access_token"])

    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    now = int(api.clock.now())
    assert len(claims.pop("jti")) == 22
    assert len(claims.pop("sid")) == 38
    # The login's time is Redis's own; the token's is ours, which the test sets.
    assert abs(claims.pop("auth_time") - time.time()) < 60
    assert claims == {
        "iss": "https://auth.shop.example",
        "aud": "quickcart",
        "sub": body["user"]["id"],
        "client_id": "direct",
        "iat": now,
        "exp": now + 600,
        "amr": ["sms"],
        "acr": "aal1",
        "scope": "",
        "roles": ["customer"],
    }


def test_purpose_verify_gives_a_receipt_and_no_session(
    api: Api, store: redis.Redis
) -> None:
    verification = api.start(PHONE, purpose="verify")

    answer = api.verify(verification, PHONE, api.code_of(PHONE))

    assert answer.status_code == 200
    assert set(answer.json) == {"verified", "verification_token", "expires_in"}
    header, claims = read_token(
        api, answer.json["verification_token"], "quickcart/verification"
    )
    assert header["typ"] == "verification+jwt"
    assert claims["phone_number"] == PHONE
    assert claims["phone_number_verified"] is True
    assert claims["purpose"] == "verify"
    assert not list(store.scan_iter("ses:*"))


def test_a_receipt_is_no_access_token(api: Api) -> None:
    verification = api.start(PHONE, purpose="verify")
    won = api.verify(verification, PHONE, api.code_of(PHONE))

    assert api.me(won.json["verification_token"]).status_code == 401


def test_the_storefront_is_the_tokens_client(make_api: MakeApi) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    verification = api.start(PHONE, origin=SHOP)

    won = api.verify(verification, PHONE, api.code_of(PHONE), origin=SHOP)

    assert read_token(api, won.json["access_token"])[1]["client_id"] == SHOP


def test_admins_are_named_in_the_settings(make_api: MakeApi) -> None:
    api = make_api(ADMIN_PHONES=PHONE)

    admin, customer = api.login(PHONE), api.login(OTHER_PHONE)

    assert admin["user"]["roles"] == ["customer", "admin"]
    assert customer["user"]["roles"] == ["customer"]
    _, claims = read_token(api, admin["access_token"])
    assert claims["roles"] == ["customer", "admin"]


def test_tokens_are_signed_with_the_configured_key(make_api: MakeApi) -> None:
    pem = derived_signing_key(b"another secret").decode()
    api = make_api(JWT_SIGNING_KEY=pem)
    plain = make_api()

    token = api.login(PHONE)["access_token"]

    assert read_token(api, token)[0]["typ"] == "at+jwt"
    assert api.me(token).status_code == 200
    assert plain.me(token).status_code == 401
