"""What the defence does: what is blocked, what it saved, what is spent, who guesses.

Rules that only watch are told apart (``shadow``): what they would have refused, and
what those messages would have cost at most, is what mode ``block`` would have saved.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.abuse.blocks import Block, Blocks
from services.abuse.guessing import Guesses, Guessing
from services.abuse.keys import TALLY, rule_key
from services.abuse.policy import Policy
from services.abuse.rules import MICROS, RULES, Scope, Windows
from services.scripts import Call, Reply, Script, ScriptRunner

_LUA = Path(__file__).parent
_REPORT = Script.load(_LUA / "windows.lua", _LUA / "report.lua")

# So long tallies are kept (``keys.py``).
MOST_DAYS = 8

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Tally:
    """Sends that a rule did not let pass on one day, which ``begins`` in Unix seconds.

    ``rule`` is also country_policy or number_type, where the settings asked for a
    challenge. ``verdict`` is challenge, block or money; ``saved`` what the messages
    would have cost at most. ``shadow``: the rule only watched, and they went out.
    """

    begins: int
    rule: str
    verdict: str
    shadow: bool
    sends: int
    saved: float


@dataclass(frozen=True, slots=True)
class Spend:
    """How one cap stands; ``held`` is for messages under way."""

    rule: str
    subject: str
    window_seconds: int
    spent: float
    held: float
    cap: float


@dataclass(frozen=True, slots=True)
class Report:
    """All of it, at one moment."""

    blocks: Sequence[Block]
    tallies: Sequence[Tally]
    spends: Sequence[Spend]
    guesses: Guesses


@dataclass(frozen=True, slots=True)
class _Cap:
    rule: str
    subject: str
    key: str
    windows: Windows
    is_named: bool


class Reports:
    """Reads reports. Safe to share between threads."""

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        policy: Callable[[], Policy],
        blocks: Blocks,
        guessing: Guessing,
        subjects: Mapping[Scope, Callable[[], Iterable[str]]],
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``subjects`` are the countries and service clients that may have spent."""
        self._scripts = scripts
        self._policy = policy
        self._blocks = blocks
        self._guessing = guessing
        self._subjects = subjects
        self._offset_seconds = offset_seconds

    def read(self, days: int) -> Report:
        """Return how it stands, with the tallies of so many days, today among them.

        Three round trips.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        caps = list(self._caps(self._policy()))
        arguments = {
            "offset_ms": int(self._offset_seconds() * 1000),
            "days": days,
            "windows": [[it * 1000 for _, it in cap.windows] for cap in caps],
        }
        call = Call(_REPORT, [TALLY, *(it.key for it in caps)], arguments)
        reply = self._scripts.run(call)
        return Report(
            blocks=self._blocks.all(),
            tallies=sorted(_tallies(reply), key=lambda it: (-it.begins, -it.sends)),
            spends=list(_spends(caps, reply)),
            guesses=self._guessing.look(),
        )

    def _caps(self, policy: Policy) -> Iterator[_Cap]:
        """Yield every cap that may hold anything."""
        for name, definition in RULES.items():
            rule = policy.rules[name]
            if definition.kind != "money" or rule.mode == "off":
                continue
            found = {""} if definition.scope == "global" else {*rule.special}
            if definition.scope in self._subjects:
                found |= {*self._subjects[definition.scope]()}
            for subject in sorted(found):
                if windows := rule.windows_of(subject):
                    key = rule_key("money", name, definition.scope, subject)
                    is_named = not subject or subject in rule.special
                    yield _Cap(name, subject, key, windows, is_named)


def _tallies(reply: Reply) -> Iterator[Tally]:
    # Lua has one empty table for lists and objects.
    cells = iter(reply["tally"] or ())
    counts = dict(zip(cells, cells, strict=True))
    for field, count in counts.items():
        day, rule, verdict, shadow, *rest = field.split("|")
        if not rest:
            yield Tally(
                begins=int(day) * _DAY,
                rule=rule,
                verdict=verdict,
                shadow=shadow == "1",
                sends=int(count),
                saved=int(counts.get(f"{field}|micros", 0)) / MICROS,
            )


def _spends(caps: Sequence[_Cap], reply: Mapping[str, Any]) -> Iterator[Spend]:
    """Yield those that somebody spends under, and those that the operator named."""
    for cap, found in zip(caps, reply["spends"] or (), strict=True):
        if not (cap.is_named or found["held"] or any(found["spent"])):
            continue
        for (capacity, seconds), spent in zip(cap.windows, found["spent"], strict=True):
            yield Spend(
                rule=cap.rule,
                subject=cap.subject,
                window_seconds=seconds,
                spent=spent / MICROS,
                held=found["held"] / MICROS,
                cap=capacity / MICROS,
            )
