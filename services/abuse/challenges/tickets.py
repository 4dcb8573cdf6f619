"""Tickets: what binds a challenge to a phone, a network and ten minutes.

A ticket is ``<Unix second of its end>_<MAC>``. It is no secret, names nobody, and stays
within the characters that Turnstile's ``cdata`` allows.
"""

import hashlib

from services.abuse.challenges.challenger import Subject, Unsolved
from utils.clock import Clock
from utils.crypto import Keys, base64url, mac_text, same

# Time enough to find one's glasses, and too little to hoard solutions.
LIFE_SECONDS = 600

# 128 bits each: neither guessed nor hit by chance.
_MAC_BYTES = 16
_NAME_BYTES = 16


class Tickets:
    """Issues tickets and looks at them. Safe to share between threads."""

    def __init__(self, *, keys: Keys, clock: Clock) -> None:
        """Sign with the first of ``keys``; what any of them signed is good."""
        self._keys = keys
        self._clock = clock

    def issue(self, subject: Subject) -> str:
        """Return a ticket for a phone and a network, good for ten minutes."""
        end = str(int(self._clock.now()) + LIFE_SECONDS)
        return f"{end}_{_sign(self._keys[0], end, subject)}"

    def check(self, ticket: object, subject: Subject, *, difficulty: int) -> None:
        """See that a ticket is this subject's, and not over.

        ``difficulty`` is what a late one's challenge had; the next one has the same.

        Raises:
            Unsolved: ``foreign`` or ``late``.
        """
        text = ticket if isinstance(ticket, str) else ""
        end, _, signature = text.partition("_")
        if not any(same(signature, _sign(key, end, subject)) for key in self._keys):
            raise Unsolved("foreign", reason="ticket")
        if int(end) < self._clock.now():
            raise Unsolved("late", difficulty=difficulty)


def name_of(kind: str, solution: str) -> str:
    """Return the name under which a solution is spent, whatever keys rotate."""
    digest = hashlib.sha256(f"{kind}:{solution}".encode()).digest()
    return base64url(digest[:_NAME_BYTES])


def _sign(key: bytes, end: str, subject: Subject) -> str:
    return mac_text(key, end, subject.tag, subject.network, size=_MAC_BYTES)
