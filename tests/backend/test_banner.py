"""What the service says of itself when it starts."""

import pytest

from backend.banner import banner
from config.config import load_settings
from config.server import server_options
from tests.backend.api import production
from tests.simulator import Simulator


def banner_of(**variables: str) -> str:
    settings = load_settings(environ=variables, env_file=None)
    return banner(settings, server_options(settings))


def test_development_says_where_with_what_and_how_to_log_in() -> None:
    text = banner_of(FLASK_ENV="development", PORT="5055")

    assert "QuickCart Auth (development) on http://127.0.0.1:5055" in text
    assert "embedded: one process, lost on restart" in text
    assert "providers  console" in text
    assert "SECRET_KEY: not set" in text
    assert "tokens     of http://localhost:5055 for quickcart" in text
    assert text.count("curl -s http://127.0.0.1:5055/") == 3


def test_production_names_its_parts_and_shows_no_login(
    simulator: Simulator,
) -> None:
    text = banner_of(**production(simulator, "redis://localhost:6379/0"))

    assert "QuickCart Auth (production)" in text
    assert "store      Redis" in text
    assert "providers  twilio, fast2sms" in text
    assert "2 with 128 threads" in text
    assert "curl" not in text


def test_no_secret_is_said(simulator: Simulator) -> None:
    variables = production(simulator, "redis://:redis-secret@localhost:6379/0")
    variables["ADMIN_PHONES"] = "+919876543210"

    text = banner_of(**variables)

    for secret in (
        variables["SECRET_KEY"],
        variables["TWILIO_AUTH_TOKEN"],
        variables["FAST2SMS_API_KEY"],
        "redis-secret",
        "9876543210",
    ):
        assert secret not in text


def test_warnings_are_said() -> None:
    text = banner_of(FLASK_ENV="development", REACT_APP_FAST2SMS_API_KEY="key")

    assert "warning    REACT_APP_FAST2SMS_API_KEY: was renamed" in text


@pytest.mark.parametrize(
    ("host", "url"),
    [("::1", "http://[::1]:5000"), ("10.1.2.3", "http://10.1.2.3:5000")],
)
def test_the_address_can_be_called_as_it_is_written(host: str, url: str) -> None:
    assert f"on {url}\n" in banner_of(FLASK_ENV="development", HOST=host)
