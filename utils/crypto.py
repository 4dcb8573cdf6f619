"""Keyed MACs, derived keys and sealing: the few uses of cryptography, in one place.

The algorithms are those of the ``cryptography`` package and ``hmac``; what is decided
here is how inputs are framed, so that no two meanings ever share a MAC.
"""

import base64
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# NIST SP 800-38D 8.2.1: 96-bit nonces for AES-GCM.
_NONCE_BYTES = 12


def derive_key(secret: bytes, label: str, length: int = 32) -> bytes:
    """Derive the key for one purpose from the service's secret (HKDF, RFC 5869).

    ``label`` names the purpose: different labels give independent keys.
    """
    hkdf = HKDF(algorithm=SHA256(), length=length, salt=None, info=label.encode())
    return hkdf.derive(secret)


def mac(key: bytes, *fields: str) -> bytes:
    """Return HMAC-SHA256 over the fields, each led by its length (32 bytes).

    The length prefix keeps ``("ab", "c")`` and ``("a", "bc")`` apart.
    """
    framed = bytearray()
    for field in fields:
        data = field.encode()
        framed += len(data).to_bytes(4, "big")
        framed += data
    return hmac.digest(key, framed, "sha256")


def mac_text(key: bytes, *fields: str, size: int) -> str:
    """Return the first ``size`` bytes of the MAC, base64url without padding."""
    return _base64url(mac(key, *fields)[:size])


def random_text(size: int) -> str:
    """Return ``size`` random bytes, base64url without padding."""
    return _base64url(secrets.token_bytes(size))


def same(left: str, right: str) -> bool:
    """Compare in constant time; any text is allowed, ASCII or not."""
    return hmac.compare_digest(left.encode(), right.encode())


def fingerprint(value: str) -> str:
    """Return 12 hex digits that name a value in logs without being usable as it.

    Only for values of high entropy: a plain hash of a phone number can be undone.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def seal(key: bytes, text: str, *, context: str) -> str:
    """Encrypt ``text`` (AES-256-GCM, random nonce), bound to ``context``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return _base64url(
        nonce + AESGCM(key).encrypt(nonce, text.encode(), context.encode())
    )


def unseal(key: bytes, sealed: str, *, context: str) -> str:
    """Decrypt what ``seal`` made.

    Raises:
        ValueError: the text was altered, or sealed with another key or context.
    """
    try:
        data = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
        nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, ciphertext, context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        message = "sealed text does not open with this key and context"
        raise ValueError(message) from error


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
