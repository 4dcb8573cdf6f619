"""Codes are derived, never stored, and a verification's id says where it lives.

A code is a keyed function of the verification, so a resend repeats it, and a dump of
Redis holds nothing to find it in. Without the pepper it cannot be computed; the id's
128 random bits make each one new.
"""

import re
from dataclasses import dataclass
from typing import Literal, Self

from utils.crypto import mac, mac_text, random_text

Purpose = Literal["login", "verify"]

# NIST SP 800-63B 3.1.3.2: at least six decimal digits.
CODE_DIGITS = 6

# 96 bits tell 10^6 phones apart with a chance of collision of 10^-17.
_TAG_BYTES = 12
# OWASP ASVS 11.5.1: identifiers hold at least 128 random bits.
_RANDOM_BYTES = 16

_LETTERS: dict[Purpose, str] = {"login": "l", "verify": "v"}
_PURPOSES: dict[str, Purpose] = {
    letter: purpose for purpose, letter in _LETTERS.items()
}
_ID = re.compile(r"([A-Za-z0-9_-]{16})([lv][A-Za-z0-9_-]{22})", re.ASCII)


def phone_tag(key: bytes, e164: str) -> str:
    """Return the name a phone has in Redis: 16 characters of a keyed MAC."""
    return mac_text(key, "phone", e164, size=_TAG_BYTES)


@dataclass(frozen=True, slots=True)
class VerificationId:
    """Names one verification: the phone's tag, then a part of its own.

    ``part`` is a letter for the purpose and 128 random bits; who holds the id may ask
    for the verification's status, so it is as secret as a session id.
    """

    tag: str
    part: str

    @classmethod
    def new(cls, tag: str, purpose: Purpose) -> Self:
        """Draw a new one."""
        return cls(tag=tag, part=_LETTERS[purpose] + random_text(_RANDOM_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read one that a caller gave; None if it cannot be one of ours."""
        match = _ID.fullmatch(text)
        return cls(tag=match[1], part=match[2]) if match else None

    @property
    def purpose(self) -> Purpose:
        """What the verification is for."""
        return _PURPOSES[self.part[0]]

    def __str__(self) -> str:
        """Return the id as callers see it."""
        return self.tag + self.part


def derive_code(
    pepper: bytes, verification: VerificationId, *, storefront: str, e164: str
) -> str:
    """Return the code of a verification: six digits, leading zeros kept.

    Bound to the purpose, the storefront, the phone and the verification (OWASP ASVS
    6.6.2). 256 bits modulo 10^6 are uniform to within 2^-236.
    """
    digest = mac(
        pepper, "code/1", verification.purpose, storefront, e164, str(verification)
    )
    number = int.from_bytes(digest, "big") % 10**CODE_DIGITS
    return f"{number:0{CODE_DIGITS}}"
