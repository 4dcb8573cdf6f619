"""Public keys of service clients, which sign what they say with the private half."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from services.identity.keys.signing_keys import Algorithm

# NIST SP 800-131A: less than 112 bits of strength is no signature any more.
_MIN_RSA_BITS = 2048

_KINDS: Mapping[str, type[ECKey | OKPKey | RSAKey]] = {
    "EC": ECKey,
    "OKP": OKPKey,
    "RSA": RSAKey,
}

KEY_WANTED = "must be a public key of P-256, Ed25519, or RSA with 2048 bits or more"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that verifies, parsed once; ``kid`` is its thumbprint (RFC 7638).

    The key alone decides the algorithm (RFC 8725 3.1).
    """

    kid: str
    algorithm: Algorithm
    key: ECKey | OKPKey | RSAKey = field(repr=False)

    def jwk(self) -> dict[str, Any]:
        """Return it as a JWK (RFC 7517)."""
        return {**self.key.as_dict(private=False), "kid": self.kid}


def read_jwk(document: Mapping[str, Any]) -> PublicKey:
    """Read a JWK; what it says of itself beside the key is of no account.

    Raises:
        ValueError: no public key of P-256, Ed25519 or RSA with 2048 bits; a private
            one above all.
    """
    try:
        kind = _KINDS[document["kty"]]
        found = kind.import_key(dict(document))
    except (JoseError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(KEY_WANTED) from error
    if found.is_private:
        message = "is a private key; register the public one"
        raise ValueError(message)
    return read_pem(found.as_pem(private=False))


def read_pem(pem: bytes) -> PublicKey:
    """Read a public key's PEM.

    Raises:
        ValueError: no public key of P-256, Ed25519 or RSA with 2048 bits.
    """
    key = load_pem_public_key(pem)
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    match key:
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            return _named("ES256", ECKey.import_key(pem))
        case ed25519.Ed25519PublicKey():
            return _named("EdDSA", OKPKey.import_key(pem))
        case rsa.RSAPublicKey(key_size=size) if size >= _MIN_RSA_BITS:
            return _named("RS256", RSAKey.import_key(pem))
        case _:
            raise ValueError(KEY_WANTED)


def _named(algorithm: Algorithm, key: ECKey | OKPKey | RSAKey) -> PublicKey:
    return PublicKey(kid=key.thumbprint(), algorithm=algorithm, key=key)
