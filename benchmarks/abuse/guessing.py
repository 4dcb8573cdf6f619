"""Guessing codes: one phone from many addresses, and one code over many phones."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from benchmarks.abuse.addresses import stranger
from benchmarks.abuse.customers import LOGINS_A_DAY, draw_customers
from benchmarks.abuse.levels import Level
from benchmarks.abuse.town import Honest, Town, around, fared, open_town
from benchmarks.abuse.victim import SMALL_TOWN, make_victim
from benchmarks.simulation.world import DAY, HOUR
from services.otp.codes import VerificationId

_ADDRESSES = 1_000
# A new code every half minute, and five guesses at each that comes.
_ASK_SECONDS, _GUESSES = 30.0, 5

# "123456" over so many phones in a day, of which these hours are looked at.
REVERSE_PHONES = 100_000
_REVERSE_ADDRESSES = 10_000
_REVERSE_BEGINS, _REVERSE_HOURS = 12 * HOUR, 3

# What guesses at one code: the first digits of it.
_FAVOURITE = "12345678"


@dataclass(frozen=True, slots=True)
class Guessed:
    """What guessing came to in ``hours``; ``evaluated`` guesses by digits of the code.

    ``messages`` and ``money`` (dollars) are what the guesser made the service spend.
    """

    hours: float
    asked: int
    messages: int
    money: float
    evaluated: tuple[tuple[int, int], ...]
    hits: int
    honest: Honest

    @property
    def takeovers_a_day(self) -> float:
        """Accounts that so many guesses take in a day, on average."""
        found = sum(count * 0.1**digits for digits, count in self.evaluated)
        return found * 24 / self.hours


@dataclass
class _Log:
    asked: int = 0
    hits: int = 0
    evaluated: Counter[int] = field(default_factory=Counter)


def guess_one(level: Level, *, seed: int, scale: float) -> Guessed:
    """Guess the codes of one phone for a day, as fast as it is let."""
    draws = random.Random(f"{seed}/guess one")
    log = _Log()
    with open_town(
        level,
        seed=seed,
        logins_a_day=max(100, round(SMALL_TOWN * scale)),
        between=(0.0, DAY),
    ) as town:
        victim = make_victim(town, seed)
        moments = [it * _ASK_SECONDS for it in range(int(DAY * scale / _ASK_SECONDS))]

        def guess(verification: str) -> str:
            digits = _digits(verification)
            return f"{draws.randrange(10**digits):0{digits}}"

        for place, moment in enumerate(moments):
            act = partial(
                _guess,
                town,
                victim.phone,
                place * (_GUESSES + 1),
                guesses=_GUESSES,
                guess=guess,
                log=log,
            )
            town.agenda.at(moment, act)
        town.agenda.run()
        return _came_to(town, log, hours=24 * scale, since=0.0)


def guess_reversed(level: Level, *, seed: int, scale: float) -> Guessed:
    """Try one code at a hundred thousand phones a day, each once."""
    draws = random.Random(f"{seed}/guess reversed")
    log = _Log()
    logins = max(100, round(LOGINS_A_DAY * scale))
    begins, ends = _REVERSE_BEGINS, _REVERSE_BEGINS + _REVERSE_HOURS * HOUR
    how_many = max(1, round(REVERSE_PHONES * scale * _REVERSE_HOURS / 24))
    day = draw_customers(seed, logins)
    first, last = around(begins, ends)
    # Accounts are what is guessed for: phones that logged in before.
    accounts = [it for it in day if it.last_login and not first <= it.came_at < last]
    with open_town(
        level,
        seed=seed,
        logins_a_day=logins,
        between=(first, last) if level == "ours" else (0.0, 0.0),
    ) as town:
        targets = draws.sample(accounts, min(len(accounts), how_many))
        if level == "ours":
            town.visits.remember(town.desk, targets)
        for place, target in enumerate(targets):
            moment = begins + (place + draws.random()) * (ends - begins) / len(targets)
            act = partial(
                _guess,
                town,
                target.phone,
                place,
                guesses=1,
                guess=_favourite,
                log=log,
            )
            town.agenda.at(moment, act)
        town.agenda.run()
        return _came_to(town, log, hours=_REVERSE_HOURS, since=begins)


def _guess(
    town: Town,
    phone: str,
    place: int,
    *,
    guesses: int,
    guess: Callable[[str], str],
    log: _Log,
) -> None:
    """Ask for a code, and guess at once, each time from another address."""
    log.asked += 1
    addresses = _REVERSE_ADDRESSES if guesses == 1 else _ADDRESSES
    answer = town.desk.ask(phone, stranger(place % addresses), "attacker")
    if answer.verification is None:
        return
    for number in range(guesses):
        checked = town.desk.check(
            answer.verification,
            phone,
            guess(answer.verification),
            stranger((place + number + 1) % addresses),
        )
        if checked in {"wrong", "right"}:
            log.evaluated[_digits(answer.verification)] += 1
        log.hits += checked == "right"


def _digits(verification: str) -> int:
    found = VerificationId.parse(verification)
    assert found is not None
    return found.digits


def _favourite(verification: str) -> str:
    return _FAVOURITE[: _digits(verification)]


def _came_to(town: Town, log: _Log, *, hours: float, since: float) -> Guessed:
    paid: Sequence[float] = [
        it.price for it in town.vendors.texts if it.payer == "attacker"
    ]
    return Guessed(
        hours=hours,
        asked=log.asked,
        messages=len(paid),
        money=sum(paid),
        evaluated=tuple(sorted(log.evaluated.items())),
        hits=log.hits,
        honest=fared(town.logins, since=since),
    )
