"""The nearest of the languages on offer."""

import pytest

from services.sms.languages import nearest


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        ("en", ("en", "hi"), "en"),
        ("en-IN", ("en", "en-GB"), "en"),
        ("EN-gb", ("en", "en-GB"), "en-GB"),
        ("pt-BR", ("pt_BR",), "pt_BR"),
        ("pt", ("en", "pt-PT", "pt-BR"), "pt-PT"),
        ("pt-AO", ("pt-PT", "pt"), "pt"),
        ("zh-Hant-TW", ("zh",), "zh"),
        ("de", ("en",), None),
        ("", ("en",), None),
        ("e", ("en",), None),
        ("en", (), None),
    ],
)
def test_the_nearest_language_is_found(
    wanted: str, offered: tuple[str, ...], expected: str | None
) -> None:
    assert nearest(wanted, offered) == expected
