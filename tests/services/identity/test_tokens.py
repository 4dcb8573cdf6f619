"""Tokens: what they say, and which claims are good; forgeries are in test_corpus."""

from dataclasses import replace
from typing import Any, cast

import jwt as pyjwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidToken
from services.identity.keys.signing_keys import (
    Algorithm,
    SigningKey,
    SigningKeys,
    derived_signing_key,
    generate_signing_key,
    one_key,
)
from services.identity.people.records import Session
from services.identity.tokens import AccessToken, ServiceToken, Tokens
from tests.corpus.forge import Forge
from tests.fakes import FakeClock

ISSUER = "https://auth.shop.example"
SHOP = "https://shop.example"
PHONE = "+919876543210"
SESSION = Session(
    id="s" * 38,
    subject="subject",
    client_id=SHOP,
    created=1_799_990_000,
    used=1_799_999_000,
    ends=1_801_000_000,
    device="",
    amr="sms",
    scope="",
    roles=["customer"],
    counter=1,
    sealed_phone="sealed",
    age=10_000,
    expires_in=1_000_000,
)
PEM = derived_signing_key(b"a secret of the service")
KEYS = one_key(PEM)


def tokens(clock: FakeClock | None = None, keys: SigningKeys = KEYS) -> Tokens:
    return Tokens(
        keys,
        issuer=ISSUER,
        audience="shop",
        audiences={"https://other.example": "other"},
        ttl_seconds=600,
        clock=clock or FakeClock(),
    )


def access() -> str:
    return tokens().issue_access(SESSION)


def service() -> str:
    return tokens().issue_service("svc-orders", ["otp:send", "admin"])


def claims_of(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = pyjwt.decode(token, options={"verify_signature": False})
    return decoded


def test_an_access_token_says_what_rfc_9068_asks_for() -> None:
    claims = claims_of(access())

    jti = claims.pop("jti")
    assert len(jti) == 22
    assert claims == {
        "iss": ISSUER,
        "aud": "shop",
        "sub": "subject",
        "client_id": SHOP,
        "iat": 1_800_000_000,
        "exp": 1_800_000_600,
        "sid": SESSION.id,
        "auth_time": 1_799_990_000,
        "amr": ["sms"],
        "acr": "aal1",
        "scope": "",
        "roles": ["customer"],
    }
    assert pyjwt.get_unverified_header(access()) == {
        "alg": "ES256",
        "typ": "at+jwt",
        "kid": KEYS.active().kid,
    }


def test_a_good_token_is_good() -> None:
    token = access()

    assert tokens().check_access(token) == AccessToken(
        id=claims_of(token)["jti"],
        subject="subject",
        session_id=SESSION.id,
        client_id=SHOP,
        audience="shop",
        scope="",
        roles=["customer"],
        issued_at=1_800_000_000,
        expires_at=1_800_000_600,
        expires_in=600,
    )


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_every_kind_of_key_signs_and_verifies(algorithm: Algorithm) -> None:
    ours = tokens(keys=one_key(generate_signing_key(algorithm)))

    token = ours.issue_access(SESSION)

    assert pyjwt.get_unverified_header(token)["alg"] == algorithm
    assert ours.check_access(token).subject == "subject"
    with pytest.raises(InvalidToken):
        tokens().check_access(token)


def test_a_storefronts_tokens_are_for_its_own_audience_and_good_here() -> None:
    token = tokens().issue_access(replace(SESSION, client_id="https://other.example"))

    assert claims_of(token)["aud"] == "other"
    assert tokens().check_access(token).audience == "other"


@pytest.mark.parametrize(
    ("scope", "phone", "shown"),
    [("phone", PHONE, True), ("", PHONE, False), ("phone", None, False)],
)
def test_the_phone_is_in_a_token_with_its_scope_alone(
    scope: str, phone: str | None, *, shown: bool
) -> None:
    claims = claims_of(
        tokens().issue_access(replace(SESSION, scope=scope), phone=phone)
    )

    assert ("phone_number" in claims) == shown
    assert claims.get("phone_number_verified", False) == shown


def test_a_service_token_names_the_service_and_is_for_us() -> None:
    token = service()

    claims = claims_of(token)
    assert tokens().check_service(token) == ServiceToken(
        id=claims["jti"],
        client_id="svc-orders",
        scopes=["otp:send", "admin"],
        issued_at=1_800_000_000,
        expires_at=1_800_000_600,
    )
    assert claims["sub"] == "svc-orders"
    assert "sid" not in claims


def test_a_services_token_is_no_persons_and_a_persons_no_services() -> None:
    with pytest.raises(InvalidToken):
        tokens().check_access(service())
    with pytest.raises(InvalidToken):
        tokens().check_service(access())


def test_where_issuer_and_audience_are_one_both_kinds_stay_apart() -> None:
    ours = Tokens(
        KEYS, issuer="shop", audience="shop", ttl_seconds=600, clock=FakeClock()
    )

    assert isinstance(ours.check(ours.issue_access(SESSION)), AccessToken)
    assert isinstance(ours.check(ours.issue_service("svc-a", [])), ServiceToken)


def test_a_stock_library_verifies_by_the_public_keys() -> None:
    (jwk,) = KEYS.jwks()["keys"]
    key = pyjwt.PyJWK(jwk).key

    claims = pyjwt.decode(
        access(),
        key,
        algorithms=["ES256"],
        audience="shop",
        issuer=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )

    assert claims["sub"] == "subject"


def test_the_key_set_holds_nothing_private() -> None:
    (jwk,) = KEYS.jwks()["keys"]

    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_token_stays_good_when_its_key_is_read_anew() -> None:
    pem = generate_signing_key("ES256")

    class Reread:
        """The same key, in another object, as after ``keys import``."""

        keys = one_key(pem)

        def active(self) -> SigningKey:
            return self.keys.active()

        def find(self, kid: str) -> SigningKey | None:
            return self.keys.find(kid)

    keys = Reread()
    ours = tokens(keys=cast("SigningKeys", keys))
    token = ours.issue_access(SESSION)
    ours.check_access(token)

    keys.keys = one_key(pem)

    assert ours.check_access(token).subject == "subject"
    keys.keys = one_key(generate_signing_key("ES256"))
    with pytest.raises(InvalidToken):
        ours.check_access(token)


def test_a_verification_token_is_no_access_token() -> None:
    receipt = tokens().issue_verification(
        subject="subject", e164=PHONE, client_id=SHOP, amr="tel"
    )

    claims = claims_of(receipt)
    assert (claims["phone_number"], claims["phone_number_verified"]) == (PHONE, True)
    assert (claims["aud"], claims["amr"]) == ("shop/verification", ["tel"])
    assert claims["auth_time"] == claims["iat"]
    assert pyjwt.get_unverified_header(receipt)["typ"] == "verification+jwt"
    with pytest.raises(InvalidToken):
        tokens().check_access(receipt)


@pytest.mark.parametrize(("seconds", "good"), [(629, True), (630, False)])
def test_a_token_ends_with_half_a_minute_of_leeway(seconds: int, *, good: bool) -> None:
    clock = FakeClock()
    token = tokens(clock).issue_access(SESSION)
    clock.advance(seconds)

    if good:
        assert tokens(clock).check_access(token).subject == "subject"
    else:
        with pytest.raises(InvalidToken):
            tokens(clock).check_access(token)


@pytest.mark.parametrize(
    "changed",
    [
        {"iat": 1_800_000_031},
        {"nbf": 1_800_000_031},
        {"sid": 7},
        {"roles": "admin"},
        {"roles": [7]},
        {"auth_time": None},
        {"scope": None},
        {"jti": None},
    ],
    ids=str,
)
def test_a_claim_that_is_not_ours_is_refused(changed: dict[str, Any]) -> None:
    token = Forge.of(access(), PEM).with_claims(**changed)

    with pytest.raises(InvalidToken):
        tokens().check_access(token)


@pytest.mark.parametrize(
    "changed", [{"iat": 1_800_000_030}, {"nbf": 1_800_000_030}, {"more": 1}], ids=str
)
def test_a_claim_that_does_no_harm_is_good(changed: dict[str, Any]) -> None:
    token = Forge.of(access(), PEM).with_claims(**changed)

    assert tokens().check_access(token).subject == "subject"


@pytest.mark.parametrize(
    "changed",
    [{"aud": "shop"}, {"sub": "svc-other"}, {"aud": ISSUER + "/"}, {"scope": 7}],
    ids=str,
)
def test_a_service_token_that_is_not_ours_is_refused(changed: dict[str, Any]) -> None:
    token = Forge.of(service(), PEM).with_claims(**changed)

    with pytest.raises(InvalidToken):
        tokens().check_service(token)


def test_a_token_of_more_than_8_kib_is_not_looked_at() -> None:
    room = 8_192 - len(access())
    fits, too_long = (
        Forge.of(access(), PEM).with_claims(more="x" * (room * 3 // 4 + extra))
        for extra in (-60, 40)
    )

    assert len(fits) <= 8_192 < len(too_long)
    assert tokens().check_access(fits).subject == "subject"
    with pytest.raises(InvalidToken):
        tokens().check_access(too_long)


def test_keys_and_addresses_in_the_header_are_ignored() -> None:
    other = {"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x"}

    token = Forge.of(access(), PEM).with_header(**other)

    assert tokens().check_access(token).subject == "subject"


@given(st.text(max_size=200))
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens().check_access(text)


def test_the_derived_key_follows_from_the_secret_alone() -> None:
    again = one_key(derived_signing_key(b"a secret of the service"))
    other = one_key(derived_signing_key(b"another secret"))

    assert again.active().kid == KEYS.active().kid != other.active().kid
