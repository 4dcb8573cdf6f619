"""The webhook, from its settings to the gateway and back."""

from functools import partial

import pytest

from backend.composition.addresses import addresses_of
from backend.composition.checked_settings import find_problems
from backend.composition.vendors import Vendor, build_vendors
from config.config import Settings, load_settings
from services.sms.provider import ProviderFailure
from services.sms.receipts import Callback
from services.sms.transport import HttpTransport
from tests.services.sms.fakes import message_to
from tests.simulator import Simulator
from tests.simulator.webhook import DEFAULT_SECRET, Webhook
from utils.clock import SystemClock

CLOCK = SystemClock()
RECEIPTS = "https://auth.example.com/api/webhooks/webhook"


def settings_for(simulator: Simulator, **changes: str) -> Settings:
    environ = {
        "WEBHOOK_URL": f"{simulator.url}/gateway",
        "WEBHOOK_SECRET": DEFAULT_SECRET,
        **changes,
    }
    return load_settings(
        default_environment="development", env_file=None, environ=environ
    )


def build(settings: Settings) -> Vendor:
    vendors = build_vendors(
        settings, addresses_of(settings), partial(HttpTransport, clock=CLOCK)
    )
    return next(it for it in vendors if it.provider.name == "webhook")


def test_a_message_goes_out_and_its_receipt_comes_in(simulator: Simulator) -> None:
    vendor = build(settings_for(simulator))

    accepted = vendor.provider.send(message_to(), CLOCK.monotonic() + 5.0)

    (message,) = simulator.messages()
    call = Webhook().receipt(message, "delivered", None, RECEIPTS)
    headers = {name.lower(): value for name, value in call.headers}
    assert vendor.receipts is not None
    (receipt,) = vendor.receipts.read(
        Callback(call.method, call.url, "", headers, call.body)
    )
    assert receipt.message_id == accepted.message_id
    assert receipt.status == "delivered"


def test_the_settings_decide_what_is_sent(simulator: Simulator) -> None:
    settings = settings_for(
        simulator,
        WEBHOOK_CHANNELS="sms, voice",
        WEBHOOK_COUNTRIES="IN, DE",
        WEBHOOK_FORMAT="form",
        WEBHOOK_BODY='{"id": "{id}", "to": "{to}", "body": "{code}", "kind": 4}',
        WEBHOOK_HEADERS='{"X-Key": "k"}',
    )
    vendor = build(settings)
    simulator.add_rule("error", provider="webhook", code="transient")

    with pytest.raises(ProviderFailure, match="transient"):
        vendor.provider.send(message_to(), CLOCK.monotonic() + 5.0)

    (message,) = simulator.messages()
    assert vendor.provider.channels == frozenset({"sms", "voice"})
    assert vendor.provider.countries == frozenset({"IN", "DE"})
    assert message.params == {
        "id": message_to().reference,
        "to": "+919876543210",
        "body": "123456",
        "kind": "4",
    }


def test_a_private_address_must_be_named(simulator: Simulator) -> None:
    refused = find_problems(settings_for(simulator))
    named = find_problems(settings_for(simulator, WEBHOOK_ALLOWED_HOSTS="127.0.0.1"))

    assert [it.split(":")[0] for it in refused] == ["WEBHOOK_URL"]
    assert named == ()
