"""The console: what a developer sees."""

import io

import pytest

from services.sms.provider import Provider
from services.sms.providers.console import ConsoleProvider
from tests.services.sms.fakes import message_to


def test_the_console_shows_number_and_code_in_one_line() -> None:
    stream = io.StringIO()
    accepted = ConsoleProvider(stream).send(message_to(), 0.0)

    assert stream.getvalue() == "SMS to +919876543210: the code is 123456\n"
    assert accepted.message_id == "console"


def test_the_console_is_the_terminal_unless_told_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    provider: Provider = ConsoleProvider()
    provider.send(message_to(), 0.0)

    assert "123456" in capsys.readouterr().err
    assert provider.status == "console"
    assert provider.countries is None
