"""The words of a text, and whether they fit into one SMS."""

import pytest

from services.sms.templates import TemplateError, Templates, segments


@pytest.fixture
def templates() -> Templates:
    return Templates(brand="QuickCart", ttl_seconds=300, autofill_host="quickcart.in")


def test_the_login_text_ends_with_the_line_that_browsers_read(
    templates: Templates,
) -> None:
    assert templates.render("123456") == (
        "123456 is your QuickCart code. It expires in 5 minutes."
        " Don't share it with anyone.\n\n@quickcart.in #123456"
    )


def test_the_verify_text_says_what_the_code_is_for(templates: Templates) -> None:
    text = templates.render("000123", purpose="verify")

    assert text.startswith("000123 is your QuickCart verification code. It expires")


def test_without_a_host_there_is_no_last_line() -> None:
    text = Templates(brand="QuickCart", ttl_seconds=300).render("123456")

    assert text.endswith("Don't share it with anyone.")


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (300, "5 minutes"),
        (299, "4 minutes"),
        (120, "2 minutes"),
        (119, "1 minute"),
        (61, "1 minute"),
        (10, "1 minute"),
        (900, "5 minutes"),
    ],
)
def test_a_resend_promises_no_more_than_is_left(
    templates: Templates, left: int, words: str
) -> None:
    assert f"expires in {words}." in templates.render("123456", ttl_seconds=left)


@pytest.mark.parametrize(
    "brand", ["Q" * 100, "Café \u2019n\u2019 Co" + "x" * 20, "", " ", "a\nb"]
)
def test_a_brand_that_cannot_be_sent_is_refused_at_the_start(brand: str) -> None:
    with pytest.raises(TemplateError):
        Templates(brand=brand, ttl_seconds=300)


@pytest.mark.parametrize(
    "host",
    ["https://quickcart.in", "quickcart.in/", "a b", "quickcart.in:443", "a..b", ""],
)
def test_an_autofill_host_is_a_bare_host(host: str) -> None:
    with pytest.raises(TemplateError):
        Templates(brand="QuickCart", ttl_seconds=300, autofill_host=host)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 80 + "a", 2),
        ("^{}\\[~]|\f", 1),
        # An escape pair is not cut: 152 septets, the pair moves to the next segment.
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 152 + "€" + "a" * 151, 2),
        ("a" * 152 + "€" + "a" * 152, 3),
        ("\u2019" + "a" * 69, 1),
        ("\u2019" + "a" * 70, 2),
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        # A surrogate pair is not cut either: 33 of them fill 66 of 67 units.
        ("😀" * 66, 2),
        ("😀" * 67, 3),
    ],
)
def test_segments_are_counted_as_the_networks_do(text: str, count: int) -> None:
    assert segments(text) == count


def test_the_default_text_is_one_segment(templates: Templates) -> None:
    assert segments(templates.render("123456")) == 1
