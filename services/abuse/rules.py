"""The rules against abuse: what each counts, how strict it is, how it is changed.

A rule is counted by a *scope* (who or what is one subject to it) and has a *mode*:

=============  =====================================================================
``off``        it is not looked at
``monitor``    it counts as if it were ``block``, reports, and refuses nothing
``challenge``  over its limit a solved challenge lets a send pass, up to three times
               the limit; from there on it refuses
``block``      over its limit it refuses
=============  =====================================================================

There is no challenge on checks, and none instead of money.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["off", "monitor", "challenge", "block"]
# ``network`` is the IPv6 /48 around an address; ``device`` what an app calls itself, a
# hint that refuses nobody; ``caller`` a service client.
Scope = Literal["ip", "network", "device", "prefix", "country", "caller", "global"]
# Count: units in windows. Distinct: phones that have typed no code yet. Conversion:
# codes typed of those sent. Money: what messages cost. Guessing: everybody's wrong
# checks.
Kind = Literal["count", "distinct", "conversion", "money", "guessing"]
Action = Literal["send", "call", "check"]

# (capacity, seconds) each; of money the capacity is in millionths of the currency.
Windows = tuple[tuple[int, int], ...]

MICROS = 1_000_000

_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Rule:
    """How strict a rule is; ``special`` has windows of single subjects.

    Subjects with windows of their own are countries (``IN``) or service clients.
    """

    mode: Mode
    windows: Windows = ()
    special: Mapping[str, Windows] = field(default_factory=dict)

    def windows_of(self, subject: str) -> Windows:
        """Return what binds one subject."""
        return self.special.get(subject, self.windows)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a rule is about, and what may be changed of it."""

    scope: Scope
    kind: Kind
    action: Action
    modes: frozenset[Mode]
    default: Rule


_SEND_MODES: frozenset[Mode] = frozenset({"off", "monitor", "challenge", "block"})
_PLAIN_MODES: frozenset[Mode] = frozenset({"off", "monitor", "block"})
# Of what alone refuses nobody.
_MILD_MODES: frozenset[Mode] = frozenset({"off", "monitor", "challenge"})


def _count(scope: Scope, mode: Mode, *windows: tuple[int, int]) -> Definition:
    return Definition(scope, "count", "send", _SEND_MODES, Rule(mode, windows))


def _checks(scope: Scope, *windows: tuple[int, int]) -> Definition:
    return Definition(scope, "count", "check", _PLAIN_MODES, Rule("block", windows))


def _calls(scope: Scope, *windows: tuple[int, int]) -> Definition:
    return Definition(scope, "count", "call", _PLAIN_MODES, Rule("block", windows))


def _conversion(scope: Scope) -> Definition:
    return Definition(scope, "conversion", "send", _SEND_MODES, Rule("block"))


def _money(scope: Scope) -> Definition:
    return Definition(scope, "money", "send", _PLAIN_MODES, Rule("block"))


# In this order they are looked at. Without windows a count or a cap binds nobody.
RULES: Mapping[str, Definition] = {
    "sends_per_ip": _count("ip", "challenge", (10, 600), (30, 3_600), (100, _DAY)),
    "sends_per_network": _count(
        "network", "challenge", (40, 600), (120, 3_600), (400, _DAY)
    ),
    "phones_per_ip": Definition(
        "ip",
        "distinct",
        "send",
        _SEND_MODES,
        Rule("challenge", ((5, 3_600), (20, _DAY))),
    ),
    "phones_per_device": Definition(
        "device",
        "distinct",
        "send",
        _MILD_MODES,
        Rule("challenge", ((5, 3_600), (20, _DAY))),
    ),
    # Fewer than most publish (10 and 30): typed codes are given back, so honest people
    # hardly count, and in the laboratory a pump over four blocks saves 98.7 % with
    # those and 99.3 % with these (benchmarks/abuse.md).
    "sends_per_prefix": _count("prefix", "challenge", (5, 600), (15, 3_600)),
    "sends_per_country": _count("country", "block"),
    "sends_per_caller": _count("caller", "block", (600, 60), (5_000, _DAY)),
    "sends_global": _count("global", "block"),
    "calls_per_prefix": _calls("prefix", (5, 3_600)),
    "calls_global": _calls("global", (100, 3_600)),
    "prefix_conversion": _conversion("prefix"),
    "country_conversion": _conversion("country"),
    "caller_conversion": _conversion("caller"),
    "spend_per_country": _money("country"),
    "spend_per_caller": _money("caller"),
    "spend_global": _money("global"),
    "wrong_checks_per_ip": _checks("ip", (20, 600), (50, 3_600)),
    "wrong_checks_per_network": _checks("network", (80, 600), (200, 3_600)),
    "wrong_checks_global": Definition(
        "global",
        "guessing",
        "check",
        _MILD_MODES,
        Rule("challenge", ((2_000, 3_600),)),
    ),
}
