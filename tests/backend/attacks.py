"""Attackers with what attackers have: addresses, neighbours, a farm, and patience."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.backend.api import Answer, Api
from tests.simulator.captchas import SECRET_KEY, SITE_KEY, CaptchaVendors

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def address(number: int) -> str:
    """One of more addresses than any test needs, each of another household."""
    return f"100.{64 + number // 65_536}.{number // 256 % 256}.{number % 256}"


def neighbour(number: int) -> str:
    """One of the ten thousand numbers of one block."""
    return f"+91876543{number % 10_000:04}"


def stranger(number: int) -> str:
    """One of ten thousand numbers, each of another block."""
    return f"+9198{number % 10_000:04}3210"


def farmed(farm: CaptchaVendors) -> Mapping[str, str]:
    """Settings with which a challenge is something that a farm solves for nothing."""
    return {
        "CHALLENGE": "turnstile",
        "CHALLENGE_SITE_KEY": SITE_KEY,
        "CHALLENGE_SECRET_KEY": SECRET_KEY,
        "CHALLENGE_VERIFY_URL": farm.url("turnstile"),
    }


@dataclass
class Attacker:
    """Asks from a new address each time, and solves whatever it is asked."""

    api: Api
    farm: CaptchaVendors
    sent_at: list[float] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)
    typed: int = 0
    _addresses: Iterator[str] = field(default_factory=lambda: map(address, count()))

    def send(self, phone: str, *, peer: str | None = None, **fields: Any) -> Answer:
        """Ask for a code; with a solution, where one is asked for."""
        peer = peer or next(self._addresses)
        answer = self.api.send(phone, peer=peer, **fields)
        if answer.status_code == 403 and "challenge" in answer.json:
            solution = self.farm.solve(answer.json["challenge"])
            fields["challenge_solution"] = solution
            answer = self.api.send(phone, peer=peer, **fields)
        if answer.status_code == 202:
            self.sent_at.append(self.api.clock.now())
        else:
            self.refusals[answer.json.get("limit") or answer.json["code"]] += 1
        return answer

    def send_and_type(self, phone: str) -> None:
        """Ask for a code, and type it where there is one, as if it were a customer."""
        answer = self.send(phone)
        if answer.status_code == 202:
            won = self.api.verify(
                answer.json["verification_id"], phone, self.api.code_of(phone)
            )
            assert won.status_code == 200, won.text
            self.typed += 1

    def most_within(self, seconds: float) -> int:
        """Return the most sends that passed within any time so long."""
        return max(
            sum(begin <= it < begin + seconds for it in self.sent_at)
            for begin in self.sent_at
        )


def spread(total: int, seconds: float, api: Api, act: Callable[[int], object]) -> None:
    """Do something so often in so much time; what follows answers is done meanwhile."""
    for number in range(total):
        act(number)
        api.clock.advance(seconds / total)
        if number % 10 == 0:
            api.settle()
    api.settle()
