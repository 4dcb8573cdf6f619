"""Challenges: what a send may be asked to do first, and whether it was done.

A configured captcha comes first; where its vendor cannot be reached, and where there is
none, it is a proof of work. A valid proof is good in either case: nobody has one that
was not given it.
"""

from collections.abc import Mapping
from typing import Any

from services.abuse.challenges.captchas import Captcha
from services.abuse.challenges.challenger import Challenger, Subject, Unsolved
from services.abuse.challenges.proof_of_work import ProofOfWork, read_payload
from services.abuse_events import ChallengeChecked
from services.errors import ChallengeRequired
from services.events import Emit
from services.outcomes import ChallengeOutcome

# A proof shows less than a captcha does, so the one in its place is hard.
_INSTEAD = 4

_DETAILS: Mapping[ChallengeOutcome, str] = {
    "malformed": "challenge_solution is no solution; send what solves the challenge, "
    "unchanged.",
    "forged": "challenge_solution does not solve a challenge of ours; solve the new "
    "one.",
    "late": "The challenge was solved too late; solve the new one.",
    "foreign": "The challenge was for another phone number or network; solve the new "
    "one.",
    "used": "This solution was used before; solve the new challenge.",
    "refused": "The challenge was not passed; solve the new one. A widget must be shown"
    " on a page of ours with the action and cdata of the challenge.",
    "busy": "Too many challenges are checked at this moment; try again with the new "
    "one.",
    "unavailable": "Nobody can check that challenge now; solve the new one instead.",
}


class Challenges:
    """Asks for challenges and checks solutions. Safe to share between threads."""

    def __init__(
        self, *, proof_of_work: ProofOfWork, captcha: Captcha | None, emit: Emit
    ) -> None:
        self._proof_of_work = proof_of_work
        self._captcha = captcha
        self._emit = emit

    def ask(self, tag: str, network: str, *, difficulty: int = 1) -> Mapping[str, Any]:
        """Return a new challenge for a phone and a network, as JSON.

        ``difficulty``: 1 is ordinary; 2, 4 and 8 are for riskier sends. It costs 1 ms.
        """
        subject = Subject(tag, network)
        if self._captcha is None:
            return self._proof_of_work.make(subject, difficulty)
        if self._captcha.is_away:
            return self._proof_of_work.make(subject, max(difficulty, _INSTEAD))
        return self._captcha.make(subject, difficulty)

    def check(self, solution: str, tag: str, network: str) -> str:
        """Return the key under which a good solution is spent, once, by the caller.

        A captcha's vendor is asked, for two seconds at most.

        Raises:
            ChallengeRequired: it is not good; with a new challenge, and why.
        """
        subject = Subject(tag, network)
        challenger = self._challenger_of(solution)
        try:
            key = challenger.check(solution, subject)
        except Unsolved as error:
            failure = error
        else:
            self._emit(ChallengeChecked(challenger.name, "solved", tag))
            return key
        raise self._refuse(challenger, subject, failure)

    def used(self, solution: str, tag: str, network: str) -> ChallengeRequired:
        """Return the refusal of a good solution whose key was spent before."""
        challenger = self._challenger_of(solution)
        return self._refuse(challenger, Subject(tag, network), Unsolved("used"))

    def _challenger_of(self, solution: str) -> Challenger:
        if self._captcha is None or read_payload(solution) is not None:
            return self._proof_of_work
        return self._captcha

    def _refuse(
        self, challenger: Challenger, subject: Subject, failure: Unsolved
    ) -> ChallengeRequired:
        self._emit(
            ChallengeChecked(
                challenger.name, failure.outcome, subject.tag, failure.reason
            )
        )
        if failure.outcome == "unavailable":
            challenge = self._proof_of_work.make(subject, _INSTEAD)
        else:
            challenge = self.ask(
                subject.tag, subject.network, difficulty=failure.difficulty
            )
        return ChallengeRequired(challenge, detail=_DETAILS[failure.outcome])
