"""Phone numbers: one spelling each, or a refusal."""

import itertools
import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.phone import (
    KINDS,
    MOBILE_KINDS,
    PhoneInvalidError,
    PhoneNotSupportedError,
    PhoneNumber,
    kind_of,
    parse_phone,
)


def parse(text: str, region: str = "IN") -> PhoneNumber:
    return parse_phone(text, default_region=region)


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
    ("text", "kind"),
    [
        ("+919876543210", "mobile"),
        ("+12014567890", "fixed_line_or_mobile"),
        ("+912266778899", "fixed_line"),
        ("+911800123456", "toll_free"),
        ("+447012345678", "personal_number"),
        ("+449098791234", "premium_rate"),
        ("+611300123456", "shared_cost"),
        ("+445512345678", "uan"),
        ("+447640123456", "pager"),
        ("+445631234567", "voip"),
        ("+972151123456789", "voicemail"),
    ],
)
def test_a_number_knows_its_kind(text: str, kind: str) -> None:
    assert parse(text).kind == kind


def test_every_kind_of_the_library_has_a_name() -> None:
    theirs = {it.lower() for it in vars(phonenumbers.PhoneNumberType) if it.isupper()}

    assert set(KINDS) == theirs - {"unknown"}


@pytest.mark.parametrize(
    "text", ["+88213456789", "+870773111632", "+80012345678", "+979123456789"]
)
def test_a_number_of_no_country_is_refused(text: str) -> None:
    with pytest.raises(PhoneNotSupportedError):
        parse(text)


def test_what_is_set_aside_is_refused_even_if_it_does_not_exist() -> None:
    asked = []

    def is_set_aside(country_code: int, national: str) -> bool:
        asked.append((country_code, national))
        return True

    with pytest.raises(PhoneNotSupportedError):
        parse_phone("07700 900123", default_region="GB", is_set_aside=is_set_aside)
    assert asked == [(44, "7700900123")]


def test_a_number_knows_its_parts() -> None:
    phone = parse("+919876543210")

    assert (phone.region, phone.country_code) == ("IN", 91)
    assert (phone.national, phone.prefix) == ("9876543210", "+91987654")
    assert phone.block == "+91987654****"


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


# Attack A15: the same handset under other digits.
ARGENTINE = "+5491123456789"
MEXICAN = "+525512345678"


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("+54 9 11 2345-6789", "IN", ARGENTINE),
        ("+54 11 2345-6789", "IN", ARGENTINE),
        ("+54 11 15 2345-6789", "IN", ARGENTINE),
        ("+54 011 15 2345-6789", "IN", ARGENTINE),
        ("11 2345-6789", "AR", ARGENTINE),
        ("011 15 2345-6789", "AR", ARGENTINE),
        ("+54 2966 62 1234", "IN", "+5492966621234"),
        ("+52 55 1234 5678", "IN", MEXICAN),
        ("+52 1 55 1234 5678", "IN", MEXICAN),
        ("+52 01 55 1234 5678", "IN", MEXICAN),
        ("044 55 1234 5678", "MX", MEXICAN),
        ("045 55 1234 5678", "MX", MEXICAN),
        ("1 55 1234 5678", "MX", MEXICAN),
        ("+241 6 03 12 34", "IN", "+24106031234"),
        ("+241 06 03 12 34", "IN", "+24106031234"),
    ],
)
def test_other_digits_of_one_handset_are_one_number(
    text: str, region: str, e164: str
) -> None:
    phone = parse(text, region)

    assert (phone.e164, phone.kind in MOBILE_KINDS) == (e164, True)


def test_what_only_looks_like_an_alias_is_left_alone() -> None:
    with pytest.raises(PhoneInvalidError):
        parse("+52 1 00 1234 5678")
    assert parse("+54 800 555 1234").kind == "toll_free"


def _mobiles() -> st.SearchStrategy[phonenumbers.PhoneNumber]:
    """Draw numbers near the example of some country, which exist as mobiles."""

    @st.composite
    def mobile(draw: st.DrawFn) -> phonenumbers.PhoneNumber:
        region = draw(st.sampled_from(["AR", "GA", "MX"]) | st.sampled_from(REGIONS))
        example = phonenumbers.example_number_for_type(
            region, phonenumbers.PhoneNumberType.MOBILE
        )
        assert example is not None
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        last = draw(st.integers(0, 9_999))
        return phonenumbers.parse(f"{e164[:-4]}{last:04}")

    return mobile().filter(
        lambda it: (
            phonenumbers.number_type(it) in MOBILE_TYPES
            and phonenumbers.region_code_for_number(it) in REGIONS
        )
    )


def _spellings(number: phonenumbers.PhoneNumber, region: str) -> list[str]:
    """Return how people of a number's country and of others write it."""
    form = phonenumbers.PhoneNumberFormat
    e164 = phonenumbers.format_number(number, form.E164)
    found = [
        e164,
        phonenumbers.format_number(number, form.INTERNATIONAL),
        phonenumbers.format_number(number, form.NATIONAL),
        phonenumbers.format_out_of_country_calling_number(number, "IN"),
    ]
    national = e164[1 + len(str(number.country_code)) :]
    if region == "AR":
        area, rest = national[1:3], national[3:]
        found += [f"+54{national[1:]}", f"+54 {area} 15 {rest}", f"0{area}15{rest}"]
    if region == "MX":
        found += [f"+521{national}", f"044{national}", f"01{national}"]
    return found


REGIONS = sorted(
    it
    for it in phonenumbers.SUPPORTED_REGIONS
    if phonenumbers.example_number_for_type(it, phonenumbers.PhoneNumberType.MOBILE)
)
MOBILE_TYPES = {
    phonenumbers.PhoneNumberType.MOBILE,
    phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
}


@given(
    _mobiles(),
    st.lists(st.sampled_from([" ", "-", ".", "(", ") ", ""]), max_size=6),
    st.data(),
)
def test_any_spelling_of_a_number_is_one_number(
    number: phonenumbers.PhoneNumber, between: list[str], data: st.DataObject
) -> None:
    """Attack A15: no spelling of a number is counted apart from another."""
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(number) or ""
    expected = parse(e164)
    spelt = data.draw(st.sampled_from(_spellings(number, region)))
    home = "IN" if spelt.startswith("00") else region
    digits = re.sub(r"[^0-9+]", "", spelt)
    gaps = itertools.chain([""], between, itertools.repeat(""))
    loose = "".join(it + gap for it, gap in zip(digits, gaps, strict=False))

    assert parse(spelt, home) == expected
    assert parse(loose, home) == expected


@pytest.mark.parametrize(
    "e164",
    [
        "+919876543210",
        "+12014567890",
        "+912266778899",
        "+5491123456789",
        "+5215512345678",
        "+390669812345",
    ],
)
def test_the_kind_of_a_number_is_known_without_its_parsing(e164: str) -> None:
    phone = parse(e164)

    assert kind_of(phone.e164) == phone.kind


@pytest.mark.parametrize("e164", ["+999876543210", "+9112", "", "junk"])
def test_what_nobody_has_is_of_no_kind(e164: str) -> None:
    with pytest.raises(PhoneInvalidError):
        kind_of(e164)
