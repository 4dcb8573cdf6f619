"""What an operator sets of a rule, and how it is written down.

What is not set stays as the settings have it, whatever they will be. In Redis a rule's
windows are ``10/600,30/3600`` (capacity/seconds), those of single subjects
``IN=100/3600;AE=5/3600``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import get_args

from services.abuse.rules import RULES, Definition, Mode, Rule, Windows

# What the parts are called, in Redis and as fields of a request.
PARTS = ("mode", "windows", "special")

_MODES: tuple[Mode, ...] = get_args(Mode)

# As the settings have it; money, in millionths, stays exact in JSON that Lua writes.
_MOST_SECONDS = 30 * 86_400
_MOST_UNITS = 10**9 - 1
_MOST_MICROS = 10**13 - 1
_MOST_WINDOWS = 5
_MOST_SPECIAL = 300

_SUBJECTS = {
    "country": (re.compile(r"[A-Z]{2}", re.ASCII), "a country of ISO 3166"),
    "caller": (re.compile(r"[a-z0-9-]{1,32}", re.ASCII), "the id of a service client"),
}
_WINDOW = re.compile(r"([0-9]{1,16})/([0-9]{1,7})", re.ASCII)


class PolicyRefused(ValueError):
    """It cannot be set so; the text says why, ``field`` of what."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Override:
    """The parts of a rule that an operator set; None where the settings hold."""

    mode: Mode | None = None
    windows: Windows | None = None
    special: Mapping[str, Windows] | None = None

    def over(self, rule: Rule) -> Rule:
        """Return a rule with these parts in the place of its own."""
        given = {it: part for it in PARTS if (part := getattr(self, it)) is not None}
        return replace(rule, **given)


def definition_of(name: str) -> Definition:
    """Return what a rule is about.

    Raises:
        PolicyRefused: there is no such rule.
    """
    try:
        return RULES[name]
    except KeyError:
        raise PolicyRefused("rule", "there is no such rule") from None


def check_override(name: str, override: Override) -> None:
    """See that a rule can be so.

    Raises:
        PolicyRefused: it cannot, or there is no such rule.
    """
    definition = definition_of(name)
    if override.mode is not None and override.mode not in definition.modes:
        modes = ", ".join(it for it in _MODES if it in definition.modes)
        raise PolicyRefused("mode", f"{name} can be {modes}")
    if override.windows is not None:
        _check_windows(name, definition, override.windows)
    _check_special(name, definition, override.special or {})


def write_parts(override: Override) -> dict[str, str]:
    """Write the parts that are set, as Redis has them."""
    parts: dict[str, str] = {}
    if override.mode is not None:
        parts["mode"] = override.mode
    if override.windows is not None:
        parts["windows"] = _write_windows(override.windows)
    if override.special is not None:
        parts["special"] = ";".join(
            f"{subject}={_write_windows(windows)}"
            for subject, windows in sorted(override.special.items())
        )
    return parts


def read_part(name: str, part: str, text: str) -> Override:
    """Read one part of a rule as Redis has it.

    Raises:
        ValueError: there is no such rule or part, or it cannot be so.
    """
    match part:
        case "mode":
            found = Override(mode=_read_mode(text))
        case "windows":
            found = Override(windows=_read_windows(text))
        case "special":
            pairs = [it.split("=") for it in text.split(";")] if text else []
            found = Override(
                special={subject: _read_windows(it) for subject, it in pairs}
            )
        case _:
            raise ValueError(part)
    check_override(name, found)
    return found


def _check_windows(name: str, definition: Definition, windows: Windows) -> None:
    if definition.kind == "conversion" and windows:
        raise PolicyRefused("windows", f"{name} has a mode, and no windows")
    durations = [seconds for _, seconds in windows]
    if definition.kind == "guessing" and len(windows) > 1:
        raise PolicyRefused("windows", f"{name} has one window")
    if len(windows) > _MOST_WINDOWS:
        raise PolicyRefused("windows", f"{_MOST_WINDOWS} windows are the most")
    if len(set(durations)) < len(durations):
        raise PolicyRefused("windows", "names the same duration twice")
    most = _MOST_MICROS if definition.kind == "money" else _MOST_UNITS
    for capacity, seconds in windows:
        if not (1 <= capacity <= most and 1 <= seconds <= _MOST_SECONDS):
            message = "counts start at 1, durations lie between 1s and 30d"
            raise PolicyRefused("windows", message)


def _check_special(
    name: str, definition: Definition, special: Mapping[str, Windows]
) -> None:
    if not special:
        return
    if definition.scope not in _SUBJECTS or definition.kind == "conversion":
        message = f"{name} has no windows for single countries or services"
        raise PolicyRefused("windows", message)
    if len(special) > _MOST_SPECIAL:
        raise PolicyRefused("windows", f"{_MOST_SPECIAL} subjects are the most")
    pattern, what = _SUBJECTS[definition.scope]
    for subject, windows in special.items():
        if not pattern.fullmatch(subject):
            raise PolicyRefused("windows", f"what stands before : must be {what}")
        _check_windows(name, definition, windows)


def _write_windows(windows: Windows) -> str:
    return ",".join(f"{capacity}/{seconds}" for capacity, seconds in windows)


def _read_windows(text: str) -> Windows:
    matches = [_WINDOW.fullmatch(it) for it in text.split(",")] if text else []
    windows = tuple((int(it[1]), int(it[2])) for it in matches if it)
    if len(windows) < len(matches):
        raise ValueError(text)
    return windows


def _read_mode(text: str) -> Mode:
    for mode in _MODES:
        if mode == text:
            return mode
    raise ValueError(text)
