"""Tokens: what they say, and what is not taken for one."""

import base64
import hmac
import json
from typing import Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidToken
from services.identity.keys import SigningKeys, derived_signing_key
from services.identity.sessions import Session
from services.identity.tokens import Tokens
from tests.fakes import FakeClock

ISSUER = "https://auth.shop.example"
SESSION = Session("s" * 38, "subject", "+919876543210", ["customer"], 1_800_000_000)
PEM = derived_signing_key(b"a secret of the service")
KEYS = SigningKeys(PEM)


def tokens(clock: FakeClock | None = None) -> Tokens:
    return Tokens(
        KEYS,
        issuer=ISSUER,
        audience="shop",
        ttl_seconds=600,
        clock=clock or FakeClock(),
    )


def access() -> str:
    return tokens().issue_access(SESSION, client_id="https://shop.example")


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
        "client_id": "https://shop.example",
        "iat": 1_800_000_000,
        "exp": 1_800_000_600,
        "sid": SESSION.id,
        "auth_time": 1_800_000_000,
        "amr": ["sms"],
        "acr": "aal1",
        "scope": "",
        "roles": ["customer"],
    }
    assert pyjwt.get_unverified_header(access()) == {
        "alg": "ES256",
        "typ": "at+jwt",
        "kid": KEYS.signing.kid,
    }


def test_a_good_token_is_good() -> None:
    found = tokens().check_access(access())

    assert (found.subject, found.session_id) == ("subject", SESSION.id)
    assert found.expires_in == 600


def test_a_stock_library_verifies_by_the_public_keys() -> None:
    (jwk,) = tokens().jwks()["keys"]
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
    (jwk,) = tokens().jwks()["keys"]

    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}


def test_a_verification_token_is_no_access_token() -> None:
    receipt = tokens().issue_verification(
        subject="subject", e164="+919876543210", client_id="direct"
    )

    assert claims_of(receipt)["phone_number"] == "+919876543210"
    assert pyjwt.get_unverified_header(receipt)["typ"] == "verification+jwt"
    with pytest.raises(InvalidToken):
        tokens().check_access(receipt)


@pytest.mark.parametrize(("seconds", "good"), [(629, True), (630, False)])
def test_a_token_ends_with_half_a_minute_of_leeway(seconds: int, *, good: bool) -> None:
    clock = FakeClock()
    token = tokens(clock).issue_access(SESSION, client_id="direct")
    clock.advance(seconds)

    if good:
        assert tokens(clock).check_access(token).expires_in == 0
    else:
        with pytest.raises(InvalidToken):
            tokens(clock).check_access(token)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": ISSUER + ".evil.example"},
        {"iss": ISSUER[:-1]},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["shop", "another"]},
        {"exp": 1_799_999_000},
        {"exp": "1800000600"},
        {"exp": True},
        {"exp": None},
    ],
    ids=str,
)
def test_a_claim_that_is_not_ours_is_refused(changed: dict[str, Any]) -> None:
    token = resign(access(), claims=changed)

    with pytest.raises(InvalidToken):
        tokens().check_access(token)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"kid": "../../dev/null"},
        {"kid": "x" * 10_000},
        {"crit": ["unknown"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": ["ES256"]},
    ],
    ids=lambda it: str(it)[:30],
)
def test_a_header_that_is_not_ours_is_refused(header: dict[str, Any]) -> None:
    token = resign(access(), header=header)

    with pytest.raises(InvalidToken):
        tokens().check_access(token)


def test_our_own_key_in_the_header_of_a_stranger_is_not_trusted() -> None:
    stranger = ec.generate_private_key(ec.SECP256R1())
    pem = stranger.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    jwk = json.loads(pyjwt.algorithms.ECAlgorithm.to_jwk(stranger.public_key()))
    headers = {"typ": "at+jwt", "jwk": jwk, "jku": "https://evil.example/jwks"}

    token = pyjwt.encode(claims_of(access()), pem, algorithm="ES256", headers=headers)

    with pytest.raises(InvalidToken):
        tokens().check_access(token)


@pytest.mark.parametrize("form", ["jwk", "pem", "empty"])
def test_the_public_key_is_no_shared_secret(form: str) -> None:
    (jwk,) = tokens().jwks()["keys"]
    public = pyjwt.PyJWK(jwk).key.public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    secret = {"jwk": json.dumps(jwk).encode(), "pem": public, "empty": b""}[form]
    header = _encode({"alg": "HS256", "typ": "at+jwt", "kid": jwk["kid"]})

    signed = f"{header}.{_encode(claims_of(access()))}"
    signature = hmac.digest(secret, signed.encode(), "sha256")
    token = f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"

    with pytest.raises(InvalidToken):
        tokens().check_access(token)


def test_a_changed_signature_is_refused() -> None:
    head, _, signature = access().rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    for index in range(0, len(raw), 7):
        changed = bytes(byte ^ (1 if at == index else 0) for at, byte in enumerate(raw))
        token = f"{head}.{base64.urlsafe_b64encode(changed).decode().rstrip('=')}"
        with pytest.raises(InvalidToken):
            tokens().check_access(token)


@given(st.text(max_size=200))
def test_any_other_text_is_no_token(text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens().check_access(text)


def test_the_derived_key_follows_from_the_secret_alone() -> None:
    again = SigningKeys(derived_signing_key(b"a secret of the service"))
    other = SigningKeys(derived_signing_key(b"another secret"))

    assert again.signing.kid == KEYS.signing.kid != other.signing.kid


def resign(
    token: str,
    *,
    header: dict[str, Any] | None = None,
    claims: dict[str, Any] | None = None,
) -> str:
    """Change a token's header or claims and sign it with the right key all the same."""
    parts = pyjwt.get_unverified_header(token) | (header or {})
    body = claims_of(token) | (claims or {})
    first = _encode({k: v for k, v in parts.items() if v is not None})
    second = _encode({k: v for k, v in body.items() if v is not None})
    algorithm = pyjwt.algorithms.ECAlgorithm(pyjwt.algorithms.ECAlgorithm.SHA256)
    key = algorithm.prepare_key(PEM)
    signed = f"{first}.{second}"
    signature = algorithm.sign(signed.encode(), key)  # type: ignore[arg-type]
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _encode(value: dict[str, Any]) -> str:
    text = json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")
