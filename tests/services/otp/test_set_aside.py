"""Numbers that nobody has: the first and the last of each range, and who is beside."""

import phonenumbers
import pytest

from services.otp.set_aside import is_set_aside


def nobody_has(e164: str) -> bool:
    number = phonenumbers.parse(e164)
    national = phonenumbers.national_significant_number(number)
    return is_set_aside(number.country_code or 0, national)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("+12015550100", "+12015550199"),
        ("+14165550100", "+14165550199"),
        ("+33199000000", "+33199009999"),
        ("+33639980000", "+33639989999"),
        ("+447700900000", "+447700900999"),
        ("+442079460000", "+442079460999"),
        ("+441632960000", "+441632960999"),
        ("+46701740605", "+46701740699"),
        ("+46313900600", "+46313900699"),
        ("+491713920000", "+491713920099"),
        ("+4917604069000", "+4917604069099"),
        ("+493023125000", "+493023125999"),
        ("+61491570156", "+61491570159"),
        ("+61255500000", "+61255509999"),
        ("+611800975707", "+611800975711"),
        ("+353209100000", "+353209199999"),
    ],
)
def test_a_range_is_set_aside_and_its_neighbours_are_not(first: str, last: str) -> None:
    low, high = int(first), int(last)

    assert nobody_has(first)
    assert nobody_has(last)
    assert nobody_has(f"+{(low + high) // 2}")
    assert not nobody_has(f"+{low - 1}")
    assert not nobody_has(f"+{high + 1}")


@pytest.mark.parametrize(
    "e164", ["+4915228817386", "+491729925904", "+61491570006", "+61491579455"]
)
def test_a_single_number_is_set_aside_and_its_neighbours_are_not(e164: str) -> None:
    assert nobody_has(e164)
    assert not nobody_has(f"+{int(e164) - 1}")
    assert not nobody_has(f"+{int(e164) + 1}")


@pytest.mark.parametrize(
    "e164", ["+919876543210", "+12015551234", "+12014550123", "+5491155550123"]
)
def test_whoever_may_have_a_phone_is_not_set_aside(e164: str) -> None:
    assert not nobody_has(e164)
