"""The service's keys change under a kit that goes on."""

import re
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from backend.cli.__main__ import main
from quickcart_auth import Verifier
from tests.backend.api import phones
from tests.clients.python.running import Running
from tests.corpus.forge import read_segment


@pytest.fixture
def command(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., str]:
    """Do what an operator can at the service's side; return what it prints."""
    for name, value in running.variables.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> str:
        assert main(arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def test_new_keys_are_seen_without_a_restart_and_outlast_the_service(
    running: Running, command: Callable[..., str]
) -> None:
    old = running.login("+919812345678")
    with closing(Verifier(running.issuer, "quickcart")) as verifier:
        verifier.verify(old)
        made = re.search(r"[A-Za-z0-9_-]{43}", command("keys", "generate"))
        assert made
        command("keys", "activate", made[0], "--now")

        new = _token_by(running, made[0])

        assert verifier.verify(new).subject
        assert verifier.verify(old).subject
        running.service.close()
        assert verifier.verify(new).subject


def _token_by(running: Running, kid: str) -> str:
    """Log in until the service, which follows in a moment, signs with a key."""
    pause = threading.Event()
    for phone in phones(50):
        token = running.login(phone)
        if read_segment(token.split(".")[0])["kid"] == kid:
            return token
        pause.wait(0.1)
    raise AssertionError(running.service.stderr.text)
