"""Whether a text is the one that India's registry has."""

import pytest

from services.sms.dlt import find_mismatch, is_id, unknown_variables

SENT = "123456 is your QuickCart code. It expires in 5 minutes."


@pytest.mark.parametrize(
    "registered",
    [
        "{#numeric#} is your QuickCart code. It expires in {#numeric#} minutes.",
        "{#number#} is your {#alphanumeric#} code. It expires in {#var#} minutes.",
        "{#var#} is your QuickCart code. It expires in 5 minutes.",
        "{#numeric#}{#numeric#} is your {#var#} code. It {#var#}{#var#}",
        SENT,
    ],
)
def test_a_text_is_the_registered_one_with_its_variables_filled(
    registered: str,
) -> None:
    assert find_mismatch(registered, SENT) is None


@pytest.mark.parametrize(
    ("registered", "agreeing"),
    [
        ("{#numeric#} is your QuickCart OTP. It expires in {#numeric#} minutes.", 25),
        ("{#numeric#} is your Quickcart code. It expires in {#numeric#} minutes.", 20),
        # A dot or a space less is another text.
        ("{#numeric#} is your QuickCart code. It expires in {#numeric#} minutes", 54),
        ("{#numeric#} is your QuickCart code.  It expires in {#numeric#} minutes.", 31),
        (SENT + " Bye.", 55),
        ("", 0),
        # Digits alone are numeric, and a name with a dot is not alphanumeric.
        ("{#numeric#} is your {#numeric#} code. It expires in 5 minutes.", 15),
        ("{#numeric#} is your {#alphanumeric#} It expires in 5 minutes.", 29),
        # A variable holds thirty characters, and not none.
        ("{#var#}", 30),
        ("{#var#}It expires in 5 minutes.", 30),
        ("{#var#}" + SENT, 30),
    ],
)
def test_a_text_that_differs_is_shown_by_how_far_it_agrees(
    registered: str, agreeing: int
) -> None:
    assert find_mismatch(registered, SENT) == agreeing


def test_many_variables_side_by_side_take_no_time() -> None:
    assert find_mismatch("{#var#}" * 20 + "!", "a" * 160) is not None


def test_variables_are_of_kinds_that_the_registry_has() -> None:
    registered = "{#var#} {#numeric#} {#url#} {#urlott#} {#cbn#} {#email#} {##} {#otp#}"

    assert unknown_variables(registered) == ["", "otp"]


def test_an_id_has_nineteen_digits() -> None:
    assert is_id("1107161234567890123")
    assert not is_id("110716123456789012")
    assert not is_id("110716123456789012a")
    assert not is_id("١١٠٧١٦١٢٣٤٥٦٧٨٩٠١٢٣")
