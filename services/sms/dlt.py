"""India's registry of texts: whether a text is the one that was registered.

TRAI's rules (TCCCPR 2018) have the carriers compare every text to its template,
character for character; what differs is dropped, and nobody says so.
"""

import re
from collections.abc import Iterator

REGION = "IN"

# Vendors that pass a text's ids on with each message. The others know them by their
# own template, or send by routes that ask for none.
VENDORS = frozenset({"aws", "infobip", "plivo", "vonage", "webhook"})

# https://msg91.com/help/dlt-registration-in-india/variable-tagging-on-dlt-sms-templates
# and TRAI's direction of 18 November 2025, which wants each variable to have a type.
_ALLOWED = {
    "var": re.compile(r"[^\n]"),
    "numeric": re.compile(r"[0-9]"),
    "number": re.compile(r"[0-9]"),
    "alphanumeric": re.compile(r"[A-Za-z0-9 ]"),
    "url": re.compile(r"[!-~]"),
    "urlott": re.compile(r"[!-~]"),
    "cbn": re.compile(r"[0-9+]"),
    "email": re.compile(r"[!-~]"),
}
_VARIABLE = re.compile(r"\{#(\w*)#\}")
_VARIABLE_MAX = 30
_ID = re.compile(r"[0-9]{19}")


def is_id(text: str) -> bool:
    """Say whether a text has the form of an entity's or a template's id."""
    return bool(_ID.fullmatch(text))


def unknown_variables(registered: str) -> list[str]:
    """Return the variables of a registered text that the registry does not have."""
    return [it for it in _VARIABLE.findall(registered) if it not in _ALLOWED]


def find_mismatch(registered: str, text: str) -> int | None:
    """Return how far ``text`` agrees with what is registered, None if all the way.

    All ways to fill the variables are followed at once: two of them side by side, as
    long values need them, would take a backtracking search beyond any patience.
    """
    ends, furthest = {0}, 0
    # Literal and variable take turns, and literals may be empty.
    for index, part in enumerate(_VARIABLE.split(registered)):
        if index % 2:
            ends = {end for start in ends for end in _fill(part, text, start)}
        else:
            furthest = max(start + _agreement(part, text[start:]) for start in ends)
            ends = {it + len(part) for it in ends if text.startswith(part, it)}
        if not ends:
            return furthest
        furthest = max(furthest, *ends)
    return None if len(text) in ends else furthest


def _fill(kind: str, text: str, start: int) -> Iterator[int]:
    for end in range(start, min(start + _VARIABLE_MAX, len(text))):
        if not _ALLOWED[kind].fullmatch(text[end]):
            return
        yield end + 1


def _agreement(part: str, text: str) -> int:
    pairs = enumerate(zip(part, text, strict=False))
    shorter = min(len(part), len(text))
    return next((at for at, (one, other) in pairs if one != other), shorter)
