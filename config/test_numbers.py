"""Numbers of app reviewers and end-to-end tests: fixed codes, nothing is sent."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar

PATTERN = re.compile(r"\+([0-9]{7,15})(?:-\+([0-9]{7,15}))?:([0-9]{6})")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class TestNumbers:
    """The phone numbers `first` to `last`, without their `+`, that take `code`."""

    __test__: ClassVar[bool] = False  # Its name makes pytest look for tests in it.

    first: int
    last: int
    code: str = field(repr=False)


def parse_test_numbers(text: str) -> TestNumbers:
    """Read `+15550100000-+15550199999:123456`, or one number and its code."""
    match = PATTERN.fullmatch(text)
    if not match:
        message = "must look like +15550100000-+15550199999:123456"
        raise ValueError(message)
    first, last, code = match[1], match[2] or match[1], match[3]
    if len(first) != len(last) or first > last:
        message = "must run from a lower to a higher number of the same length"
        raise ValueError(message)
    return TestNumbers(int(first), int(last), code)


def parse_date(text: str) -> date:
    """Read a day as ISO 8601 writes it."""
    message = "must be a date such as 2030-12-31"
    if not DATE.fullmatch(text):
        raise ValueError(message)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(message) from None
