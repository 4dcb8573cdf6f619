"""One victim: whose phone is flooded with texts, or who is to be locked out."""

import random
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from benchmarks.abuse.addresses import Address, stranger
from benchmarks.abuse.countries import draw_blocks, number_in
from benchmarks.abuse.desk import Answer
from benchmarks.abuse.levels import Level
from benchmarks.abuse.town import Honest, Town, fared, open_town
from benchmarks.simulation.world import DAY, HOUR

# One victim's day needs no crowd: honest logins a day around it.
SMALL_TOWN = 5_000

_LAST_LOGIN = -5 * DAY
_HOME = Address("203.0.113.7")
_ELSEWHERE = Address("203.0.113.8")
_TYPING_SECONDS = 12.0

_BOMBERS, _BOMB_SECONDS = 500, 20.0
_BURNERS, _BURN_SECONDS, _BURN_GUESSES = 300, 15.0, 2
_BURNING_HOURS = 2


@dataclass(frozen=True, slots=True)
class Victim:
    """Somebody who logged in five days ago, and what their device got then."""

    phone: str
    device_token: str


@dataclass(frozen=True, slots=True)
class Bombed:
    """What came to the victim's phone in a day: in all, and in the worst windows."""

    asked: int
    texts: int
    in_ten_minutes: int
    in_a_day: int
    honest: Honest


@dataclass(frozen=True, slots=True)
class Burnt:
    """Whether the victim gets in after an hour of it; why not, and for how long."""

    asked: int
    texts: int
    wrong_checks: int
    known_device: str
    unknown_device: str


def make_victim(town: Town, seed: int) -> Victim:
    """Have somebody log in, five days ago."""
    draws = random.Random(f"{seed}/victim")
    (block,) = draw_blocks(draws, "IN", 1)
    phone = number_in(block, draws.randrange(10_000))
    town.agenda.clock.offset = _LAST_LOGIN
    answer = town.desk.ask(phone, _HOME, "history")
    assert answer.verification is not None
    code = town.vendors.texts[-1].code
    assert town.desk.check(answer.verification, phone, code, _HOME) == "right"
    return Victim(phone, town.desk.device_token(phone))


def bomb(level: Level, *, seed: int, scale: float) -> Bombed:
    """Ask for the victim's codes all day, every other time as a resend."""
    asked = 0
    verification: str | None = None
    with _small_town(level, seed, scale) as town:
        victim = make_victim(town, seed)

        def ask(place: int) -> None:
            nonlocal asked, verification
            asked += 1
            answer = town.desk.ask(
                victim.phone,
                stranger(place % _BOMBERS),
                "victim",
                verification=verification if place % 2 else None,
            )
            verification = answer.verification or verification
            if answer.limit == "verification_gone":
                verification = None

        for place in range(int(DAY * scale / _BOMB_SECONDS)):
            town.agenda.at(place * _BOMB_SECONDS, partial(ask, place))
        town.agenda.run()
        texts = [
            it.at
            for it in town.vendors.texts
            if it.phone == victim.phone and it.payer != "history"
        ]
        return Bombed(
            asked=asked,
            texts=len(texts),
            in_ten_minutes=_most_within(texts, 600.0),
            in_a_day=_most_within(texts, DAY),
            honest=fared(town.logins, since=0.0),
        )


def lock_out(level: Level, *, seed: int, scale: float) -> Burnt:
    """Burn the victim's sends and guesses; let the victim try after an hour of it."""
    begins, wrongs, asked = 12 * HOUR, 0, 0
    tries: dict[str, str] = {}
    with _small_town(level, seed, scale) as town:
        victim = make_victim(town, seed)

        def burn(place: int) -> None:
            nonlocal wrongs, asked
            asked += 1
            address = stranger(place % _BURNERS)
            answer = town.desk.ask(victim.phone, address, "attacker")
            for _ in range(_BURN_GUESSES if answer.verification else 0):
                checked = town.desk.check(
                    answer.verification or "", victim.phone, "000000", address
                )
                wrongs += checked == "wrong"

        def log_in(name: str, address: Address, device_token: str | None) -> None:
            answer = town.desk.ask(
                victim.phone, address, "victim", device_token=device_token
            )
            tries[name] = _type(town, victim, answer, address)

        for place in range(int(_BURNING_HOURS * HOUR / _BURN_SECONDS)):
            town.agenda.at(begins + place * _BURN_SECONDS, partial(burn, place))
        at = begins + HOUR + 1
        token = victim.device_token
        town.agenda.at(at, partial(log_in, "known", _HOME, token))
        town.agenda.at(at + 600, partial(log_in, "unknown", _ELSEWHERE, None))
        town.agenda.run()
        texts = [it for it in town.vendors.texts if it.payer == "attacker"]
        return Burnt(
            asked=asked,
            texts=len(texts),
            wrong_checks=wrongs,
            known_device=tries["known"],
            unknown_device=tries["unknown"],
        )


def _type(town: Town, victim: Victim, answer: Answer, address: Address) -> str:
    """Wait for the code and type it; return what came of it."""
    if answer.verification is None:
        wait = f", for {answer.retry_in:.0f} s more" if answer.retry_in else ""
        return f"no code: {answer.limit}{wait}"
    code = town.vendors.texts[-1].code
    town.agenda.clock.advance(_TYPING_SECONDS)
    checked = town.desk.check(answer.verification, victim.phone, code, address)
    return "logs in" if checked == "right" else f"code came, but: {checked}"


def _small_town(level: Level, seed: int, scale: float) -> AbstractContextManager[Town]:
    return open_town(
        level,
        seed=seed,
        logins_a_day=max(100, round(SMALL_TOWN * scale)),
        between=(0.0, DAY),
    )


def _most_within(moments: Sequence[float], seconds: float) -> int:
    """Return how many lie in the fullest window of that length."""
    return max(
        (
            place + 1 - bisect_left(moments, moment - seconds + 1e-6)
            for place, moment in enumerate(moments)
        ),
        default=0,
    )
