"""Whom tokens are for, and the file of service clients, as settings have them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from config.clients import parse_audience
from config.config import Settings, SettingsError, load_settings


def load(variables: Mapping[str, str]) -> Settings:
    given = {"FLASK_ENV": "development", **variables}
    return load_settings(environ=given, env_file=None)


def test_storefronts_and_services_have_audiences() -> None:
    settings = load(
        {
            "STOREFRONT_AUDIENCES": "https://shop.example.com=shop,"
            " svc-orders=orders, direct=apps"
        }
    )

    assert settings.storefront_audiences == (
        ("https://shop.example.com", "shop"),
        ("svc-orders", "orders"),
        ("direct", "apps"),
    )


@pytest.mark.parametrize(
    "text",
    [
        *("shop", "=shop", "https://shop.example.com=", "shop=shop"),
        *("svc-A=a", "https://shop.example.com/path=a", "direct=two words"),
    ],
)
def test_what_is_no_audience_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_audience(text)


def test_a_file_of_clients_is_read(tmp_path: Path) -> None:
    file = tmp_path / "clients.toml"
    file.write_text("[[client]]\nid = 'svc-a'\n[[client]]\nid = 'svc-b'\n")

    settings = load({"SERVICE_CLIENTS_FILE": str(file)})

    assert [it["id"] for it in settings.service_clients_file] == ["svc-a", "svc-b"]


@pytest.mark.parametrize(
    "text",
    ["[[client]", "[client]\nid = 'svc-a'", "client = [1]", "[[clients]]\nid = 'a'"],
)
def test_what_is_no_file_of_clients_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(text)

    with pytest.raises(SettingsError, match="SERVICE_CLIENTS_FILE"):
        load({"SERVICE_CLIENTS_FILE": str(file)})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SERVICE_CLIENTS_FILE"):
        load({"SERVICE_CLIENTS_FILE": str(tmp_path / "none.toml")})
