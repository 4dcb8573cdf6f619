"""Phone numbers: one spelling each, and the decision whether SMS can reach it.

Everything behind ``parse_phone`` sees only the E.164 form, so no spelling of a number
can be counted apart from another (attack A15).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

# Without its cache the library compiles a pattern per look-up: 189 us instead of 15
# on worldwide traffic, which is also a way to burn our CPU.
phonenumbers.enable_pattern_cache()

# Letters would be folded to digits by the library ("1-800-FLOWERS"), extensions are
# dropped, and digits of other scripts are accepted: none of them is meant here.
_SPELLING = re.compile(r"\+?[0-9 ().\-]{4,30}", re.ASCII)

# Kinds that receive SMS. FIXED_LINE_OR_MOBILE is how some countries, the United States
# among them, number their mobiles.
_REACHABLE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


class PhoneInvalidError(ValueError):
    """The text is not a phone number."""


class PhoneNotSupportedError(ValueError):
    """A real number, of a kind or country that we do not send to."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164, with what routing needs to know of it.

    ``repr`` shows the masked form, so that a number cannot slip into a log or an error.
    """

    e164: str
    region: str
    country_code: int

    @property
    def national(self) -> str:
        """The national digits, without the country code."""
        return self.e164[1 + len(str(self.country_code)) :]

    @property
    def prefix(self) -> str:
        """The number without its last four digits: the block pumping attacks buy."""
        return self.e164[:-4]

    @property
    def masked(self) -> str:
        """The number with only country code and last two digits readable."""
        return _masked(self.e164, self.country_code)

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"PhoneNumber({self.masked})"


def parse_phone(
    text: str, *, default_region: str, allowed_regions: Collection[str]
) -> PhoneNumber:
    """Turn what a person typed into one canonical number.

    ``default_region`` (ISO 3166, such as ``IN``) applies when ``text`` has no ``+``.

    Raises:
        PhoneInvalidError: not a number that exists in its country's plan.
        PhoneNotSupportedError: a kind that cannot get SMS, or a country not allowed.
    """
    if not _SPELLING.fullmatch(text):
        raise PhoneInvalidError
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalidError from error
    # The library calls a number valid when it knows a kind for it.
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        raise PhoneInvalidError
    region = phonenumbers.region_code_for_number(number)
    if region is None or region not in allowed_regions or kind not in _REACHABLE:
        raise PhoneNotSupportedError
    return PhoneNumber(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        region=region,
        country_code=number.country_code or 0,
    )


def masked(e164: str) -> str:
    """Return a number that was parsed before with only its ends readable."""
    return _masked(e164, phonenumbers.parse(e164).country_code or 0)


def _masked(e164: str, country_code: int) -> str:
    shown = f"+{country_code}"
    return f"{shown}{'*' * (len(e164) - len(shown) - 2)}{e164[-2:]}"
