"""The keys that sign tokens, and the set that others verify them by."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from joserfc.jwk import ECKey, KeySet

from utils.crypto import derive_key

# The order of P-256 (NIST SP 800-186, 3.2.1.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SigningKeys:
    """One ES256 key that signs; its public half is what the JWKS shows.

    The key's id is its thumbprint (RFC 7638).
    """

    def __init__(self, pem: bytes) -> None:
        """Load a P-256 private key, once: parsing per token would cost more."""
        self.signing = ECKey.import_key(
            pem, {"use": "sig", "alg": "ES256", "key_ops": ["sign", "verify"]}
        )
        self.signing.ensure_kid()
        self.verifying = KeySet([self.signing])

    def jwks(self) -> dict[str, Any]:
        """Return the public keys (RFC 7517), nothing private in them."""
        keys = [key.as_dict(private=False) for key in self.verifying.keys]
        for key in keys:
            key.pop("key_ops", None)
        return {"keys": keys}


def derived_signing_key(secret: bytes) -> bytes:
    """Return the P-256 key that follows from the service's secret, as PEM.

    48 bytes of HKDF output are reduced modulo the order, which leaves no bias worth the
    name (FIPS 186-5, A.2.1: at least 64 bits more than the order).
    """
    wide = int.from_bytes(derive_key(secret, "token signing", 48), "big")
    key = ec.derive_private_key(wide % (_ORDER - 1) + 1, ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
