"""Codes are derived, never stored, and a verification's id says where it lives.

A code is a keyed function of the verification, so a resend repeats it, and a dump of
Redis holds nothing to find it in. Without the pepper it cannot be computed; the id's
128 random bits make each one new.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, Self

from utils.crypto import Keys, mac, mac_text, random_text

Purpose = Literal["login", "verify", "change"]

# NIST SP 800-63B 3.1.3.2: at least six decimal digits.
CODE_DIGITS: Final = 6
# While so many codes are guessed that six are too few: a hundredth of the chance.
ESCALATED_DIGITS: Final = 8

Digits = Literal[6, 8]

# 96 bits tell 10^6 phones apart with a chance of collision of 10^-17.
_TAG_BYTES = 12
# OWASP ASVS 11.5.1: identifiers hold at least 128 random bits.
_RANDOM_BYTES = 16
# It only tells the two peppers apart that are there while one replaces the other.
_MARK_BYTES = 3

_LETTERS: dict[Purpose, str] = {"login": "l", "verify": "v", "change": "c"}
_PURPOSES: dict[str, Purpose] = {
    letter: purpose for purpose, letter in _LETTERS.items()
}
_ID = re.compile(r"([A-Za-z0-9_-]{16})([lvcLVC][A-Za-z0-9_-]{26})", re.ASCII)


def phone_tag(key: bytes, e164: str) -> str:
    """Return the name a phone has in Redis: 16 characters of a keyed MAC."""
    return mac_text(key, "phone", e164, size=_TAG_BYTES)


@dataclass(frozen=True, slots=True)
class VerificationId:
    """Names one verification: the phone's tag, then a part of its own.

    ``part`` is a letter for the purpose (a capital where the code has eight digits), 4
    characters that say which pepper made the code, and 128 random bits; who holds the
    id may ask for the verification's status, so it is as secret as a session id.
    """

    tag: str
    part: str

    @classmethod
    def new(
        cls, tag: str, purpose: Purpose, *, mark: str, digits: Digits = CODE_DIGITS
    ) -> Self:
        """Draw a new one; ``mark`` is its pepper's."""
        letter = _LETTERS[purpose]
        if digits == ESCALATED_DIGITS:
            letter = letter.upper()
        return cls(tag=tag, part=letter + mark + random_text(_RANDOM_BYTES))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read one that a caller gave; None if it cannot be one of ours."""
        match = _ID.fullmatch(text)
        return cls(tag=match[1], part=match[2]) if match else None

    @property
    def purpose(self) -> Purpose:
        """What the verification is for."""
        return _PURPOSES[self.part[0].lower()]

    @property
    def digits(self) -> Digits:
        """How many digits the code has."""
        return ESCALATED_DIGITS if self.part[0].isupper() else CODE_DIGITS

    @property
    def mark(self) -> str:
        """Which pepper made the code."""
        return self.part[1:5]

    def __str__(self) -> str:
        """Return the id as callers see it."""
        return self.tag + self.part


class Peppers:
    """The keys of the codes. A code is checked with the one that made it."""

    def __init__(self, keys: Keys) -> None:
        """Take the keys; new codes are made with the first one."""
        self._keys = {mac_text(it, "mark", size=_MARK_BYTES): it for it in keys}
        self.mark = next(iter(self._keys))

    def find(self, mark: str) -> bytes | None:
        """Return the key that a mark names; None when its secret is gone."""
        return self._keys.get(mark)


def derive_code(
    pepper: bytes, verification: VerificationId, *, storefront: str, e164: str
) -> str:
    """Return the code of a verification: all its digits, leading zeros kept.

    Bound to the purpose, the storefront, the phone and the verification (OWASP ASVS
    6.6.2). 256 bits modulo 10^8 are uniform to within 2^-229.
    """
    digest = mac(
        pepper, "code/1", verification.purpose, storefront, e164, str(verification)
    )
    number = int.from_bytes(digest, "big") % 10**verification.digits
    return f"{number:0{verification.digits}}"
