"""Which rules against abuse there are, how strict each may be, and which are so."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from config.fields import read
from config.lists import items

Mode = Literal["off", "monitor", "challenge", "block"]

_SEND = frozenset[Mode]({"off", "monitor", "challenge", "block"})
_PLAIN = frozenset[Mode]({"off", "monitor", "block"})
_MILD = frozenset[Mode]({"off", "monitor", "challenge"})

# As services/abuse/rules.py has them; a test holds both together.
MODES: Mapping[str, frozenset[Mode]] = {
    "sends_per_ip": _SEND,
    "sends_per_network": _SEND,
    "phones_per_ip": _SEND,
    "phones_per_device": _MILD,
    "sends_per_prefix": _SEND,
    "sends_per_country": _SEND,
    "sends_per_caller": _SEND,
    "sends_global": _SEND,
    "calls_per_prefix": _PLAIN,
    "calls_global": _PLAIN,
    "prefix_conversion": _SEND,
    "country_conversion": _SEND,
    "caller_conversion": _SEND,
    "spend_per_country": _PLAIN,
    "spend_per_caller": _PLAIN,
    "spend_global": _PLAIN,
    "wrong_checks_per_ip": _PLAIN,
    "wrong_checks_per_network": _PLAIN,
    "wrong_checks_global": _MILD,
}


def parse_rule_modes(text: str) -> tuple[tuple[str, Mode], ...]:
    """Read ``sends_per_ip=monitor, country_conversion=off``.

    Raises:
        ValueError: names every entry that cannot be read, by its place.
    """
    found: dict[str, Mode] = {}
    problems = []
    for place, entry in enumerate(items(text), start=1):
        name, _, word = (part.strip().lower() for part in entry.partition("="))
        mode = next((it for it in get_args(Mode) if it == word), None)
        if name not in MODES:
            known = ", ".join(MODES)
            problems.append(f"entry {place} names an unknown rule; known are {known}")
        elif name in found:
            problems.append(f"entry {place} names {name} once more")
        elif mode not in MODES[name]:
            allowed = ", ".join(it for it in get_args(Mode) if it in MODES[name])
            problems.append(f"entry {place}: {name} can be {allowed}")
        else:
            found[name] = mode
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found.items())


RuleModes = Annotated[tuple[tuple[str, Mode], ...], read(parse_rule_modes)]
