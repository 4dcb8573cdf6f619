"""Twelve countries, what a message costs there, and the number blocks people have."""

import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType

# Ten thousand numbers that differ in their last four digits.
BLOCK_SIZE = 10_000

# As the service has it: what a text can be sent to.
_MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class Country(NamedTuple):
    """``share`` of the logins, hours ahead of UTC, a message's usual price in dollars.

    ``blocks`` is how number blocks are written: ``#`` is any digit.
    """

    code: str
    share: float
    hours_ahead: float
    price: float
    blocks: tuple[str, ...]


COUNTRIES: Mapping[str, Country] = {
    "IN": Country("+91", 0.30, 5.5, 0.06, ("+919#####", "+918#####", "+917#####")),
    "ID": Country("+62", 0.12, 7, 0.25, ("+62812####", "+62813####", "+62857####")),
    "BR": Country("+55", 0.11, -3, 0.05, ("+55119####", "+55219####")),
    "US": Country("+1", 0.11, -6, 0.01, ("+1415###", "+1212###", "+1310###")),
    "MX": Country("+52", 0.07, -6, 0.05, ("+5255####", "+5281####")),
    "GB": Country("+44", 0.07, 0, 0.045, ("+4474####", "+4475####", "+4479####")),
    "DE": Country("+49", 0.05, 1, 0.09, ("+49151####", "+49172###")),
    "FR": Country("+33", 0.05, 1, 0.075, ("+336####", "+337####")),
    "NG": Country("+234", 0.04, 1, 0.35, ("+234803###", "+234806###")),
    "PH": Country("+63", 0.03, 8, 0.20, ("+63917###", "+63918###")),
    "TR": Country("+90", 0.03, 3, 0.05, ("+90532###", "+90542###")),
    "ES": Country("+34", 0.02, 1, 0.08, ("+346####",)),
}


def draw_blocks(draws: random.Random, region: str, count: int) -> list[str]:
    """Return so many different blocks of mobile numbers: E.164 without four digits."""
    found: dict[str, None] = {}
    candidates = _candidates(draws, region)
    while len(found) < count:
        block = next(candidates)
        if block not in found and _is_mobile(block, region):
            found[block] = None
    return list(found)


def number_in(block: str, number: int) -> str:
    """Return one of a block's numbers."""
    return f"{block}{number:04}"


def _candidates(draws: random.Random, region: str) -> Iterator[str]:
    patterns = COUNTRIES[region].blocks
    while True:
        pattern = draws.choice(patterns)
        yield "".join(str(draws.randrange(10)) if it == "#" else it for it in pattern)


def _is_mobile(block: str, region: str) -> bool:
    """Tell whether its numbers can be texted: islands share a code with a country."""
    numbers = [
        phonenumbers.parse(number_in(block, it)) for it in range(0, BLOCK_SIZE, 2_499)
    ]
    return all(
        phonenumbers.region_code_for_number(it) == region
        and phonenumbers.number_type(it) in _MOBILE
        for it in numbers
    )
