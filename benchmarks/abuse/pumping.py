"""Runs a pump at a level of defence: what it cost, and when it was stopped."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.abuse.levels import Level
from benchmarks.abuse.pumps import Attempt, Pump
from benchmarks.abuse.town import Honest, Town, around, fared, open_town
from benchmarks.simulation.world import DAY

# The attacker sees the code at once, and types it as a person would.
_TYPING_SECONDS = 20.0
# An attack counts as stopped when nothing gets through for so long, and of all that is
# tried from then on at most so much.
_QUIET_SECONDS, _STOPPED_SHARE = 60.0, 0.01
# A sly attacker who got nothing for so long types what comes then.
_SILENCE_SECONDS = 120.0
# Where only addresses are limited, so many fewer people are beside a long attack.
_THINNED = 5


@dataclass(frozen=True, slots=True)
class Pumped:
    """What a pump came to; dollars, seconds.

    ``crossed_after`` is when a rule first showed itself, from the beginning on: asked
    for a challenge or refused; None where none did. ``stopped_after`` counts from
    there on, as ``stopped_messages`` does; ``late`` are messages after that.
    """

    tried: int
    messages: int
    money: float
    honest: Honest
    crossed_after: float | None = None
    stopped_after: float | None = None
    stopped_messages: int = 0
    late: int = 0
    limits: tuple[tuple[str, int], ...] = ()


@dataclass
class _Log:
    """What came of each attempt, in their order."""

    tried: list[float] = field(default_factory=list)
    passed: list[float] = field(default_factory=list)
    crossed: float | None = None
    limits: dict[str, int] = field(default_factory=dict)


def run_pump(pump: Pump, level: Level, *, seed: int) -> Pumped:
    """Let it happen in a town of its own."""
    logins = _logins_beside(pump, level)
    log = _Log()
    with open_town(
        level,
        seed=seed,
        logins_a_day=logins or pump.logins_a_day,
        between=around(pump.begins, pump.ends) if logins else (0.0, 0.0),
    ) as town:
        for it in pump.attempts:
            town.agenda.at(it.at, partial(_try, town, it, log, is_sly=pump.is_sly))
        town.agenda.run()
        paid = [it.price for it in town.vendors.texts if it.payer == "attacker"]
        honest = fared(town.logins, since=pump.begins)
    crossed = log.crossed
    stopped = None if crossed is None else _stop(log, crossed)
    return Pumped(
        tried=len(log.tried),
        messages=len(paid),
        money=sum(paid),
        honest=honest,
        crossed_after=None if crossed is None else crossed - pump.begins,
        stopped_after=None
        if stopped is None or crossed is None
        else max(0.0, stopped - crossed),
        stopped_messages=_count(log.passed, crossed, stopped),
        late=_count(log.passed, stopped, None),
        limits=tuple(sorted(log.limits.items())),
    )


def _logins_beside(pump: Pump, level: Level) -> int:
    """Return how many honest logins a day there are: as many as matter."""
    if level == "none":
        # Nothing happens to anybody: the bill is all there is to see.
        return 0
    is_long = pump.ends - pump.begins >= DAY
    return pump.logins_a_day // (_THINNED if level == "per_ip" and is_long else 1)


def _try(town: Town, attempt: Attempt, log: _Log, *, is_sly: bool) -> None:
    now = town.agenda.now
    answer = town.desk.ask(attempt.phone, attempt.address, "attacker")
    log.tried.append(now)
    if (answer.challenged or not answer.sent) and log.crossed is None:
        log.crossed = now
    if answer.challenged:
        log.limits["challenge"] = log.limits.get("challenge", 0) + 1
    if answer.verification is None:
        log.limits[answer.limit] = log.limits.get(answer.limit, 0) + 1
        return
    silence = now - (log.passed[-1] if log.passed else now)
    log.passed.append(now)
    if attempt.types or (is_sly and silence > _SILENCE_SECONDS):
        code = town.vendors.texts[-1].code
        act = partial(_type, town, attempt, answer.verification, code)
        town.agenda.at(now + _TYPING_SECONDS, act)


def _type(town: Town, attempt: Attempt, verification: str, code: str) -> None:
    town.desk.check(verification, attempt.phone, code, attempt.address)


def _stop(log: _Log, crossed: float) -> float | None:
    """Return the message after which came a minute of none, and hardly one ever."""
    for moment in (crossed, *(it for it in log.passed if it > crossed)):
        tries = _count(log.tried, moment, None)
        left = _count(log.passed, moment, None)
        soon = _count(log.passed, moment, moment + _QUIET_SECONDS)
        if tries and not soon and left <= _STOPPED_SHARE * tries:
            return moment
    return None


def _count(moments: Sequence[float], after: float | None, until: float | None) -> int:
    """Count the moments after one and up to another; without an end, all of them."""
    if after is None:
        return 0
    last = len(moments) if until is None else bisect_right(moments, until)
    return last - bisect_right(moments, after)
