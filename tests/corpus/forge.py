"""Makes tokens of any shape: signed with the right key, with another, or not at all."""

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


class _Missing:
    def __repr__(self) -> str:
        return "missing"


# In place of a value: the name is left out.
MISSING: Any = _Missing()

COORDINATE_BYTES = 32


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: object) -> str:
    """Encode what can be JSON; bytes as they are."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64url(data)


def read_segment(text: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass(frozen=True, slots=True)
class Forge:
    """One good token, taken apart, and the key that signed it."""

    token: str
    key: Key

    @classmethod
    def of(cls, token: str, pem: str | bytes) -> "Forge":
        """``pem`` is the service's private key (its setting JWT_SIGNING_KEY)."""
        data = pem.encode() if isinstance(pem, str) else pem
        key = load_pem_private_key(data, None)
        assert isinstance(key, Key)
        return cls(token, key)

    @property
    def algorithm(self) -> str:
        return algorithm_of(self.key)

    @property
    def header(self) -> dict[str, Any]:
        found: dict[str, Any] = read_segment(self.token.split(".")[0])
        return found

    @property
    def claims(self) -> dict[str, Any]:
        found: dict[str, Any] = read_segment(self.token.split(".")[1])
        return found

    @property
    def signed_part(self) -> str:
        return self.token.rpartition(".")[0]

    @property
    def signature(self) -> bytes:
        text = self.token.rpartition(".")[2]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    def with_header(self, **changed: Any) -> str:
        """Sign it again with another header."""
        return self.sign(segment(_changed(self.header, changed)), self._claims_part)

    def with_claims(self, **changed: Any) -> str:
        """Sign it again with other claims."""
        return self.sign(self._header_part, segment(_changed(self.claims, changed)))

    def with_payload(self, payload: object, **header: Any) -> str:
        """Sign another payload."""
        return self.sign(segment(_changed(self.header, header)), segment(payload))

    def sign(self, header: str, payload: str) -> str:
        """Sign two segments as they are, with the right key."""
        return attach(f"{header}.{payload}", sign(self.key, f"{header}.{payload}"))

    def by_stranger(self, stranger: Key, **header: Any) -> str:
        """Sign the same claims with a key that is not the one that it names."""
        signed = f"{segment(_changed(self.header, header))}.{self._claims_part}"
        return attach(signed, sign(stranger, signed))

    def by_secret(self, secret: bytes, algorithm: str = "HS256", **header: Any) -> str:
        """Authenticate the same claims by a shared secret."""
        header = {**self.header, "alg": algorithm, **header}
        signed = f"{segment(header)}.{self._claims_part}"
        mac = hmac.digest(secret, signed.encode(), f"sha{algorithm[2:]}")
        return attach(signed, mac)

    def with_signature(self, signature: bytes) -> str:
        return attach(self.signed_part, signature)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as the service's JWKS shows it."""
        kid = self.header["kid"]
        return {**_jwk(self.key), "kid": kid, "use": "sig", "alg": self.algorithm}

    @property
    def _header_part(self) -> str:
        return self.token.split(".")[0]

    @property
    def _claims_part(self) -> str:
        return self.token.split(".")[1]


def algorithm_of(key: Key) -> str:
    """Return the one algorithm of ours that a key is for."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return "ES256"
        case ed25519.Ed25519PrivateKey():
            return "EdDSA"
    return "RS256"


def sign(key: Key, signed: str) -> bytes:
    """Sign with a key's own algorithm (RFC 7518 3.3, 3.4; RFC 8037 3.1)."""
    data = signed.encode()
    match key:
        case ec.EllipticCurvePrivateKey():
            r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
            size = COORDINATE_BYTES
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        case ed25519.Ed25519PrivateKey():
            return key.sign(data)
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def _jwk(key: Key) -> dict[str, Any]:
    match key:
        case ec.EllipticCurvePrivateKey():
            return ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case ed25519.Ed25519PrivateKey():
            return OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)


def attach(signed: str, signature: bytes) -> str:
    return f"{signed}.{base64url(signature)}"


def _changed(values: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in {**values, **changed}.items() if it is not MISSING}
