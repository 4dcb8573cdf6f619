"""Which language a person gets."""

import pytest

from services.sms.locales import chain, choose_locale, is_language, usual_language

AVAILABLE = ("en", "hi", "es", "fr", "pt", "ar", "de", "id", "pt-BR", "ta")


def choose(
    requested: str | None = None,
    accept_language: str | None = None,
    region: str = "US",
) -> str:
    return choose_locale(
        AVAILABLE,
        requested=requested,
        accept_language=accept_language,
        region=region,
    )


def test_the_request_counts_before_the_browser_and_that_before_the_country() -> None:
    assert choose("fr", "de", "MX") == "fr"
    assert choose(None, "de", "MX") == "de"
    assert choose(None, None, "MX") == "es"
    assert choose("", "", "MX") == "es"


def test_what_nobody_can_write_is_passed_over() -> None:
    assert choose("ja", "ko, zh;q=0.8", "BR") == "pt"
    assert choose("ja", "ko", "JP") == "en"


@pytest.mark.parametrize(
    ("tag", "chosen"),
    [
        ("de-AT", "de"),
        ("DE-at", "de"),
        ("de_CH", "de"),
        ("pt-BR", "pt-BR"),
        ("pt-br-x-shop", "pt-BR"),
        ("pt-PT", "pt"),
        ("es-419", "es"),
        ("hi-Deva-IN", "hi"),
        ("ta-IN", "ta"),
        ("den", "en"),
    ],
)
def test_a_tag_is_shortened_until_there_is_such_a_language(
    tag: str, chosen: str
) -> None:
    assert choose(requested=tag) == chosen


def test_a_single_letter_goes_with_what_stood_behind_it() -> None:
    assert list(chain("zh-Hant-CN-x-private1")) == [
        "zh-hant-cn-x-private1",
        "zh-hant-cn",
        "zh-hant",
        "zh",
    ]


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en;q=0.8, de;q=0.9", "de"),
        ("de;q=0.5,fr;q=0.5", "de"),
        ("de ; q=0.5 , fr;\tq=0.6", "fr"),
        ("de;Q=0.001", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("de;q=0.000", "en"),
        ("*", "en"),
        ("*, de;q=0.5", "de"),
        # What is malformed is left out, the rest counts.
        ("de;q=2, fr;q=0.1", "fr"),
        ("de;q=0.1234, fr;q=0.1", "fr"),
        ("de;q=, fr;q=0.1", "fr"),
        ("de;level=1, fr;q=0.1", "fr"),
        ("d\u00eb, fr;q=0.1", "fr"),
        (";;;,,,=;q", "en"),
        ("de" * 600, "en"),
        # Nobody reads as many languages.
        (",".join(["ja"] * 25) + ",de", "en"),
    ],
)
def test_accept_language_is_read_as_rfc_9110_has_it(header: str, chosen: str) -> None:
    assert choose(accept_language=header) == chosen


@pytest.mark.parametrize(
    ("region", "language"),
    [
        ("MX", "es"),
        ("AR", "es"),
        ("FR", "fr"),
        ("CM", "fr"),
        ("BR", "pt"),
        ("AO", "pt"),
        ("AE", "ar"),
        ("EG", "ar"),
        ("DE", "de"),
        ("AT", "de"),
        ("ID", "id"),
        ("US", "en"),
        ("GB", "en"),
        ("IN", "en"),
        ("JP", "ja"),
        ("TW", "zh-Hant"),
        ("001", "en"),
    ],
)
def test_a_country_has_a_usual_language(region: str, language: str) -> None:
    assert usual_language(region) == language


@pytest.mark.parametrize("tag", ["en", "pt-BR", "ta", "zh-Hant"])
def test_a_language_is_one_that_unicode_knows(tag: str) -> None:
    assert is_language(tag)


@pytest.mark.parametrize("tag", ["", "xx", "english", "pt_BR", "../en", "e" * 300])
def test_anything_else_is_no_language(tag: str) -> None:
    assert not is_language(tag)
