"""Twilio alone: its parameters, its credentials and its ways to say no."""

import socket
from typing import Any

import pytest

from services.sms.provider import Reason, Refused
from services.sms.providers.twilio import TwilioProvider
from tests.services.sms.fakes import INDIAN
from tests.services.sms.posting import make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.services.sms.vendors import (
    NOWHERE,
    SENDER,
    TWILIO,
    assert_shows_nothing,
    failure_from,
    make_twilio,
    send,
)
from tests.simulator import Simulator


def test_twilio_is_asked_for_no_more_than_the_code_lives(simulator: Simulator) -> None:
    provider = make_twilio(make_transport(simulator.url), simulator)
    for ttl_seconds in (120, 1, 90_000):
        send(provider, ttl_seconds=ttl_seconds)

    sent = [message.params for message in simulator.messages()]
    assert [params["ValidityPeriod"] for params in sent] == ["120", "6", "36000"]
    assert sent[0] == {
        "To": INDIAN.e164,
        "From": SENDER,
        "Body": "123456 is your QuickCart code.",
        "ValidityPeriod": "120",
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


def test_twilio_needs_a_sender() -> None:
    with pytest.raises(ValueError, match="needs a sender"):
        TwilioProvider("AC0", "token", transport=make_transport(NOWHERE))


def test_twilio_takes_an_api_key() -> None:
    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(b'{"sid": "SM1", "status": "queued"}'))

    with RawServer(script) as server:
        send(
            TwilioProvider(
                "AC0",
                "secret",
                username="SK0",
                transport=make_transport(server.url),
                sender=SENDER,
            )
        )

    assert server.requests[0].startswith(
        b"POST /2010-04-01/Accounts/AC0/Messages.json "
    )
    assert b"Authorization: Basic U0swOnNlY3JldA==" in server.requests[0]  # SK0:secret


def test_twilio_is_not_moved_by_the_environment(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "ACelse")

    assert send(make_twilio(make_transport(simulator.url), simulator))


@pytest.mark.parametrize(
    ("message", "reason", "vendor_code"),
    [
        ({"status": "failed", "error_code": 30450}, Reason.FRAUD, "30450"),
        ({"status": "undelivered", "error_code": 30005}, Reason.RECIPIENT, "30005"),
        ({"status": "queued", "error_code": "30007"}, Reason.CONTENT, "30007"),
        ({"status": "failed", "error_code": None}, Reason.TRANSIENT, "failed"),
        ({"status": "failed", "error_code": 39999}, Reason.TRANSIENT, "39999"),
        ({"status": "canceled"}, Reason.TRANSIENT, "canceled"),
    ],
)
def test_a_message_that_twilio_creates_dead_was_not_taken(
    simulator: Simulator, message: dict[str, Any], reason: Reason, vendor_code: str
) -> None:
    failure = failure_from(TWILIO, simulator, {"sid": "SM1", **message})

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
    failure = failure_from(TWILIO, simulator, problem, status="400 Bad Request")

    assert isinstance(failure, Refused)
    assert failure.vendor_code == "21211"
    assert_shows_nothing(failure)
