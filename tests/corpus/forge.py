"""Makes tokens of any shape: signed with the right key, with another, or not at all."""

import base64
import hmac
import json
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# In place of a value: the name is left out.


class _Missing:
    def __repr__(self) -> str:
        return "missing"


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
    """One good token of ES256, taken apart, and the key that signed it."""

    token: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, token: str, pem: str | bytes) -> "Forge":
        """``pem`` is the service's private key (its setting JWT_SIGNING_KEY)."""
        data = pem.encode() if isinstance(pem, str) else pem
        key = load_pem_private_key(data, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return cls(token, key)

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

    def by_stranger(self, stranger: ec.EllipticCurvePrivateKey, **header: Any) -> str:
        """Sign the same claims with a key that is not the service's."""
        signed = f"{segment(_changed(self.header, header))}.{self._claims_part}"
        return attach(signed, sign(stranger, signed))

    def by_secret(self, secret: bytes, algorithm: str = "HS256") -> str:
        """Authenticate the same claims by a shared secret."""
        signed = f"{segment(self.header | {'alg': algorithm})}.{self._claims_part}"
        mac = hmac.digest(secret, signed.encode(), f"sha{algorithm[2:]}")
        return attach(signed, mac)

    def with_signature(self, signature: bytes) -> str:
        return attach(self.signed_part, signature)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as the service's JWKS shows it."""
        found = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        kid = self.header["kid"]
        return {**found, "kid": kid, "use": "sig", "alg": "ES256"}

    @property
    def _header_part(self) -> str:
        return self.token.split(".")[0]

    @property
    def _claims_part(self) -> str:
        return self.token.split(".")[1]


def sign(key: ec.EllipticCurvePrivateKey, signed: str) -> bytes:
    """Sign with ES256 (RFC 7518 3.4)."""
    der = key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
    r, s = utils.decode_dss_signature(der)
    return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


def attach(signed: str, signature: bytes) -> str:
    return f"{signed}.{base64url(signature)}"


def _changed(values: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    return {name: it for name, it in {**values, **changed}.items() if it is not MISSING}
