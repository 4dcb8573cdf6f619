"""What a day comes to: for everybody, and for those who came during an outage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from benchmarks.simulation.day import Login
from benchmarks.simulation.world import OUTAGES, Outage

# A day by strategy.
Days = Mapping[str, Sequence[Login]]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a strategy did. Messages and money are per completed login."""

    came: int
    completed: int
    p50_seconds: float
    p95_seconds: float
    messages: float
    money: float

    @classmethod
    def of(cls, logins: Sequence[Login]) -> Self:
        """Count what became of these people."""
        completed = sum(it.state == "done" for it in logins)
        seconds = sorted(it.code_after for it in logins if it.code_after is not None)
        return cls(
            came=len(logins),
            completed=completed,
            p50_seconds=_percentile(seconds, 0.5),
            p95_seconds=_percentile(seconds, 0.95),
            messages=sum(len(it.vendors) for it in logins) / max(1, completed),
            money=sum(it.paid for it in logins) / max(1, completed),
        )


def figures_of(days: Days, outage: Outage | None = None) -> dict[str, Figures]:
    """Return how each strategy did, all day or by those who came in an outage."""
    return {
        strategy: Figures.of(
            [it for it in logins if outage is None or outage.covers(it.came_at)]
        )
        for strategy, logins in days.items()
    }


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that has to be true, what was found, and whether it is."""

    text: str
    found: str
    holds: bool


_LEAST_OF_ORACLE = 0.99
_MOST_MESSAGES = 1.15
# What "saves" means: at least this share of what the fixed order loses to the oracle.
_LEAST_SAVED = 0.5


def claims_of(days: Days) -> list[Claim]:
    """Judge the day."""
    day = figures_of(days)
    adaptive = day["adaptive"]
    share = adaptive.completed / day["oracle"].completed
    return [
        Claim(
            f"adaptive completes {_LEAST_OF_ORACLE:.0%} of what the oracle does",
            f"{share:.2%}",
            share >= _LEAST_OF_ORACLE,
        ),
        Claim(
            f"with at most {_MOST_MESSAGES} messages per login",
            f"{adaptive.messages:.3f}",
            adaptive.messages <= _MOST_MESSAGES,
        ),
        *_savings(days),
    ]


def _savings(days: Days) -> list[Claim]:
    (silence,) = (it for it in OUTAGES if it.kind == "silence")
    during = figures_of(days, silence)
    completed = {name: it.completed for name, it in during.items()}
    lost = completed["oracle"] - completed["order"]
    claims = [
        Claim(
            "static order loses logins while a vendor is silent",
            f"{lost} of {completed['oracle']}",
            lost > 0,
        )
    ]
    for name in ("priorities", "adaptive"):
        saved = completed[name] - completed["order"]
        claims.append(
            Claim(
                f"{name} saves at least {_LEAST_SAVED:.0%} of them",
                f"{saved / lost:.0%}" if lost > 0 else "nothing to save",
                lost > 0 and saved >= _LEAST_SAVED * lost,
            )
        )
    return claims


def _percentile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0
