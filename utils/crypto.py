"""Keyed MACs, derived keys and sealing: the few uses of cryptography, in one place.

The algorithms are those of the ``cryptography`` package and ``hmac``; what is decided
here is how inputs are framed, so that no two meanings ever share a MAC.
"""

import base64
import hashlib
import hmac
import secrets
from contextlib import suppress

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# The first one makes what is new; what any of them made is accepted. There are two
# while a secret is being replaced.
Keys = tuple[bytes, ...]

# NIST SP 800-38D 8.2.1: 96-bit nonces for AES-GCM.
_NONCE_BYTES = 12


def base64url(data: bytes) -> str:
    """Write bytes as base64url without padding (RFC 4648 5; RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Return the bytes that ``base64url`` wrote.

    Raises:
        ValueError: it is no base64url.
    """
    padded = text + "=" * (-len(text) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True)


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
    return base64url(mac(key, *fields)[:size])


def random_text(size: int) -> str:
    """Return ``size`` random bytes, base64url without padding."""
    return base64url(secrets.token_bytes(size))


def same(left: str, right: str) -> bool:
    """Compare in constant time; any text is allowed, ASCII or not."""
    return hmac.compare_digest(left.encode(), right.encode())


def fingerprint(value: str) -> str:
    """Return 12 hex digits that name a value in logs without being usable as it.

    Only for values of high entropy: a plain hash of a phone number can be undone.
    """
    return hashlib.sha256(value.encode()).hexdigest()[:12]


def seal(keys: Keys, text: str, *, context: str) -> str:
    """Encrypt ``text`` (AES-256-GCM, random nonce), bound to ``context``."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return base64url(
        nonce + AESGCM(keys[0]).encrypt(nonce, text.encode(), context.encode())
    )


def unseal(keys: Keys, sealed: str, *, context: str) -> str:
    """Decrypt what ``seal`` made with any of the keys.

    Raises:
        ValueError: the text was altered, or sealed with another key or context.
    """
    with suppress(ValueError):
        data = from_base64url(sealed)
        nonce, ciphertext = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        for key in keys:
            with suppress(InvalidTag):
                opened = AESGCM(key).decrypt(nonce, ciphertext, context.encode())
                return opened.decode()
    message = "sealed text does not open with these keys and this context"
    raise ValueError(message)


def permute(key: bytes, block: bytes) -> bytes:
    """Return one block of 16 bytes for another, one to one (AES, FIPS 197).

    No two blocks give the same, and without the key nobody tells which gave which. It
    is no encryption of text: equal blocks look equal, and nothing tells that one is
    forged.
    """
    # One block, so there is nothing for a mode to chain.
    encryptor = Cipher(AES(key), ECB()).encryptor()  # noqa: S305
    return encryptor.update(block) + encryptor.finalize()


def unpermute(key: bytes, block: bytes) -> bytes:
    """Return the block that ``permute`` gave this one for."""
    decryptor = Cipher(AES(key), ECB()).decryptor()  # noqa: S305
    return decryptor.update(block) + decryptor.finalize()
