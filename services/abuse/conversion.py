"""When too few of the codes that were sent are typed: the thresholds, and their names.

Whom SMS pumping pays does not type codes, or types some to look honest. A send is
judged only once its code's life is over, so the counts and money caps stand before.
"""

from collections.abc import Mapping
from typing import Any

from services.abuse.rules import Scope

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

# Each block is twice as long as the one before, up to twelve hours. A country is not
# closed for so long without an operator: whoever wants that could have it for little.
_BLOCK_MS = 5 * _MINUTE_MS
_LONGEST_MS = _DAY_MS // 2
_LONGEST_WIDE_MS = 30 * _MINUTE_MS

# Verification APIs publish such figures: ten codes of one block of numbers in ten
# minutes are many, and honest people type most of them. Of ten, hardly one typed is as
# sure as of twenty a tenth. An hour is for who types every tenth code: the more was
# sent, the surer it is. A day is for who sends too slowly for all that.
_PREFIX: Mapping[str, Any] = {
    "bucket_ms": _MINUTE_MS,
    "keep_ms": 2 * _DAY_MS,
    "block_ms": _BLOCK_MS,
    "longest_ms": _LONGEST_MS,
    # Who bombs one phone counts four times in a day; a few phones that are sent all
    # that one phone may get still add up.
    "by_phone_ms": _DAY_MS // 4,
    # After a block one send at a time may show that it is over, by being typed.
    "probes": 1,
    "pass": 1,
    "base_ms": _DAY_MS,
    "base_least": 0,
    "tests": [
        {"ms": 10 * _MINUTE_MS, "least": 20, "below": 0.1, "verdict": "block"},
        {"ms": 10 * _MINUTE_MS, "least": 10, "below": 0.05, "verdict": "block"},
        {"least": 10, "below": 0.1, "verdict": "block"},
        {"ms": _HOUR_MS, "least": 30, "bound": 0.25, "verdict": "block"},
        {"ms": 10 * _MINUTE_MS, "least": 10, "below": 0.2, "verdict": "challenge"},
    ],
}

# Half of what is usual needs to know what is: two hundred codes of the last week.
_WIDE: Mapping[str, Any] = {
    "bucket_ms": 5 * _MINUTE_MS,
    "keep_ms": 8 * _DAY_MS,
    "block_ms": _BLOCK_MS,
    "longest_ms": _LONGEST_WIDE_MS,
    "by_phone_ms": 0,
    "probes": 20,
    "pass": 10,
    "base_ms": 7 * _DAY_MS,
    "base_least": 200,
    "tests": [
        {"ms": _HOUR_MS, "least": 50, "bound": 0.25, "verdict": "block"},
        {"ms": _HOUR_MS, "least": 50, "half": 0.5, "verdict": "block"},
    ],
}

_TESTS: Mapping[Scope, Mapping[str, Any]] = {
    "prefix": _PREFIX,
    "country": _WIDE,
    "caller": _WIDE,
}


def conversion_test(scope: Scope, life_seconds: int) -> Mapping[str, Any]:
    """Return how a scope is judged, as ``conversion.lua`` reads it."""
    return {**_TESTS[scope], "life_ms": life_seconds * 1000}
