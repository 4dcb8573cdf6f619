"""What follows from the settings is the same tomorrow: people, codes, tokens, keys.

A value that changes here makes strangers of everybody, or logs everybody out.
"""

import re
from pathlib import Path

import pytest

from backend.composition.secrets import secrets_of, write_subject_key
from backend.wiring import Services, build_services
from config.config import Settings, load_settings
from services.otp.codes import VerificationId

ROOT = Path(__file__).parents[2]
PHONE, STOREFRONT = "+919876543210", "https://shop.example"
SETTINGS = {
    "FLASK_ENV": "development",
    "SECRET_KEY": "7sXo2mQp9vLw4kTz8bYc1nRf6hJd3gAe",
    "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
    "PUBLIC_BASE_URL": "https://auth.shop.example",
    "STOREFRONT_ORIGINS": STOREFRONT,
}
TAG = "jv5yErw0oiiEpw2f"
SESSION = f"{TAG}AAECAwQFBgcICQoLDA0ODw"
REFRESH_TOKEN = (
    "qcr_AY7-chK8NKIohKcNnwABAgMEBQYHCAkKCwwNDg8AAAAHq6aLKfkhFzrDcZhYMgDjnF8GOyY"
)
VERIFICATION = f"{TAG}lFJVZFF2ESNFGHqUEi47LOK5kIA"


def settings_of(**changed: str) -> Settings:
    return load_settings(environ={**SETTINGS, **changed}, env_file=None)


@pytest.fixture(scope="module")
def services() -> Services:
    return build_services(settings_of(), emit=lambda _: None)


def test_phones_and_people_are_named_as_ever(services: Services) -> None:
    _, tag = services.phonebook.read(PHONE, None)

    assert tag == TAG
    assert services.identity.subjects.subject_of(tag) == "_LZ1GJi5JXFsPEzwWI1tEQ"


def test_storefronts_are_named_as_ever(services: Services) -> None:
    phone, tag = services.phonebook.read(PHONE, None)
    verification = services.phonebook.new_id(tag, "login")

    attempt = services.phonebook.attempt(verification, phone, STOREFRONT)

    assert attempt.storefront == "OTl3RHek"


def test_codes_under_way_stay_good(services: Services) -> None:
    phone, tag = services.phonebook.read(PHONE, None)
    verification = services.phonebook.find(VERIFICATION, tag)

    assert verification == VerificationId.parse(VERIFICATION)
    code = services.phonebook.code_of(verification, phone, STOREFRONT)
    assert code == "398834"


def test_refresh_tokens_stay_good(services: Services) -> None:
    assert services.identity.sessions.read_token(REFRESH_TOKEN) == (SESSION, 7)


def test_the_signing_key_and_the_addresses_stay_the_same(services: Services) -> None:
    kid = services.identity.keys.active().kid

    assert kid == "kehYlH8RO8q8VPtzJSZO_dUTG-bQukPOUulHMYyR0pU"
    assert services.addresses.token("fast2sms") == "L4XHrdRU5KSwmHbQljlXqA"


def test_the_derived_subject_key_stays_the_same() -> None:
    derived = secrets_of(settings_of(SUBJECT_KEY=""))

    assert write_subject_key(derived) == "35Afc07ek3oB4KjXv9KZwraTQyGX4pyektbuKdsOYFY"


def test_no_two_purposes_share_a_key() -> None:
    composition = [*(ROOT / "backend").rglob("*.py")]
    used = [
        label
        for path in composition
        for label in re.findall(r"\.(?:naming|keys)\(\"([^\"]+)\"\)", path.read_text())
    ]

    assert len(used) > 10
    assert len(used) == len(set(used))
