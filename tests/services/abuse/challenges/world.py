"""Challenges as the service builds them, over captcha vendors of our own."""

from collections.abc import Mapping
from typing import Any

from altcha import Challenge, Payload, solve_challenge

from backend.composition.challenges import build_challenges
from backend.composition.secrets import Secrets
from config.config import load_settings
from services.abuse.challenges.challenges import Challenges
from services.events import Event
from services.sms.transport import HttpTransport
from tests.fakes import FakeClock
from tests.simulator.captchas import SECRET_KEY, SITE_KEY, CaptchaVendors

TAG, OTHER_TAG = "0123456789abcdef", "fedcba9876543210"
# From documentation blocks, RFC 5737.
NETWORK, OTHER_NETWORK = "198.51.100.7", "203.0.113.9"


class World:
    """What makes and checks challenges, its clock, and what it told."""

    def __init__(
        self,
        clock: FakeClock,
        vendors: CaptchaVendors | None = None,
        *,
        secret_keys: tuple[bytes, ...] = (b"a" * 32,),
        **variables: str,
    ) -> None:
        self.clock = clock
        self.events: list[Event] = []
        self._transports: list[HttpTransport] = []
        given = {"STOREFRONT_ORIGINS": "https://shop.example.com"}
        if vendors is not None:
            given |= {
                "CHALLENGE_SITE_KEY": SITE_KEY,
                "CHALLENGE_SECRET_KEY": SECRET_KEY,
                "CHALLENGE_VERIFY_URL": vendors.url(variables["CHALLENGE"]),
            }
        settings = load_settings(
            default_environment="development",
            env_file=None,
            environ={**given, **variables},
        )
        self.challenges: Challenges = build_challenges(
            settings,
            secrets=Secrets(subject_key=b"s" * 32, secret_keys=secret_keys),
            open_transport=self._open,
            clock=clock,
            emit=self.events.append,
        )

    def _open(self, base_url: str) -> HttpTransport:
        transport = HttpTransport(base_url, clock=self.clock)
        self._transports.append(transport)
        return transport

    def close(self) -> None:
        for transport in self._transports:
            transport._adapter.close()

    def ask(self, difficulty: int = 1) -> dict[str, Any]:
        return dict(self.challenges.ask(TAG, NETWORK, difficulty=difficulty))

    def check(self, solution: str) -> str:
        return self.challenges.check(solution, TAG, NETWORK)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        """Provider, outcome and reason of each solution that was looked at."""
        return [(it.provider, it.outcome, it.reason) for it in self.events]  # type: ignore[union-attr]


def solve(challenge: Mapping[str, Any]) -> str:
    """Solve a proof of work as the package does."""
    read = Challenge.from_dict(dict(challenge))
    solution = solve_challenge(read)
    assert solution is not None
    return Payload(read, solution).to_base64()
