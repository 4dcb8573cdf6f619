"""What makes a secret good enough, and the PEM text of a signing key."""

import re
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# OWASP ASVS v5.0.0-11.2.3 asks for 128 bits: 32 generated characters hold them even
# when they are hex digits.
SECRET_MIN_BYTES = 32
# 32 random hex digits name about 14 of their 16 letters; 8 or fewer happen less than
# once in a hundred thousand times.
SECRET_MIN_LETTERS = 9
# NIST SP 800-57 part 1, table 2: 128 bits of strength, as the other kinds have.
RSA_MIN_BITS = 3072
# Longer words of examples, so that none turns up in a random secret by chance.
EXAMPLE_WORDS = (
    "changeme",
    "changethis",
    "developmentkey",
    "devsecret",
    "examplekey",
    "mysecret",
    "password",
    "replaceme",
    "replacethis",
    "secretkey",
    "supersecret",
    "yoursecret",
)


def find_weakness(secret: str) -> str | None:
    """Say what is wrong with a secret, or None; the answer never repeats it."""
    letters = re.sub(r"[^a-z0-9]", "", secret.lower())
    if any(word in letters for word in EXAMPLE_WORDS):
        return "is an example's value; generate one: openssl rand -base64 48"
    if len(secret.encode()) < SECRET_MIN_BYTES:
        return f"must have at least {SECRET_MIN_BYTES} bytes: openssl rand -base64 48"
    if len(set(secret)) < SECRET_MIN_LETTERS or secret in (secret * 2)[1:-1]:
        return "repeats too few characters; generate one: openssl rand -base64 48"
    return None


def parse_signing_key(text: str) -> str:
    r"""Read PEM text, with real or `\n` line ends, or a path of a file that holds it.

    Raises:
        ValueError: no private key of P-256 (ES256, RFC 7518), Ed25519 (EdDSA, RFC 8037)
            or RSA of enough bits (RS256, RFC 7518).
    """
    pem = text.replace("\\n", "\n") if "-----BEGIN" in text else _read_file(text)
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        message = "must not be encrypted"
        raise ValueError(message) from None
    except (ValueError, UnsupportedAlgorithm):
        message = "holds no readable PEM private key"
        raise ValueError(message) from None
    if not _can_sign(key):
        message = (
            "must be a private key of P-256, Ed25519, or RSA with at least "
            f"{RSA_MIN_BITS} bits"
        )
        raise ValueError(message)
    return pem


def _can_sign(key: PrivateKeyTypes) -> bool:
    match key:
        case EllipticCurvePrivateKey():
            return isinstance(key.curve, SECP256R1)
        case RSAPrivateKey():
            return key.key_size >= RSA_MIN_BITS
        case _:
            return isinstance(key, Ed25519PrivateKey)


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except (OSError, ValueError):
        message = "is neither PEM text nor the path of a readable PEM file"
        raise ValueError(message) from None
