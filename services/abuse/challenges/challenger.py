"""What makes challenges and looks at solutions: one protocol for all kinds of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from services.outcomes import ChallengeOutcome

# So hard they get: difficulty 1 is the ordinary one.
HARDEST = 8


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a challenge is for: a phone, by its tag, and who asks, by the network."""

    tag: str
    network: str


class Unsolved(Exception):
    """A solution is not good; ``difficulty`` is what the next challenge should have.

    ``reason`` says more to the operator, in a word of ours or of the vendor's.
    """

    def __init__(
        self, outcome: ChallengeOutcome, *, reason: str = "", difficulty: int = HARDEST
    ) -> None:
        """Take the hardest, or whoever sends rubbish would get an easier one."""
        super().__init__(outcome)
        self.outcome = outcome
        self.reason = reason
        self.difficulty = difficulty


class Challenger(Protocol):
    """One kind of challenge. Safe to share between threads."""

    @property
    def name(self) -> str:
        """What the kind is called in answers, settings and events."""
        ...

    def make(self, subject: Subject, difficulty: int) -> Mapping[str, Any]:
        """Return a new challenge as JSON that a page can read."""
        ...

    def check(self, solution: str, subject: Subject) -> str:
        """Return what names the solution; the same one has the same name.

        Raises:
            Unsolved: it is none, or not for this subject, or not any more.
        """
        ...
