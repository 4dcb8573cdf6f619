"""Tokens by keys of the other algorithms."""

from typing import Any

import jwt
from jwt.algorithms import OKPAlgorithm, RSAAlgorithm


def public_jwk(key: Any, algorithm: str, kid: str = "corpus") -> dict[str, object]:
    """Return the public half as a JWKS shows it."""
    kind = OKPAlgorithm if algorithm == "EdDSA" else RSAAlgorithm
    jwk = kind.to_jwk(key.public_key(), as_dict=True)
    return {**jwk, "kid": kid, "use": "sig", "alg": algorithm}


def signed_by(
    key: Any, algorithm: str, claims: dict[str, Any], kid: str = "corpus"
) -> str:
    """Return an access token."""
    headers = {"typ": "at+jwt", "kid": kid}
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)
