"""When a vendor counts as bad, and how its weight then moves."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from services.sms.routing.standing import RESTING_WEIGHT


@dataclass(frozen=True)
class HealthRules:
    """When a vendor is bad, and how its weight moves. Times in seconds.

    The ``least_*`` are how much has to be known, as decayed counts, before anything is
    concluded from it. With ``step_down`` 0 no weight is ever taken.
    """

    short_half_life: float = 120
    # Long enough to learn a country of a few logins an hour, and to forget a bad day.
    long_half_life: float = 6 * 3_600
    least_calls: int = 10
    # As the breaker's five in a row. Ten overlooked a vendor that was silent for an
    # hour, with 20,000 logins a day from eight countries (make simulate).
    least_judged: int = 5
    least_tries: int = 20
    most_errors: float = 0.3
    slow_seconds: float = 3.0
    least_delivered: float = 0.5
    step_down: int = 25
    step_every: float = 30
    drift_up: int = 10
    drift_every: float = 300

    @cached_property
    def arguments(self) -> dict[str, Any]:
        """As the script reads them, in milliseconds but for ``slow_seconds``."""
        return {
            "short_half_ms": self.short_half_life * 1000,
            "long_half_ms": self.long_half_life * 1000,
            "least_calls": self.least_calls,
            "least_judged": self.least_judged,
            "least_tries": self.least_tries,
            "most_errors": self.most_errors,
            "slow_seconds": self.slow_seconds,
            "least_delivered": self.least_delivered,
            "resting": RESTING_WEIGHT,
            "step_down": self.step_down,
            "step_every_ms": self.step_every * 1000,
            "drift_up": self.drift_up,
            "drift_every_ms": self.drift_every * 1000,
            # A worker speaks up every few seconds; one that did not is gone or stuck.
            "open_worker_ms": 30_000,
            # Longer than any request is repeated for.
            "forget_worker_ms": 3_600_000,
            "forget_calls": 0.01,
            # Eight half-lives: less than half a percent of anything is left.
            "keep_ms": math.ceil(self.long_half_life * 8 * 1000),
        }
