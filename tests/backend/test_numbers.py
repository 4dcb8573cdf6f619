"""Numbers worth sending to, over HTTP: countries, channels, types, and nobody's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backend.composition.checked_settings import find_problems
from config.config import load_settings
from tests.backend.api import Api, assert_problem
from tests.backend.conftest import MakeApi
from tests.backend.every_vendor import AMERICAN, every_vendor
from tests.backend.receipts import PUBLIC
from tests.simulator import Simulator

INDIAN = "+919876543210"
FIXED_LINE = "+912266778899"
MakeServed = Callable[[str], Api]


@pytest.fixture
def serving(make_api: MakeApi, simulator: Simulator, tmp_path: Path) -> MakeServed:
    """Build the service with every vendor and a file of numbers."""
    simulator.add_rule("receipt_missing")
    file = tmp_path / "numbers.toml"

    def make(text: str) -> Api:
        file.write_text(text)
        settings: dict[str, str | None] = {
            **every_vendor(simulator),
            "ALLOWED_COUNTRIES": None,
            "VOICE_COUNTRIES": None,
            "SMS_ROUTES": None,
            "PUBLIC_BASE_URL": PUBLIC,
            "NUMBER_POLICY_FILE": str(file),
        }
        return make_api(**settings)

    return make


def test_a_country_that_is_not_in_the_file_is_not_sent_to(serving: MakeServed) -> None:
    api = serving('[countries]\nUS = "allow"')

    assert_problem(api.send(INDIAN), 422, "phone_not_supported")
    assert api.send(AMERICAN).status_code == 202
    assert [it.to for it in api.simulator.messages()] == [AMERICAN]


def test_an_empty_list_sends_nobody_anything(serving: MakeServed) -> None:
    api = serving("[countries]")

    for phone in (INDIAN, AMERICAN):
        assert_problem(api.send(phone), 422, "phone_not_supported")
    assert not api.simulator.messages()


def test_a_channel_that_is_blocked_is_not_available(serving: MakeServed) -> None:
    api = serving('[countries]\nUS = { sms = "allow", voice = "allow" }')

    answer = api.send(AMERICAN, channel="whatsapp")

    assert_problem(answer, 422, "channel_not_available")
    turns = answer.json["next"]
    assert {it: turns[it]["allowed"] for it in ("sms", "whatsapp", "voice")} == {
        "sms": True,
        "whatsapp": False,
        "voice": True,
    }
    assert not api.simulator.messages()


def test_calls_are_for_countries_that_name_them_alone(serving: MakeServed) -> None:
    api = serving('[countries]\nIN = { sms = "allow", voice = "allow" }\nUS = "allow"')

    assert api.send(INDIAN).json["next"]["voice"]["allowed"]
    assert not api.send(AMERICAN).json["next"]["voice"]["allowed"]


def test_what_whatsapp_cannot_deliver_is_no_text_where_texts_are_blocked(
    serving: MakeServed,
) -> None:
    api = serving('[countries]\nUS = { whatsapp = "allow" }')
    api.simulator.add_rule("error", provider="whatsapp", code=131026)

    answer = api.send(AMERICAN)

    assert_problem(answer, 422, "recipient_unreachable")
    assert not answer.json["next"]["sms"]["allowed"]
    assert {it.provider for it in api.simulator.messages()} <= {"whatsapp"}


def test_a_type_may_be_opened_for_calls_alone(serving: MakeServed) -> None:
    api = serving(
        """
        [countries]
        IN = { sms = "allow", voice = "allow" }
        [types]
        fixed_line = { voice = "allow" }
        """
    )

    refused = api.send(FIXED_LINE, channel="sms")

    assert_problem(refused, 422, "channel_not_available")
    assert api.send(FIXED_LINE, channel="voice").status_code == 202
    assert [it.provider for it in api.simulator.messages()] == ["twilio_voice"]


@pytest.mark.parametrize(
    "text",
    [
        '[countries]\nIN = "challenge"',
        '[countries]\nIN = "allow"\n[types]\nmobile = "challenge"',
    ],
    ids=["country", "type"],
)
def test_a_policy_may_ask_everybody_for_a_challenge(
    serving: MakeServed, text: str
) -> None:
    api = serving(text)

    answer = api.send(INDIAN)

    assert_problem(answer, 403, "challenge_required")
    assert not api.simulator.messages()


@pytest.mark.parametrize("phone", ["+12125550123", "+447700900123", "+33639981234"])
def test_what_is_set_aside_for_films_reaches_no_vendor(
    make_api: MakeApi, phone: str
) -> None:
    api = make_api(ALLOWED_COUNTRIES="IN, US, GB, FR")

    assert_problem(api.send(phone), 422, "phone_not_supported")
    assert not api.simulator.messages()


@pytest.mark.parametrize(
    ("country", "first", "other"),
    [
        ("AR", "+54 9 11 2345 6789", "+54 11 2345 6789"),
        ("MX", "+52 55 1234 5678", "+52 1 55 1234 5678"),
    ],
)
def test_the_other_digits_of_a_handset_meet_its_cooldown(
    make_api: MakeApi, country: str, first: str, other: str
) -> None:
    """Attack A15: a limit per number holds for every spelling of it."""
    api = make_api(ALLOWED_COUNTRIES=f"IN, {country}")

    assert api.send(first).status_code == 202
    assert_problem(api.send(other), 429, "rate_limited")
    assert len(api.simulator.messages()) == 1


def test_a_country_that_no_vendor_texts_is_named_at_start(tmp_path: Path) -> None:
    file = tmp_path / "numbers.toml"
    file.write_text('[countries]\nIN = "allow"\nAE = "allow"\nFR = {whatsapp="allow"}')
    settings = load_settings(
        env_file=None,
        environ={
            "FLASK_ENV": "development",
            "FAST2SMS_API_KEY": "key",
            "SMS_ROUTES": "+91: fast2sms",
            "NUMBER_POLICY_FILE": str(file),
        },
    )

    assert find_problems(settings) == (
        "NUMBER_POLICY_FILE: no sms vendor in SMS_ROUTES serves AE",
    )
