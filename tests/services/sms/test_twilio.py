"""Twilio alone: its parameters, its credentials and its ways to say no."""

from dataclasses import replace
from typing import Any

import pytest

from services.sms.provider import (
    ProviderFailure,
    Reason,
    Refused,
    ReportsConversion,
)
from services.sms.providers.twilio import TwilioProvider
from tests.services.sms.contract.twilio import SENDER, VENDOR, make
from tests.services.sms.contract.vendor import (
    NOWHERE,
    assert_shows_nothing,
    failure_from,
    send,
)
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import http, serving
from tests.simulator import Simulator
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID


def test_twilio_is_asked_for_no_more_than_the_code_lives(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    for ttl_seconds in (120, 1, 90_000):
        send(provider, ttl_seconds=ttl_seconds)

    sent = [message.params for message in simulator.messages()]
    assert [params["ValidityPeriod"] for params in sent] == ["120", "6", "36000"]
    assert sent[0] == {
        "To": INDIAN.e164,
        "From": SENDER,
        "Body": "123456 is your QuickCart code.",
        "ValidityPeriod": "120",
        "ProvideFeedback": "true",
    }


def test_twilio_sends_through_a_messaging_service(simulator: Simulator) -> None:
    provider = TwilioProvider(
        simulator.account_sid,
        simulator.auth_token,
        transport=make_transport(simulator.url),
        messaging_service_sid="MG" + "0" * 32,
        status_callback="https://auth.example/api/webhooks/twilio",
    )
    send(provider)

    (message,) = simulator.messages()
    assert message.params["MessagingServiceSid"] == "MG" + "0" * 32
    assert message.params["StatusCallback"].endswith("/webhooks/twilio")
    assert "From" not in message.params


def test_a_messages_own_sender_goes_without_the_service(simulator: Simulator) -> None:
    provider = TwilioProvider(
        simulator.account_sid,
        simulator.auth_token,
        transport=make_transport(simulator.url),
        sender=SENDER,
        messaging_service_sid="MG" + "0" * 32,
    )
    message = replace(message_to(), sender="QuickCart")
    provider.send(message, CLOCK.monotonic() + 5.0)

    (sent,) = simulator.messages()
    assert sent.params["From"] == "QuickCart"
    assert "MessagingServiceSid" not in sent.params


@pytest.mark.parametrize(
    ("converted", "outcome"), [(True, b"confirmed"), (False, b"unconfirmed")]
)
def test_twilio_is_told_whether_the_code_was_typed(
    *, converted: bool, outcome: bytes
) -> None:
    with serving(http(b'{"outcome": "confirmed"}', status="201 Created")) as server:
        provider = make(make_transport(server.url, wait_seconds=5.0))
        provider.report_conversion(
            "SM1", converted=converted, deadline=CLOCK.monotonic() + 5.0
        )

    (request,) = server.requests
    account = DEFAULT_ACCOUNT_SID.encode()
    assert request.startswith(
        b"POST /2010-04-01/Accounts/" + account + b"/Messages/SM1/Feedback.json "
    )
    assert request.endswith(b"\r\n\r\nOutcome=" + outcome)


def test_feedback_is_taken_on_a_message_that_was_sent(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    assert isinstance(provider, ReportsConversion)
    deadline = CLOCK.monotonic() + 5.0
    provider.report_conversion(send(provider), converted=True, deadline=deadline)

    with pytest.raises(ProviderFailure) as caught:
        provider.report_conversion("SM1", converted=True, deadline=deadline)

    assert caught.value.vendor_code == "20404"
    assert_shows_nothing(caught.value)


def test_twilio_needs_a_sender() -> None:
    with pytest.raises(ValueError, match="needs a sender"):
        TwilioProvider("AC0", "token", transport=make_transport(NOWHERE))


def test_twilio_is_not_moved_by_the_environment(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "ACelse")

    assert send(make(make_transport(simulator.url)))


@pytest.mark.parametrize(
    ("message", "reason", "vendor_code"),
    [
        ({"status": "failed", "error_code": 30450}, Reason.FRAUD, "30450"),
        ({"status": "undelivered", "error_code": 30005}, Reason.RECIPIENT, "30005"),
        ({"status": "queued", "error_code": "30007"}, Reason.CONTENT, "30007"),
        ({"status": "failed", "error_code": None}, Reason.TRANSIENT, "failed"),
        ({"status": "failed", "error_code": 39999}, Reason.TRANSIENT, "39999"),
        ({"status": "canceled"}, Reason.TRANSIENT, "canceled"),
        ({"error_code": "for +919876543210"}, Reason.TRANSIENT, "unknown"),
        ({"status": ["queued"]}, Reason.AMBIGUOUS, "unreadable"),
    ],
)
def test_a_message_that_twilio_creates_dead_was_not_taken(
    simulator: Simulator, message: dict[str, Any], reason: Reason, vendor_code: str
) -> None:
    failure = failure_from(VENDOR, {"sid": "SM1", **message})

    assert failure.reason is reason
    assert failure.vendor_code == vendor_code


def test_twilio_errors_in_the_form_of_rfc_9457_are_read(simulator: Simulator) -> None:
    problem = {
        "type": "https://www.twilio.com/docs/api/errors/21211",
        "title": "Invalid To +919876543210",
        "status": "400",
        "code": 21211,
        "detail": "+919876543210",
    }
    failure = failure_from(VENDOR, problem, status="400 Bad Request")

    assert isinstance(failure, Refused)
    assert failure.vendor_code == "21211"
    assert_shows_nothing(failure)
