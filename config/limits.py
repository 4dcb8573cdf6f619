"""Limits as a person writes them: `3/10m, 5/1h`, `5:30s, 8:2m`, `30, 60, 120`.

They become plain tuples of whole seconds, because services take plain values.
`off` becomes the empty tuple.
"""

import itertools
import re

from config.lists import items

# `(count, window_seconds)` each
Limits = tuple[tuple[int, int], ...]
# `(wrong_checks, lock_seconds)` each, both rising
Ladder = tuple[tuple[int, int], ...]

DAY_SECONDS = 86_400
LONGEST_SECONDS = 30 * DAY_SECONDS
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": DAY_SECONDS}

LIMIT = re.compile(r"([0-9]{1,9})/([0-9]{1,7})([smhd])")
RUNG = re.compile(r"([0-9]{1,9}):([0-9]{1,7})([smhd])")
SECONDS = re.compile(r"[0-9]{1,7}")


def parse_limits(text: str) -> Limits:
    """Read `count/duration, ...`; all of them hold at the same time."""
    limits = _parse_pairs(text, LIMIT, "must look like 3/10m, 5/1h, or be off")
    if len({seconds for _, seconds in limits}) < len(limits):
        message = "names the same duration twice"
        raise ValueError(message)
    return limits


def check_one_window(limits: Limits) -> Limits:
    """Refuse a second window."""
    if len(limits) > 1:
        message = "has one window, such as 2000/1h, or is off"
        raise ValueError(message)
    return limits


def parse_ladder(text: str) -> Ladder:
    """Read `wrong_checks:lock_duration, ...`; each rung is higher than the last."""
    ladder = _parse_pairs(text, RUNG, "must look like 5:30s, 8:2m, or be off")
    for (checks, seconds), (more_checks, more_seconds) in itertools.pairwise(ladder):
        if more_checks <= checks or more_seconds <= seconds:
            message = "each step must have more wrong checks and a longer lock"
            raise ValueError(message)
    return ladder


def parse_cooldowns(text: str) -> tuple[int, ...]:
    """Read `seconds, seconds, ...`; the last one repeats."""
    parts = items(text)
    if not parts or not all(SECONDS.fullmatch(part) for part in parts):
        message = "must be seconds such as 30, 60, 120"
        raise ValueError(message)
    cooldowns = tuple(int(part) for part in parts)
    if not all(1 <= seconds <= DAY_SECONDS for seconds in cooldowns):
        message = f"each must be between 1 and {DAY_SECONDS}"
        raise ValueError(message)
    return cooldowns


def most_per_day(limits: Limits) -> float:
    """Return how many the limits let through in the worst 24 hours."""
    return min(
        (count * -(-DAY_SECONDS // seconds) for count, seconds in limits),
        default=float("inf"),
    )


def _parse_pairs(
    text: str, pattern: re.Pattern[str], shape: str
) -> tuple[tuple[int, int], ...]:
    if text.strip().lower() == "off":
        return ()
    matches = [pattern.fullmatch(part) for part in items(text)]
    pairs = tuple(
        (int(match[1]), int(match[2]) * UNIT_SECONDS[match[3]])
        for match in matches
        if match
    )
    if not pairs or len(pairs) < len(matches):
        raise ValueError(shape)
    if not all(count and 1 <= seconds <= LONGEST_SECONDS for count, seconds in pairs):
        message = "counts start at 1, durations lie between 1s and 30d"
        raise ValueError(message)
    return pairs
