"""Which numbers we send to, and the test numbers, which get no text at all."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import phonenumbers

from services.errors import PhoneInvalid, PhoneNotSupported
from services.otp.number_policy import NumberPolicy
from services.otp.set_aside import is_set_aside
from utils.clock import Clock
from utils.phone import (
    PhoneInvalidError,
    PhoneNotSupportedError,
    PhoneNumber,
    parse_phone,
)

_SEPARATORS = re.compile(r"[ ().\-]")


@dataclass(frozen=True, slots=True)
class TestRange:
    """Numbers from ``first`` to ``last`` (E.164 digits as int) with a fixed code."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    first: int
    last: int
    code: str


class Numbers:
    """Reads phone numbers by the operator's rules."""

    def __init__(
        self,
        *,
        default_region: str,
        policy: NumberPolicy,
        test_ranges: Sequence[TestRange],
        test_until: date | None,
        clock: Clock,
    ) -> None:
        """Take the rules; test ranges end with the day ``test_until`` (UTC)."""
        self._default_region = default_region
        self._policy = policy
        self._test_ranges = tuple(test_ranges)
        self._test_until = test_until
        self._clock = clock

    def read(self, text: str, region: str | None = None) -> PhoneNumber:
        """Return the one number that ``text`` spells.

        Test numbers are looked for first: many of them are not valid numbers.

        Raises:
            PhoneInvalid: not a phone number.
            PhoneNotSupported: nobody's, or of a kind or country that no message of
                any channel goes to.
        """
        if self._test_ranges and (test := self._read_test(text)):
            return test
        try:
            phone = parse_phone(
                text,
                default_region=region or self._default_region,
                is_set_aside=is_set_aside,
            )
        except PhoneInvalidError as error:
            raise PhoneInvalid from error
        except PhoneNotSupportedError as error:
            raise PhoneNotSupported from error
        if not self._policy.serves(phone):
            raise PhoneNotSupported
        return phone

    def test_code(self, phone: PhoneNumber) -> str | None:
        """Return the fixed code of a test number, or None for every other."""
        for it in self._test_ranges:
            if it.first <= int(phone.e164[1:]) <= it.last and self._tests_run():
                return it.code
        return None

    def _read_test(self, text: str) -> PhoneNumber | None:
        digits = _SEPARATORS.sub("", text)
        if not re.fullmatch(r"\+[0-9]{7,15}", digits, re.ASCII):
            return None
        try:
            code = phonenumbers.parse(digits).country_code or 0
        except phonenumbers.NumberParseException:
            return None
        region = phonenumbers.region_code_for_country_code(code)
        phone = PhoneNumber(e164=digits, region=region, country_code=code)
        return phone if self.test_code(phone) else None

    def _tests_run(self) -> bool:
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        return self._test_until is not None and today <= self._test_until
