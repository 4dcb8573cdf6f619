"""What the laboratory found, and the targets that it is held to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.abuse.enumeration import Compared
from benchmarks.abuse.guessing import Guessed
from benchmarks.abuse.levels import Level
from benchmarks.abuse.pumping import Pumped
from benchmarks.abuse.pumps import Pump
from benchmarks.abuse.town import Honest
from benchmarks.abuse.victim import Bombed, Burnt
from benchmarks.simulation.world import DAY
from services.abuse.rules import RULES
from services.otp.codes import CODE_DIGITS

# The targets of the issue.
LEAST_SAVED = 0.99
MOST_REFUSED, MOST_CHALLENGED = 0.001, 0.01
STOPPED_SECONDS, STOPPED_MESSAGES = 60.0, 50
MOST_IN_TEN_MINUTES, MOST_IN_A_DAY = 3, 10
MOST_TAKEOVERS = 0.05
MOST_APART_MS = 2.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A target, what was found, and whether it was met; ``wanted``: the issue's."""

    about: str
    target: str
    found: str
    holds: bool
    wanted: bool = True


@dataclass
class Findings:
    """Everything found; what was not looked at is not there."""

    quiet: Honest | None = None
    pumps: dict[str, Pump] = field(default_factory=dict)
    pumped: dict[str, dict[Level, Pumped]] = field(default_factory=dict)
    bombed: dict[Level, Bombed] = field(default_factory=dict)
    guessed: dict[str, dict[Level, Guessed]] = field(default_factory=dict)
    burnt: dict[Level, Burnt] = field(default_factory=dict)
    compared: list[Compared] = field(default_factory=list)

    def claims(self) -> list[Claim]:
        """Judge all that was looked at."""
        return [
            *self._honest_claims(),
            *self._pump_claims(),
            *self._victim_claims(),
            *self._guessing_claims(),
            *self._enumeration_claims(),
        ]

    @property
    def holds(self) -> bool:
        """Whether every target of the issue was met."""
        return all(it.holds for it in self.claims() if it.wanted)

    def saved(self, name: str, level: Level) -> float:
        """Return the share of a pump's money that a level kept."""
        levels = self.pumped[name]
        return 1 - levels[level].money / levels["none"].money

    def _honest_claims(self) -> Iterator[Claim]:
        if self.quiet is not None:
            yield from _honest("a day without attack", self.quiet, wanted=True)

    def _pump_claims(self) -> Iterator[Claim]:
        for name, levels in self.pumped.items():
            ours, wanted = levels["ours"], self.pumps[name].wanted
            about = f"pump: {name}"
            saved = self.saved(name, "ours")
            yield Claim(
                about,
                f"{LEAST_SAVED:.0%} of the money saved",
                f"{saved:.2%}",
                saved >= LEAST_SAVED,
                wanted,
            )
            yield _stopped(about, ours, wanted=wanted)
            yield from _honest(about, ours.honest, wanted=wanted)

    def _victim_claims(self) -> Iterator[Claim]:
        if self.bombed:
            ours = self.bombed["ours"]
            yield Claim(
                "bombing",
                f"{MOST_IN_TEN_MINUTES} texts in 10 min, {MOST_IN_A_DAY} a day",
                f"{ours.in_ten_minutes} and {ours.in_a_day}",
                ours.in_ten_minutes <= MOST_IN_TEN_MINUTES
                and ours.in_a_day <= MOST_IN_A_DAY,
            )
        if self.burnt:
            known = self.burnt["ours"].known_device
            yield Claim(
                "lock-out",
                "the victim logs in on a known device",
                known,
                known == "logs in",
            )

    def _guessing_claims(self) -> Iterator[Claim]:
        for name, levels in self.guessed.items():
            found = levels["ours"].takeovers_a_day
            yield _takeovers(name, found)
        if self.guessed:
            # Who stays just below the limit all day is never met.
            ((most, seconds),) = RULES["wrong_checks_global"].default.windows
            unseen = most * DAY / seconds / 10**CODE_DIGITS
            yield _takeovers("guessing just below the limit, by arithmetic", unseen)

    def _enumeration_claims(self) -> Iterator[Claim]:
        if not self.compared:
            return
        unequal = [it.question for it in self.compared if not it.equal]
        yield Claim(
            "enumeration",
            "equal answers",
            ", ".join(unequal) or "all equal",
            not unequal,
        )
        apart = max(it.apart_ms for it in self.compared)
        yield Claim(
            "enumeration",
            f"medians within {MOST_APART_MS:.0f} ms",
            f"within {apart:.2f} ms",
            apart <= MOST_APART_MS,
        )


def _stopped(about: str, ours: Pumped, *, wanted: bool) -> Claim:
    seconds, messages = ours.stopped_after, ours.stopped_messages
    return Claim(
        about,
        f"stopped {STOPPED_SECONDS:.0f} s or {STOPPED_MESSAGES} messages after a rule"
        " was crossed",
        "not stopped" if seconds is None else f"{seconds:.0f} s, {messages} messages",
        seconds is not None
        and (seconds <= STOPPED_SECONDS or messages <= STOPPED_MESSAGES),
        wanted,
    )


def _honest(about: str, honest: Honest, *, wanted: bool) -> Iterator[Claim]:
    for what, share, most in (
        ("refused", honest.refused_share, MOST_REFUSED),
        ("challenged", honest.challenged_share, MOST_CHALLENGED),
    ):
        yield Claim(
            about,
            f"{most:.1%} of honest logins {what}",
            f"{share:.3%}",
            share <= most,
            wanted,
        )


def _takeovers(about: str, found: float) -> Claim:
    return Claim(
        about,
        f"below {MOST_TAKEOVERS} expected takeovers a day",
        f"{found:.2g}",
        found < MOST_TAKEOVERS,
    )


def refusals(honest: Honest) -> str:
    """Name what refused honest people, and how many."""
    return ", ".join(f"{name} {count}" for name, count in honest.refused_by) or "-"
