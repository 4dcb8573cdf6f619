"""Twilio Verify alone: our code in its words, and what it is told afterwards."""

from dataclasses import replace

import pytest

from services.sms.provider import ProviderFailure, Reason, ReportsConversion, Scope
from tests.services.sms.contract.twilio_verify import VENDOR, make
from tests.services.sms.contract.vendor import failure_from, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import http, serving
from tests.simulator import Simulator


def test_verify_sends_our_code(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url)))

    (message,) = simulator.messages()
    assert message.params == {
        "To": INDIAN.e164,
        "Channel": "sms",
        "CustomCode": "123456",
        "Locale": "en",
    }


@pytest.mark.parametrize(
    ("locale", "expected"),
    [("hi-IN", "hi"), ("pt-BR", "pt-BR"), ("zh-hk", "zh-HK"), ("sw", None)],
)
def test_verify_is_told_a_language_that_it_has_or_none(
    simulator: Simulator, locale: str, expected: str | None
) -> None:
    message = replace(message_to(), locale=locale)
    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)

    assert simulator.messages()[-1].params.get("Locale") == expected


@pytest.mark.parametrize(
    ("converted", "status"), [(True, b"approved"), (False, b"canceled")]
)
def test_verify_is_told_how_it_ended(*, converted: bool, status: bytes) -> None:
    answer = http(b'{"sid": "VE1", "status": "approved"}')
    with serving(answer) as server:
        provider = make(make_transport(server.url, wait_seconds=5.0))
        provider.report_conversion(
            "VE1", converted=converted, deadline=CLOCK.monotonic() + 5.0
        )

    (request,) = server.requests
    service = b"VA" + b"0" * 32
    assert request.startswith(b"POST /v2/Services/" + service + b"/Verifications/VE1 ")
    assert request.endswith(b"\r\n\r\nStatus=" + status)


def test_a_verification_ends_once(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    assert isinstance(provider, ReportsConversion)
    message_id = send(provider)
    deadline = CLOCK.monotonic() + 5.0
    provider.report_conversion(message_id, converted=True, deadline=deadline)

    with pytest.raises(ProviderFailure) as caught:
        provider.report_conversion(message_id, converted=True, deadline=deadline)

    # One that is gone is no reason to close the account.
    assert caught.value.scope is Scope.NUMBER


def test_an_unknown_service_is_an_account_error(simulator: Simulator) -> None:
    simulator.add_rule("error", provider="twilio_verify", code=20404)
    with pytest.raises(ProviderFailure) as caught:
        send(make(make_transport(simulator.url)))

    assert caught.value.reason is Reason.ACCOUNT


@pytest.mark.parametrize("status", ["canceled", "max_attempts_reached", None, []])
def test_a_verification_that_is_not_pending_was_not_sent(
    simulator: Simulator, status: object
) -> None:
    failure = failure_from(VENDOR, {"sid": "VE1", "status": status})

    assert (failure.reason, failure.vendor_code) == (Reason.TRANSIENT, "ended")
