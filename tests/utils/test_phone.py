"""Phone numbers: one spelling each, or a refusal."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.phone import (
    PhoneInvalidError,
    PhoneNotSupportedError,
    PhoneNumber,
    parse_phone,
)


def parse(text: str, allowed: str = "IN US GB DE AR MX") -> PhoneNumber:
    return parse_phone(text, default_region="IN", allowed_regions=allowed.split())


@pytest.mark.parametrize(
    "text",
    [
        "+919876543210",
        "+91 98765 43210",
        "+91-98765-43210",
        "+91 (98765) 43210",
        "919876543210",
        "9876543210",
        "09876543210",
        "00919876543210",
        " 9876543210 ",
        "98765.43210",
    ],
)
def test_every_spelling_is_one_number(text: str) -> None:
    assert parse(text).e164 == "+919876543210"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "abc",
        "12345",
        "+9198765432101",
        "+91987654321O",
        "1-800-FLOWERS",
        "9876543210 ext 5",
        "9876543210x5",
        "9876543210;ext=5",
        "tel:+919876543210",
        "+91\u200b9876543210",
        "\uff19\uff18\uff17\uff16\uff15\uff14\uff13\uff12\uff11\uff10",
        "\u0669\u0668\u0667\u0666\u0665\u0664\u0663\u0662\u0661\u0660",
        "\u096f\u096e\u096d\u096c\u096b\u096a\u0969\u0968\u0967\u0966",
        "9876543210\n",
        "9876543210\x00",
        "98765\t43210",
        "9" * 40,
        "+0000000000",
        "+999876543210",
    ],
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(PhoneInvalidError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("+912266778899", "a fixed line"),
        ("+911800123456", "toll-free"),
        ("+447012345678", "a personal number"),
        ("+449098790000", "premium rate"),
        ("+448431234567", "shared cost"),
        ("+445512345678", "universal access"),
        ("+447640123456", "a pager"),
        ("+445631234567", "VoIP"),
        ("+88213456789", "a satellite or network code"),
        ("+33612345678", "a country not allowed"),
    ],
)
def test_numbers_that_sms_should_not_go_to_are_refused(text: str, what: str) -> None:
    with pytest.raises(PhoneNotSupportedError):
        parse(text)


def test_no_country_is_allowed_by_an_empty_list() -> None:
    with pytest.raises(PhoneNotSupportedError):
        parse("+919876543210", allowed="")


def test_a_number_knows_its_parts() -> None:
    phone = parse("+919876543210")

    assert (phone.region, phone.country_code) == ("IN", 91)
    assert (phone.national, phone.prefix) == ("9876543210", "+91987654")


def test_a_number_shows_only_its_last_two_digits() -> None:
    phone = parse("+919876543210")

    assert phone.masked == "+91********10"
    assert "98765" not in repr(phone) + str(phone)


@given(st.text(max_size=40))
def test_any_text_is_one_number_or_a_refusal(text: str) -> None:
    try:
        phone = parse(text)
    except (PhoneInvalidError, PhoneNotSupportedError):
        return
    assert parse(phone.e164) == phone


@given(
    st.sampled_from(["IN", "US", "GB", "DE"]),
    st.lists(st.sampled_from([" ", "-", ".", ""]), min_size=20, max_size=20),
)
def test_separators_make_no_other_number(region: str, between: list[str]) -> None:
    example = phonenumbers.example_number_for_type(
        region, phonenumbers.PhoneNumberType.MOBILE
    )
    assert example is not None
    e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    spelt = e164[0] + "".join(
        digit + gap for digit, gap in zip(e164[1:], between, strict=False)
    )

    assert parse(spelt[:30]).e164 == e164
