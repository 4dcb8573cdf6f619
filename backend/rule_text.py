"""Windows of rules as operators write them, here as in the settings.

``10/10m, 30/1h``; money ``12.5/1h, 300/24h``; with single countries or services apart
``50/1h; IN: 100/1h``.
"""

from collections.abc import Mapping

from config.limits import UNIT_SECONDS, parse_limits
from config.lists import parse_country
from config.money import MICROS, BySubject, parse_by_subject, parse_client, parse_money
from services.abuse.rules import Definition, Rule, Windows

_SUBJECTS = {"country": parse_country, "caller": parse_client}


def read_windows(
    definition: Definition, text: str
) -> tuple[Windows, Mapping[str, Windows] | None]:
    """Return what binds everybody, and single subjects where a rule has such.

    Raises:
        ValueError: it cannot be read; it says why.
    """
    read_limits = parse_money if definition.kind == "money" else parse_limits
    if definition.scope not in _SUBJECTS:
        return read_limits(text), None
    found: BySubject = parse_by_subject(text, read_limits, _SUBJECTS[definition.scope])
    return found.limits, dict(found.special)


def write_windows(definition: Definition, rule: Rule) -> str:
    """Write the windows so that they can be read again."""
    parts = [_write(definition, rule.windows)]
    parts += [
        f"{subject}: {_write(definition, windows)}"
        for subject, windows in sorted(rule.special.items())
    ]
    return "; ".join(parts)


def write_duration(seconds: int) -> str:
    """Write seconds in the largest unit that they are a whole number of."""
    unit = max(
        (it for it in UNIT_SECONDS if seconds % UNIT_SECONDS[it] == 0),
        key=lambda it: UNIT_SECONDS[it],
    )
    return f"{seconds // UNIT_SECONDS[unit]}{unit}"


def _write(definition: Definition, windows: Windows) -> str:
    if not windows:
        return "off"
    is_money = definition.kind == "money"
    return ", ".join(
        f"{_write_money(capacity) if is_money else capacity}/{write_duration(seconds)}"
        for capacity, seconds in windows
    )


def _write_money(micros: int) -> str:
    whole, rest = divmod(micros, MICROS)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")
