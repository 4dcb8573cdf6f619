"""What is made of price lists and caps at start-up, and of prices in receipts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.composition.checked_settings import find_problems
from backend.composition.prices import anybody_in, build_prices
from config.config import Settings, load_settings
from services.sms.provider import Channel
from tests.backend.conftest import MakeApi
from tests.backend.every_vendor import every_vendor, phone_of
from tests.backend.receipts import PUBLIC, post, send_by, write
from tests.backend.test_delivery_settings import FAST2SMS, TWILIO, VOICE
from tests.simulator import Simulator

INDIAN, AMERICAN = anybody_in("IN"), anybody_in("US")
LIST = """
[[price]]
vendor = "twilio"
country = "IN"
price = 0.0832
[[price]]
vendor = "vonage"
price = 0.02
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "prices.toml"


def load(**environ: str) -> Settings:
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def problems(**environ: str) -> list[str]:
    return list(find_problems(load(**environ)))


def test_prices_come_from_the_setting_and_from_the_file(file: Path) -> None:
    file.write_text(LIST)
    settings = load(SMS_PRICES="twilio: 0.05", PRICES_FILE=str(file), PRICE_UNKNOWN="1")
    prices = build_prices(settings)

    assert prices.of("twilio", INDIAN, "sms") == pytest.approx(0.0832)
    assert prices.of("twilio", AMERICAN, "sms") == pytest.approx(0.05)
    assert prices.of("plivo", INDIAN, "sms") is None
    assert prices.micros("plivo", INDIAN, "sms") == 1_000_000


def test_a_list_may_have_vendors_that_are_not_configured(file: Path) -> None:
    file.write_text(LIST)

    assert problems(**TWILIO, PRICES_FILE=str(file)) == []


def test_a_price_for_what_a_vendor_does_not_do_is_refused(file: Path) -> None:
    file.write_text('[[price]]\nvendor = "twilio"\nchannel = "voice"\nprice = 0.1\n')

    assert problems(**TWILIO, PRICES_FILE=str(file)) == [
        "PRICES_FILE: price 1: twilio does not send by voice"
    ]


# Twilio and Fast2SMS to India, at 0.08 and 0.02.
PRICED = {**TWILIO, **FAST2SMS, "SMS_PRICES": "twilio: 0.08; fast2sms: 0.02"}


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SPEND_GLOBAL", "0.09/1h"),
        ("SPEND_PER_COUNTRY", "0.09/1h"),
        ("SPEND_PER_COUNTRY", "5/1h; IN: 0.09/1h"),
        ("SPEND_PER_CALLER", "0.09/1h"),
        ("SPEND_PER_CALLER", "5/1h; svc-orders: 5/24h, 0.09/1h"),
    ],
)
def test_a_cap_below_one_message_is_refused(variable: str, text: str) -> None:
    [found] = problems(**PRICED, **{variable: text})

    assert found.startswith(f"{variable}: 0.09 in 3600 s")
    assert "less than 0.1, which one message to IN may cost" in found


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("SPEND_GLOBAL", "0.1/1h"),
        ("SPEND_PER_COUNTRY", "0.01/1h; IN: 0.1/1h"),
        ("SPEND_PER_COUNTRY", "5/1h; DE: 0.01/1h"),
        ("SPEND_PER_CALLER", "0.1/1h"),
    ],
)
def test_a_cap_of_one_message_and_for_nobody_here_is_none_of_that(
    variable: str, text: str
) -> None:
    assert problems(**PRICED, **{variable: text}) == []


def test_a_cap_above_another_is_no_contradiction() -> None:
    assert (
        problems(**PRICED, SPEND_GLOBAL="5/1h", SPEND_PER_COUNTRY="50/1h; IN: 500/1h")
        == []
    )


def test_what_is_not_known_counts_against_a_cap() -> None:
    [found] = problems(**TWILIO, PRICE_UNKNOWN="0.5", SPEND_GLOBAL="0.4/1h")

    assert "less than 0.5" in found


def test_the_dearest_channel_counts() -> None:
    voice = {**PRICED, **VOICE, "SMS_PRICES": "twilio: 0.08; twilio_voice: 0.7"}

    [found] = problems(**voice, SPEND_GLOBAL="0.6/1h")

    assert "less than 0.7" in found


def test_a_cap_that_is_off_may_be_anything() -> None:
    off = {"SPEND_GLOBAL": "0.01/1h", "RULE_MODES": "spend_global=off"}

    assert problems(**PRICED, **off) == []


def test_routes_that_cannot_be_used_are_named_beside_caps() -> None:
    [found] = problems(**PRICED, SPEND_GLOBAL="0.01/1h", SMS_ROUTES="*: vonage, twilio")

    assert found == "SMS_ROUTES: entry 1: vonage is not configured"


# Receipts

# Those whose receipts have a price, and the simulator's.
TOLD = {
    "vonage": ("EUR", 33_300),
    "infobip": ("EUR", 10_000),
    "messagebird": ("EUR", 37_500),
    "plivo": ("USD", 3_000),
    "aws": ("USD", 8_810),
    "webhook": ("USD", 2_000),
}


@pytest.fixture
def make(make_api: MakeApi, simulator: Simulator) -> MakeApi:
    """Build the service with every vendor, whose receipts come by hand alone."""
    simulator.add_rule("receipt_missing")
    settings = {**every_vendor(simulator), "PUBLIC_BASE_URL": PUBLIC}
    return lambda **changes: make_api(**{**settings, **changes})


@pytest.mark.parametrize("vendor", TOLD)
def test_every_worker_knows_what_a_receipt_told(make: MakeApi, vendor: str) -> None:
    currency, micros = TOLD[vendor]
    api, other = (make(SPEND_CURRENCY=currency) for _ in range(2))
    phone = phone_by(api, vendor)
    price_micros: Callable[[str, Channel, Any], int] = other.services.sms.price_micros
    assert price_micros(vendor, "sms", phone) == 100_000

    send_by(api, vendor)
    post(api, write(api, vendor, "sent"))
    post(api, write(api, vendor))
    for worker in (api, other):
        worker.chores.rounds["prices"]()

    assert price_micros(vendor, "sms", phone) == micros


def test_a_receipt_that_comes_before_its_message_is_known_tells_its_price(
    make: MakeApi,
) -> None:
    api = make(SPEND_CURRENCY="EUR")
    settle, api.settle = api.settle, lambda: None  # type: ignore[method-assign]
    send_by(api, "vonage")
    post(api, write(api, "vonage"))

    settle()
    api.chores.rounds["prices"]()

    phone = phone_by(api, "vonage")
    assert api.services.sms.price_micros("vonage", "sms", phone) == 33_300


def test_prices_in_another_currency_are_not_for_this_service(make: MakeApi) -> None:
    api = make(SPEND_CURRENCY="INR")

    send_by(api, "vonage")
    post(api, write(api, "vonage"))
    api.chores.rounds["prices"]()

    phone = phone_by(api, "vonage")
    assert api.services.sms.price_micros("vonage", "sms", phone) == 100_000


def phone_by(api: Any, vendor: str) -> Any:
    """Return the number that a vendor alone serves in these tests."""
    phone, _ = api.services.phonebook.read(phone_of(vendor), None)
    return phone
