"""What the Python kit's offline check costs beside a bare PyJWT decode."""

import json
import time
from collections.abc import Callable
from statistics import median

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from quickcart_auth import Verifier
from quickcart_auth.http import Document

_ISSUER, _AUDIENCE = "https://auth.shop.example", "quickcart"
_ROUNDS, _CHECKS = 40, 100


def measure(*, rounds: int = _ROUNDS) -> tuple[float, float]:
    """Return CPU microseconds of one check: by the kit, and by PyJWT alone.

    PyJWT is given the parsed key and checks signature, issuer, audience and times. The
    two take turns, and each number is the median of its rounds.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    token, verifier = _token(private), _verifier(public)

    def ours() -> None:
        verifier.verify(token)

    def bare() -> None:
        jwt.decode(
            token, public, algorithms=["ES256"], audience=_AUDIENCE, issuer=_ISSUER
        )

    found = [(_cost(ours), _cost(bare)) for _ in range(rounds)]
    return median(it[0] for it in found), median(it[1] for it in found)


def _cost(check: Callable[[], None]) -> float:
    began = time.process_time()
    for _ in range(_CHECKS):
        check()
    return (time.process_time() - began) / _CHECKS * 1e6


def _verifier(public: ec.EllipticCurvePublicKey) -> Verifier:
    jwk = json.loads(ECAlgorithm.to_jwk(public)) | {"kid": "bench", "alg": "ES256"}
    return Verifier(_ISSUER, _AUDIENCE, fetch=lambda: Document({"keys": [jwk]}))


def _token(private: ec.EllipticCurvePrivateKey) -> str:
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "aud": _AUDIENCE,
        "sub": "VGhpcyBpcyBhIHN1YmplY3",
        "client_id": "https://shop.example",
        "iat": now,
        "exp": now + 3_600,
        "jti": "VGhpcyBpcyBhIGp0aSBvZi",
        "sid": "VGhpcyBpcyBhIHNlc3Npb24gb2YgYSBwZXJzb2",
        "auth_time": now,
        "amr": ["sms"],
        "acr": "aal1",
        "scope": "",
        "roles": ["customer"],
    }
    headers = {"typ": "at+jwt", "kid": "bench"}
    return jwt.encode(claims, private, algorithm="ES256", headers=headers)


if __name__ == "__main__":
    ours_us, bare_us = measure()
    print(f"kit {ours_us:.1f} us, PyJWT {bare_us:.1f} us: {ours_us / bare_us:.2f}")
