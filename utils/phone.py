"""Phone numbers: one spelling each, and what kind of number it is.

Everything behind ``parse_phone`` sees only the E.164 form, so no spelling of a number
can be counted apart from another (attack A15).
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType

# Without its cache the library compiles a pattern per look-up: 189 us instead of 15
# on worldwide traffic, which is also a way to burn our CPU.
phonenumbers.enable_pattern_cache()

# Letters would be folded to digits by the library ("1-800-FLOWERS"), extensions are
# dropped, and digits of other scripts are accepted: none of them is meant here.
_SPELLING = re.compile(r"\+?[0-9 ().\-]{4,30}", re.ASCII)

_KINDS: Mapping[int, str] = {
    PhoneNumberType.MOBILE: "mobile",
    # How some countries, the United States among them, number their mobiles.
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal_number",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
KINDS = tuple(_KINDS.values())
MOBILE_KINDS = frozenset({"mobile", "fixed_line_or_mobile"})

# National digits that reach the handset of other digits, which the library does not
# know: what to look for, by calling code, and what the one spelling is.
_ALIASES: Mapping[int, tuple[re.Pattern[str], str]] = {
    # Mexico gave up the 1 of mobiles, and 044, 045 and 01, on 3 August 2019 (IFT, Plan
    # Técnico Fundamental de Numeración); phones' memories did not.
    52: (re.compile(r"(?:1|01|044|045)([0-9]{10})"), r"\1"),
    # Argentine mobiles have a 9 for those who call from abroad. Without it a text finds
    # the same phone, and the library takes the number for a fixed line.
    54: (re.compile(r"([0-9]{10})"), r"9\1"),
    # Gabon's numbers before 2019, with and without their 0.
    241: (re.compile(r"([2-7][0-9]{6})"), r"0\1"),
}


class PhoneInvalidError(ValueError):
    """The text is not a phone number."""


class PhoneNotSupportedError(ValueError):
    """A number of no country's, or one that nobody has."""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A number in E.164, with what routing needs to know of it.

    ``kind`` is one of ``KINDS``. ``repr`` shows the masked form, so that a number
    cannot slip into a log or an error.
    """

    e164: str
    region: str
    country_code: int
    kind: str = "mobile"

    @property
    def national(self) -> str:
        """The national digits, without the country code."""
        return self.e164[1 + len(str(self.country_code)) :]

    @property
    def prefix(self) -> str:
        """The number without its last four digits: the block pumping attacks buy."""
        return self.e164[:-4]

    @property
    def block(self) -> str:
        """The block as people read it: the last four digits are stars."""
        return f"{self.prefix}****"

    @property
    def masked(self) -> str:
        """The number with only country code and last two digits readable."""
        return _masked(self.e164, self.country_code)

    def __repr__(self) -> str:
        """Show the masked form only."""
        return f"PhoneNumber({self.masked})"


def _nobody_is(country_code: int, national: str) -> bool:
    del country_code, national
    return False


def parse_phone(
    text: str,
    *,
    default_region: str,
    is_set_aside: Callable[[int, str], bool] = _nobody_is,
) -> PhoneNumber:
    """Turn what a person typed into one canonical number, of whatever kind.

    ``default_region`` (ISO 3166, such as ``IN``) applies when ``text`` has no ``+``.
    ``is_set_aside`` tells, by calling code and national digits, what nobody has.

    Raises:
        PhoneInvalidError: not a number that exists in its country's plan.
        PhoneNotSupportedError: set aside, or of no country (satellites, networks).
    """
    if not _SPELLING.fullmatch(text):
        raise PhoneInvalidError
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalidError from error
    country_code = number.country_code or 0
    if country_code in _ALIASES:
        number = _without_alias(number, country_code)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if is_set_aside(country_code, e164[1 + len(str(country_code)) :]):
        raise PhoneNotSupportedError
    # The library calls a number valid when it knows a kind for it.
    kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise PhoneInvalidError
    region = phonenumbers.region_code_for_number(number)
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise PhoneNotSupportedError
    return PhoneNumber(e164, region, country_code, kind)


def kind_of(e164: str) -> str:
    """Return which of ``KINDS`` a number is that was parsed before.

    Raises:
        PhoneInvalidError: it is none that exists, as far as we know by now.
    """
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException as error:
        raise PhoneInvalidError from error
    kind = _KINDS.get(phonenumbers.number_type(number))
    if kind is None:
        raise PhoneInvalidError
    return kind


def masked(e164: str) -> str:
    """Return a number that was parsed before with only its ends readable."""
    return _masked(e164, phonenumbers.parse(e164).country_code or 0)


def _without_alias(
    number: phonenumbers.PhoneNumber, country_code: int
) -> phonenumbers.PhoneNumber:
    alias, spelling = _ALIASES[country_code]
    match = alias.fullmatch(phonenumbers.national_significant_number(number))
    if not match:
        return number
    folded = phonenumbers.parse(f"+{country_code}{match.expand(spelling)}")
    kind = _KINDS.get(phonenumbers.number_type(folded))
    return folded if kind in MOBILE_KINDS else number


def _masked(e164: str, country_code: int) -> str:
    shown = f"+{country_code}"
    return f"{shown}{'*' * (len(e164) - len(shown) - 2)}{e164[-2:]}"
