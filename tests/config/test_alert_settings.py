"""Where alerts may go, and what they need."""

from collections.abc import Sequence

import pytest

from config.config import Settings, SettingsError, load_settings
from config.webhook_rules import find_private_webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://alerts.example.com/hook/u1nguess4ble"
BOTH = {"ALERT_WEBHOOK_URL": URL, "ALERT_WEBHOOK_SECRET": SECRET}


def load(environment: str = "development", **variables: str) -> Settings:
    return load_settings(env_file=None, environ={"FLASK_ENV": environment, **variables})


def problems(environment: str = "development", **variables: str) -> Sequence[str]:
    with pytest.raises(SettingsError) as caught:
        load(environment, **variables)
    return caught.value.problems


def test_no_webhook_is_the_default() -> None:
    assert load().alert_webhook_url is None


def test_a_url_and_a_secret_are_enough() -> None:
    settings = load(**BOTH)

    assert settings.alert_webhook_url == URL


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"ALERT_WEBHOOK_URL": URL}, "ALERT_WEBHOOK_SECRET: missing"),
        ({"ALERT_WEBHOOK_SECRET": SECRET}, "ALERT_WEBHOOK_URL: missing"),
        (
            {"ALERT_WEBHOOK_ALLOWED_HOSTS": "alerts.internal"},
            "ALERT_WEBHOOK_ALLOWED_HOSTS: means nothing",
        ),
        ({**BOTH, "ALERT_WEBHOOK_URL": "ftp://x"}, "ALERT_WEBHOOK_URL: must be a URL"),
        ({**BOTH, "ALERT_WEBHOOK_SECRET": "short"}, "ALERT_WEBHOOK_SECRET: must be"),
    ],
    ids=["no secret", "no url", "hosts alone", "no http", "short"],
)
def test_half_of_it_is_refused(variables: dict[str, str], problem: str) -> None:
    (found,) = problems(**variables)

    assert found.startswith(problem)
    assert URL not in found
    assert SECRET not in found


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("http://alerts.example.com/hook", True),
        (URL, False),
        ("http://127.0.0.1:9000/hook", False),
    ],
)
def test_production_posts_nothing_in_the_clear(url: str, *, refused: bool) -> None:
    # The other problems of this bare production do not matter here.
    found = problems("production", **{**BOTH, "ALERT_WEBHOOK_URL": url})

    wanted = "ALERT_WEBHOOK_URL: must be https in production"
    assert (wanted in found) == refused


@pytest.mark.parametrize(
    ("addresses", "allowed", "refused"),
    [
        (["10.0.0.1"], "", True),
        (["93.184.216.34", "169.254.169.254"], "", True),
        (["93.184.216.34"], "", False),
        (["10.0.0.1"], "alerts.example.com", False),
        (["10.0.0.1"], "other.example.com", True),
        ([], "", False),
    ],
)
def test_a_private_address_must_be_named(
    addresses: Sequence[str], allowed: str, *, refused: bool
) -> None:
    settings = load(**BOTH, ALERT_WEBHOOK_ALLOWED_HOSTS=allowed)

    found = list(find_private_webhook(settings, resolve=lambda _: addresses))

    assert [it.split(":")[0] for it in found] == ["ALERT_WEBHOOK_URL"] * refused
    assert "u1nguess4ble" not in "".join(found)


def test_neither_the_url_nor_the_secret_shows() -> None:
    shown = repr(load(**BOTH))

    assert "u1nguess4ble" not in shown
    assert SECRET not in shown
