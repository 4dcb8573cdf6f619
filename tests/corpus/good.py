"""Good tokens as the service writes them, by a key of one's own."""

from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

ISSUER, AUDIENCE = "https://auth.shop.example", "quickcart"
SUBJECT, SESSION = "VGhpcyBpcyBhIHN1YmplY3", "VGhpcyBpcyBhIHNlc3Npb24gb2YgYSBwZXJzb2"
PHONE = "+919876543210"


def new_key() -> bytes:
    """Return a private key of ES256 as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def good_access(pem: bytes, *, now: int, **claims: Any) -> str:
    """Return an access token as the service writes them."""
    own = {"sid": SESSION, "scope": "", "roles": ["customer"]}
    return _good(pem, "at+jwt", {"aud": AUDIENCE, **own, **claims}, now)


def good_receipt(pem: bytes, *, now: int, **claims: Any) -> str:
    """Return a verification token as the service writes them."""
    own = {"aud": f"{AUDIENCE}/verification", "purpose": "verify"}
    phone = {"phone_number": PHONE, "phone_number_verified": True}
    return _good(pem, "verification+jwt", {**own, **phone, **claims}, now)


def _good(pem: bytes, typ: str, claims: dict[str, Any], now: int) -> str:
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
    headers = {"typ": typ, "kid": "corpus"}
    return jwt.encode({**common, **claims}, pem, algorithm="ES256", headers=headers)
