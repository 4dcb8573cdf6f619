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
            "STOREFRONT_ORIGINS": "https://shop.example.com",
            "STOREFRONT_AUDIENCES": "https://shop.example.com=shop,"
            " svc-orders=orders, direct=apps",
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


@pytest.mark.parametrize("origins", ["", "https://other.example.com"])
def test_an_audience_of_no_storefront_is_refused(origins: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(
            {
                "STOREFRONT_ORIGINS": origins,
                "STOREFRONT_AUDIENCES": "https://shop.example.com=shop",
            }
        )

    [problem] = caught.value.problems
    assert problem.startswith("STOREFRONT_AUDIENCES: names https://shop.example.com,")


def test_where_any_origin_may_call_each_may_have_an_audience() -> None:
    audiences = "https://shop.example.com=shop"

    settings = load({"STOREFRONT_ORIGINS": "*", "STOREFRONT_AUDIENCES": audiences})

    assert settings.storefront_audiences == (("https://shop.example.com", "shop"),)


def test_an_issuer_does_not_end_with_a_slash() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"TOKEN_ISSUER": "https://auth.example.com/"})

    assert caught.value.problems == ("TOKEN_ISSUER: must not end with a slash",)


ISSUER = "https://auth.shop.example"


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("TOKEN_AUDIENCE", {"TOKEN_AUDIENCE": ISSUER}),
        ("STOREFRONT_AUDIENCES", {"STOREFRONT_AUDIENCES": f"direct={ISSUER}"}),
        ("TOKEN_AUDIENCE", {"TOKEN_AUDIENCE": "shop/verification"}),
        (
            "STOREFRONT_AUDIENCES",
            {"STOREFRONT_AUDIENCES": "direct=quickcart/verification"},
        ),
        (
            "TOKEN_ISSUER",
            {
                "TOKEN_ISSUER": f"{ISSUER}/verification",
                "STOREFRONT_AUDIENCES": f"direct=apps, svc-orders={ISSUER}",
            },
        ),
    ],
    ids=["the issuer", "its own", "receipts", "another's", "the issuer's receipts"],
)
def test_no_two_kinds_of_token_are_for_the_same(
    name: str, variables: Mapping[str, str]
) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"TOKEN_ISSUER": ISSUER, **variables})

    assert [it.partition(":")[0] for it in refused.value.problems] == [name]


def test_the_issuer_of_development_is_no_audience_either() -> None:
    with pytest.raises(SettingsError, match="TOKEN_AUDIENCE"):
        load({"PORT": "5050", "TOKEN_AUDIENCE": "http://localhost:5050"})


def test_audiences_of_equal_beginnings_may_be() -> None:
    settings = load(
        {
            "TOKEN_ISSUER": ISSUER,
            "TOKEN_AUDIENCE": f"{ISSUER}/api",
            "STOREFRONT_AUDIENCES": "direct=verification",
        }
    )

    assert settings.token_audience == f"{ISSUER}/api"


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
