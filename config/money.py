"""Amounts of money in windows, and limits that single countries or clients have apart.

::

    12.5/1h, 300/24h
    50/1h; IN: 100/1h, 500/24h

Money becomes millionths, in whole numbers: caps are counted, and a count must be exact.
A message names an entry by its place and never repeats it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from babel.core import get_global

from config.clients import CLIENT
from config.fields import read
from config.limits import LONGEST_SECONDS, UNIT_SECONDS, Limits, parse_limits
from config.lists import items, parse_country

MICROS = 1_000_000

# Up to ten millions: what is above is exact no more where Redis writes JSON.
_AMOUNT = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,6}))?/([0-9]{1,7})([smhd])", re.ASCII)
_SHAPE = "must look like 12.5/1h, 300/24h, or be off"


@dataclass(frozen=True, slots=True)
class BySubject:
    """What binds everybody, and what binds single subjects in its stead."""

    limits: Limits = ()
    special: tuple[tuple[str, Limits], ...] = ()

    def __bool__(self) -> bool:
        """Whether anybody is bound."""
        return bool(self.limits) or any(limits for _, limits in self.special)

    def all_limits(self) -> tuple[tuple[str, Limits], ...]:
        """Return them with whom they bind; everybody else is called ""."""
        return (("", self.limits), *self.special)


def parse_money(text: str) -> Limits:
    """Read ``12.5/1h, 300/24h`` as (millionths, seconds) that hold together."""
    if text.strip().lower() == "off":
        return ()
    matches = [_AMOUNT.fullmatch(part) for part in items(text)]
    pairs = tuple(
        (
            int(match[1]) * MICROS + int((match[2] or "").ljust(6, "0")),
            int(match[3]) * UNIT_SECONDS[match[4]],
        )
        for match in matches
        if match
    )
    if not pairs or len(pairs) < len(matches):
        raise ValueError(_SHAPE)
    if not all(micros and 1 <= seconds <= LONGEST_SECONDS for micros, seconds in pairs):
        raise ValueError("amounts are above 0, durations lie between 1s and 30d")
    if len({seconds for _, seconds in pairs}) < len(pairs):
        raise ValueError("names the same duration twice")
    return pairs


def parse_client(text: str) -> str:
    """Read the id of a service client."""
    if not CLIENT.fullmatch(text):
        raise ValueError("must be a service client's id such as svc-orders")
    return text


def parse_by_subject(
    text: str,
    read_limits: Callable[[str], Limits],
    read_subject: Callable[[str], str],
) -> BySubject:
    """Read ``50/1h; IN: 100/1h, 500/24h``: everybody's limits, and single subjects'.

    Raises:
        ValueError: names every entry that cannot be read, by its place.
    """
    found: dict[str, Limits] = {}
    problems = []
    entries = [entry.strip() for entry in text.split(";")]
    for place, entry in enumerate(filter(None, entries), start=1):
        name, colon, limits = entry.rpartition(":")
        try:
            subject = read_subject(name.strip()) if colon else ""
            if subject in found:
                raise ValueError("is for whom an entry before it is for")  # noqa: TRY301
            found[subject] = read_limits(limits.strip())
        except ValueError as error:
            problems.append(f"entry {place} {error}")
    if problems:
        raise ValueError("; ".join(problems))
    return BySubject(found.pop("", ()), tuple(found.items()))


def parse_currency(text: str) -> str:
    """Read a currency as ISO 4217 writes it."""
    currency = text.upper()
    if currency not in get_global("all_currencies"):
        raise ValueError("must be a currency's code (ISO 4217) such as USD")
    return currency


def _read(
    read_limits: Callable[[str], Limits], read_subject: Callable[[str], str]
) -> object:
    return read(lambda text: parse_by_subject(text, read_limits, read_subject))


Money = Annotated[Limits, read(parse_money)]
MoneyByCountry = Annotated[BySubject, _read(parse_money, parse_country)]
MoneyByClient = Annotated[BySubject, _read(parse_money, parse_client)]
CountByCountry = Annotated[BySubject, _read(parse_limits, parse_country)]
CountByClient = Annotated[BySubject, _read(parse_limits, parse_client)]
Currency = Annotated[str, read(parse_currency)]
