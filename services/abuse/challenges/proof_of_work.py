"""Proof of work with the altcha package: a little arithmetic, nobody is asked.

The person's device tries counters until a derived key begins as the challenge says. We
know the counter that does, so the work has an upper end; its range says how much it is.
To make a challenge costs one derivation (about 1 ms, outside the interpreter's lock),
to check a solution two HMACs (about 40 us).

The package's own ``expiresAt`` is left out: clients compare it with clocks that may be
wrong, and the package with a clock that tests cannot move. The ticket has the end.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from altcha import Payload, create_challenge, verify_solution

from services.abuse.challenges.challenger import HARDEST, Subject, Unsolved
from services.abuse.challenges.tickets import LIFE_SECONDS, Tickets, name_of
from utils.crypto import Keys, derive_key

# What browsers do natively. 5,000 rounds take 1 ms, so that a page's own overhead per
# try does not count for much.
_ALGORITHM = "PBKDF2/SHA-256"
_ROUNDS = 5_000

# Counters at difficulty 1: about 0.7 s of one core.
_LEAST_TRIES = 500
_MOST_TRIES = 1_000


class ProofOfWork:
    """Makes and checks proofs of work. Safe to share between threads."""

    name = "altcha"

    def __init__(
        self,
        *,
        keys: Keys,
        tickets: Tickets,
        difficulty: int = 1,
        rounds: int = _ROUNDS,
    ) -> None:
        """``difficulty`` multiplies the tries; ``rounds`` is what each costs."""
        self._secrets = [
            (derive_key(key, "signature"), derive_key(key, "solution")) for key in keys
        ]
        self._tickets = tickets
        self._difficulty = difficulty
        self._rounds = rounds

    def make(self, subject: Subject, difficulty: int) -> Mapping[str, Any]:
        """Return the package's challenge document, with ``type`` and ``expires_in``."""
        factor = self._difficulty * difficulty
        least = _LEAST_TRIES * factor
        signature_key, solution_key = self._secrets[0]
        challenge = create_challenge(
            _ALGORITHM,
            self._rounds,
            counter=least + secrets.randbelow(_MOST_TRIES * factor - least + 1),
            data={"ticket": self._tickets.issue(subject), "difficulty": difficulty},
            hmac_secret=signature_key,
            hmac_key_secret=solution_key,
        )
        return {
            "type": self.name,
            "expires_in": LIFE_SECONDS,
            **challenge.to_dict(),
        }

    def check(self, solution: str, subject: Subject) -> str:
        """Return what names a proof; the signature of its challenge does."""
        payload = read_payload(solution)
        if payload is None:
            raise Unsolved("malformed")
        if not any(
            verify_solution(
                payload, signature_key, hmac_key_secret=solution_key
            ).verified
            for signature_key, solution_key in self._secrets
        ):
            raise Unsolved("forged")
        # Signed, so they are as we wrote them.
        data = payload.challenge.parameters.data or {}
        self._tickets.check(
            data.get("ticket"), subject, difficulty=data.get("difficulty", HARDEST)
        )
        return name_of(self.name, str(payload.challenge.signature))


def read_payload(solution: str) -> Payload | None:
    """Return the package's payload, or None: it is something else."""
    try:
        return Payload.from_base64(solution)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
