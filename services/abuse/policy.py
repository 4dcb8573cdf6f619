"""What the operator decided: how strict each rule is, and whom it does not bind.

A policy is a value; workers exchange it whole when the operator changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.abuse.rules import RULES, Rule

EntryKind = Literal["phone", "prefix", "country", "ip"]
EntryVerdict = Literal["allow", "block"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the allow and block lists.

    ``value`` is a phone's tag, the beginning of numbers (``+91987``), a country or an
    address range in CIDR. ``until`` is a Unix time in seconds, None for ever.
    """

    kind: EntryKind
    value: str
    verdict: EntryVerdict
    until: float | None = None

    def binds_at(self, moment: float) -> bool:
        """Tell whether it holds at a Unix time."""
        return self.until is None or moment < self.until


@dataclass(frozen=True, slots=True)
class Policy:
    """Every rule by its name, and the lists; ``version`` counts the changes."""

    rules: Mapping[str, Rule] = field(
        default_factory=lambda: {name: it.default for name, it in RULES.items()}
    )
    entries: Sequence[Entry] = ()
    version: int = 0
