"""Good tokens as the service writes them, by keys of one's own."""

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.corpus.forge import Key, algorithm_of

ISSUER, AUDIENCE = "https://auth.shop.example", "quickcart"
SUBJECT, SESSION = "VGhpcyBpcyBhIHN1YmplY3", "VGhpcyBpcyBhIHNlc3Npb24gb2YgYSBwZXJzb2"
PHONE = "+919876543210"
ALGORITHMS = ("ES256", "EdDSA", "RS256")
# Enough for tests, and made in a moment.
_RSA_BITS, _RSA_EXPONENT = 2_048, 65_537


def new_key(algorithm: str = "ES256") -> bytes:
    """Return a private key of one of the three algorithms as PEM."""
    key: Key
    match algorithm:
        case "ES256":
            key = ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            key = ed25519.Ed25519PrivateKey.generate()
        case _:
            key = rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def good_access(pem: bytes, *, now: int, kid: str = "corpus", **claims: Any) -> str:
    """Return an access token as the service writes them."""
    own = {"sid": SESSION, "scope": "", "roles": ["customer"]}
    header = {"typ": "at+jwt", "kid": kid}
    return _good(pem, header, {"aud": AUDIENCE, **own, **claims}, now)


def good_receipt(pem: bytes, *, now: int, kid: str = "corpus", **claims: Any) -> str:
    """Return a verification token as the service writes them."""
    own = {"aud": f"{AUDIENCE}/verification", "purpose": "verify"}
    phone = {"phone_number": PHONE, "phone_number_verified": True}
    header = {"typ": "verification+jwt", "kid": kid}
    return _good(pem, header, {**own, **phone, **claims}, now)


def _good(pem: bytes, header: dict[str, Any], claims: dict[str, Any], now: int) -> str:
    common = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "client_id": "https://shop.example",
        "iat": now,
        "exp": now + 600,
        "jti": "VGhpcyBpcyBhIHRva2VuIG",
        "auth_time": now,
        "amr": ["sms"],
        "acr": "aal1",
    }
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Key)
    algorithm = algorithm_of(key)
    return jwt.encode({**common, **claims}, key, algorithm=algorithm, headers=header)
