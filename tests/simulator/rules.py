"""Rules: which sends go wrong, and how."""

import random
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import Literal, get_args

from tests.simulator.inbox import Code

# What is made of the vendor's answer.
AnswerAction = Literal[
    "error",
    "status",
    "wait",
    "hang",
    "drop_before",
    "drop_after_accepting",
    "html_502",
    "not_json",
    "redirect",
    "huge",
    "drip",
]
# What becomes of a text that was accepted, and of the receipts that tell of it.
DeliveryAction = Literal[
    "receipt_late",
    "receipt_doubled",
    "receipt_out_of_order",
    "receipt_missing",
    "undelivered",
    "outage",
]
Action = AnswerAction | DeliveryAction
DELIVERY_ACTIONS: tuple[DeliveryAction, ...] = get_args(DeliveryAction)
ACTIONS: tuple[Action, ...] = (*get_args(AnswerAction), *DELIVERY_ACTIONS)

DEFAULT_LOCATION = "https://elsewhere.invalid/"

# field -> the types its value may have; bool is never meant, though it is an int.
_TYPES: dict[str, tuple[type, ...]] = {
    "action": (str,),
    "provider": (str,),
    "to": (str,),
    "to_prefix": (str,),
    "every": (int,),
    "times": (int,),
    "code": (int, str),
    "status": (int,),
    "seconds": (int, float),
    "retry_after_seconds": (int,),
    "location": (str,),
    "delivery_rate": (int, float),
}
_ALWAYS = {"action", "every", "seconds"}
_RANGES: dict[str, tuple[int, int]] = {
    "every": (1, 1_000_000_000),
    "times": (1, 1_000_000_000),
    "status": (400, 599),
    "seconds": (0, 3600),
    "retry_after_seconds": (0, 86_400),
    "delivery_rate": (0, 1),
}
_PATTERNS: dict[str, tuple[re.Pattern[str], str]] = {
    "to": (re.compile(r"\+[1-9][0-9]{6,14}"), "a number in E.164"),
    "to_prefix": (re.compile(r"\+[0-9]{0,15}"), "the start of a number in E.164"),
    "location": (re.compile(r"[!-~]+"), "a URL"),
}
# field -> the actions that read it
_READERS: dict[str, frozenset[str]] = {
    "code": frozenset({"error", "undelivered"}),
    "status": frozenset({"status"}),
    "retry_after_seconds": frozenset({"error", "status"}),
    "location": frozenset({"redirect"}),
    "delivery_rate": frozenset({"undelivered", "outage"}),
}
_NEEDED: dict[str, tuple[str, ...]] = {
    "error": ("provider", "code"),
    "status": ("status",),
    "wait": ("seconds",),
    "receipt_late": ("seconds",),
}


class RuleRefused(ValueError):
    """A rule means nothing; ``field`` is where."""

    def __init__(self, field: str, reason: str) -> None:
        """Name the field, or "" for the rule as a whole, and say what is wrong."""
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One way in which some sends go wrong.

    A send matches by ``provider`` and by number, exactly (``to``) or by its start
    (``to_prefix``); what is left out matches everything. Of the matches only
    every ``every``-th is taken, and only ``times`` of them before the rule is
    spent. ``seconds`` of delay come before any action; for ``wait`` they are all
    there is.

    The delivery actions leave the answer alone and act on texts that were accepted:
    ``seconds`` delay the receipts, ``undelivered`` (with a receipt, of the vendor's
    ``code`` where one is given) and ``outage`` (without) keep the text from the phone.
    ``delivery_rate`` is the share, 0 to 1, that such a rule lets pass. A send may
    meet one rule of each kind.

    Raises:
        RuleRefused: a value, or a combination of fields, means nothing.
    """

    action: Action
    provider: str | None = None
    to: str | None = None
    to_prefix: str | None = None
    every: int = 1
    times: int | None = None
    code: Code | None = None
    status: int | None = None
    seconds: float = 0.0
    retry_after_seconds: int | None = None
    location: str | None = None
    delivery_rate: float | None = None

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        self._check_types()
        if self.action not in ACTIONS:
            raise RuleRefused("action", f"one of {', '.join(ACTIONS)}")
        for field in _NEEDED.get(self.action, ()):
            if not getattr(self, field):
                raise RuleRefused(field, f"needed by action {self.action}")
        for field, readers in _READERS.items():
            if getattr(self, field) is not None and self.action not in readers:
                raise RuleRefused(field, f"means nothing to action {self.action}")
        self._check_values()

    def _check_types(self) -> None:
        for field, types in _TYPES.items():
            value = getattr(self, field)
            if value is None and field not in _ALWAYS:
                continue
            if not isinstance(value, types) or isinstance(value, bool):
                raise RuleRefused(field, f"not {type(value).__name__}")

    def _check_values(self) -> None:
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                raise RuleRefused(field, f"{low} to {high}")
        for field, (pattern, meaning) in _PATTERNS.items():
            value = getattr(self, field)
            if value is not None and not pattern.fullmatch(value):
                raise RuleRefused(field, meaning)
        if self.code is not None and self.provider is None:
            raise RuleRefused("provider", "needed: codes are a vendor's own")
        if self.to is not None and self.to_prefix is not None:
            raise RuleRefused("to_prefix", "to says it all")

    def matches(self, provider: str, recipients: Sequence[str]) -> bool:
        """Tell whether a send is of the kind this rule is about."""
        if self.provider is not None and self.provider != provider:
            return False
        if self.to is not None:
            return self.to in recipients
        if self.to_prefix is not None:
            return any(to.startswith(self.to_prefix) for to in recipients)
        return True


def read_rule(document: object) -> Rule:
    """Read a rule from JSON.

    Raises:
        RuleRefused: a field is unknown, or a value means nothing.
    """
    if not isinstance(document, dict):
        raise RuleRefused("", "a rule is a JSON object")
    known = {field.name for field in fields(Rule)}
    for name in document:
        if name not in known:
            raise RuleRefused(str(name), "unknown field")
    if "action" not in document:
        raise RuleRefused("action", f"one of {', '.join(ACTIONS)}")
    return Rule(**document)


@dataclass(slots=True)
class PlacedRule:
    """A rule in force, and what it has seen."""

    id: int
    rule: Rule
    draws: random.Random
    matched: int = 0
    taken: int = 0

    @property
    def spent(self) -> bool:
        """Whether it has acted as often as it may."""
        return self.rule.times is not None and self.taken >= self.rule.times

    def takes(self, provider: str, recipients: Sequence[str]) -> bool:
        """Count a send that matches, and tell whether it is one to act on."""
        if self.spent or not self.rule.matches(provider, recipients):
            return False
        self.matched += 1
        if self.matched % self.rule.every:
            return False
        rate = self.rule.delivery_rate
        if rate is not None and self.draws.random() < rate:
            return False
        self.taken += 1
        return True


class RuleBook:
    """The rules in force, in the order they were added."""

    def __init__(
        self,
        codes: Mapping[str, Collection[Code]],
        receipt_codes: Mapping[str, Collection[Code]],
        seed: int,
    ) -> None:
        """Know the providers there are, and the codes of their errors and receipts.

        ``seed`` decides which sends a ``delivery_rate`` lets pass.
        """
        self._codes = codes
        self._receipt_codes = receipt_codes
        self._seed = seed
        self._ids = count(1)
        self._for_answers: list[PlacedRule] = []
        self._for_deliveries: list[PlacedRule] = []

    def add(self, rule: Rule) -> PlacedRule:
        """Put ``rule`` in force.

        Raises:
            RuleRefused: there is no such provider, or it has no such code.
        """
        if rule.provider is not None:
            if rule.provider not in self._codes:
                raise RuleRefused("provider", f"one of {', '.join(self._codes)}")
            of_kind = self._codes if rule.action == "error" else self._receipt_codes
            if rule.code is not None and rule.code not in of_kind[rule.provider]:
                known = ", ".join(map(str, sorted(of_kind[rule.provider], key=str)))
                raise RuleRefused("code", f"{rule.provider} has {known or 'none'}")
        rule_id = next(self._ids)
        # Each rule draws on its own, so that adding one changes no other.
        draws = random.Random(f"{self._seed}/{rule_id}")  # noqa: S311 - not a secret
        placed = PlacedRule(rule_id, rule, draws)
        delivers = rule.action in DELIVERY_ACTIONS
        (self._for_deliveries if delivers else self._for_answers).append(placed)
        return placed

    def take(self, provider: str, recipients: Sequence[str]) -> PlacedRule | None:
        """Return the rule that acts on a send: the first that takes it.

        Rules behind that one neither see nor count the send.
        """
        return _take(self._for_answers, provider, recipients)

    def take_delivery(self, provider: str, recipient: str) -> PlacedRule | None:
        """Return the rule that acts on the delivery of a text that was accepted."""
        return _take(self._for_deliveries, provider, (recipient,))

    def __iter__(self) -> Iterator[PlacedRule]:
        """Go through the rules as they were added, spent ones included."""
        placed = (*self._for_answers, *self._for_deliveries)
        return iter(sorted(placed, key=lambda it: it.id))

    def clear(self) -> None:
        """Remove all rules."""
        self._for_answers.clear()
        self._for_deliveries.clear()


def _take(
    rules: Iterable[PlacedRule], provider: str, recipients: Sequence[str]
) -> PlacedRule | None:
    for placed in rules:
        if placed.takes(provider, recipients):
            return placed
    return None
