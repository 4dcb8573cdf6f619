"""Fast2SMS alone: its routes, its one country and its ways to say no."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from services.sms.failures import TRANSIENT_COUNTRY
from services.sms.provider import Reason, Refused, Scope, Unavailable
from services.sms.providers.fast2sms import Fast2SmsProvider, Fast2SmsReceipts
from services.sms.receipts import Callback, Receipt
from tests.services.sms.callbacks import assert_refused, callback_of
from tests.services.sms.contract.fast2sms import VENDOR, make
from tests.services.sms.contract.vendor import (
    NOWHERE,
    answering,
    failure_from,
    failure_of,
    send,
)
from tests.services.sms.fakes import GERMAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.simulator import Simulator
from tests.simulator.fast2sms import Fast2Sms
from tests.simulator.inbox import Code
from tests.simulator.vendor import State

TOKEN = "pathsecret"
URL = f"https://auth.example/api/webhooks/fast2sms/{TOKEN}"


def test_fast2sms_gets_the_ten_national_digits_and_its_own_wording(
    simulator: Simulator,
) -> None:
    send(make(make_transport(simulator.url)))

    (message,) = simulator.messages()
    assert message.params == {
        "route": "otp",
        "numbers": "9876543210",
        "flash": "0",
        "variables_values": "123456",
    }


def test_fast2sms_fills_the_registered_template(simulator: Simulator) -> None:
    send(
        Fast2SmsProvider(
            simulator.fast2sms_key,
            transport=make_transport(simulator.url),
            route="dlt",
            sender_id="QKCART",
            message_id="111111",
        ),
        ttl_seconds=299,
    )

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.params["sender_id"] == "QKCART"
    assert message.params["message"] == "111111"
    assert message.params["variables_values"] == "123456|4"


def test_fast2sms_registered_template_goes_out_under_another_header(
    simulator: Simulator,
) -> None:
    provider = Fast2SmsProvider(
        simulator.fast2sms_key,
        transport=make_transport(simulator.url),
        route="dlt",
        sender_id="QKCART",
        message_id="111111",
    )
    message = replace(message_to(), sender="OTHERS")
    provider.send(message, CLOCK.monotonic() + 5.0)

    (arrived,) = simulator.messages()
    assert arrived.outcome == "accepted"
    assert arrived.params["sender_id"] == "OTHERS"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("123456 is your QuickCart code.", "english"),
        ("123456 है", "unicode"),
        ("123456 é", "unicode"),
        ("123456 `", "unicode"),
    ],
)
def test_fast2sms_sends_our_own_text_on_the_quick_route(
    simulator: Simulator, text: str, language: str
) -> None:
    provider = Fast2SmsProvider(
        simulator.fast2sms_key, transport=make_transport(simulator.url), route="q"
    )
    provider.send(replace(message_to(), text=text), CLOCK.monotonic() + 5.0)

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.text == text
    assert message.params["language"] == language


@pytest.mark.parametrize("answer", [{}, {"request_id": ""}, {"request_id": None}])
def test_a_yes_without_an_id_is_known_by_ours(
    simulator: Simulator, answer: dict[str, object]
) -> None:
    with answering(VENDOR, {"return": True, **answer}) as provider:
        assert send(provider) == message_to().reference


def test_fast2sms_route_dlt_needs_its_registration() -> None:
    with pytest.raises(ValueError, match="dlt"):
        Fast2SmsProvider("key", transport=make_transport(NOWHERE), route="dlt")


def test_fast2sms_refuses_other_countries_without_asking(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))

    assert isinstance(failure_of(provider, GERMAN), Refused)
    assert simulator.messages() == []


@pytest.mark.parametrize("code", [411, "411"], ids=["number", "text"])
def test_fast2sms_says_no_under_200_too(simulator: Simulator, code: object) -> None:
    body = {"return": False, "status_code": code, "message": "Invalid Numbers"}
    failure = failure_from(VENDOR, body)

    assert isinstance(failure, Refused)


def test_fast2sms_saying_no_without_a_reason_is_no_yes(simulator: Simulator) -> None:
    failure = failure_from(VENDOR, {"return": False})

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.TRANSIENT, Scope.UNKNOWN)


def test_a_server_error_at_fast2sms_is_not_its_dlt_error_500(
    simulator: Simulator,
) -> None:
    body = {"return": False, "status_code": 500, "message": "Server Error"}
    failure = failure_from(VENDOR, body, status="500 Oops")

    assert failure.reason is Reason.TRANSIENT


# Receipts


def read(body: bytes) -> list[Receipt]:
    return [*Fast2SmsReceipts(TOKEN).read(Callback("POST", URL, "", {}, body, TOKEN))]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Pending", "accepted"),
        ("SENT", "sent"),
        (" delivered ", "delivered"),
        ("Delivered to somebody", "unknown"),
        ("", "unknown"),
    ],
)
def test_fast2sms_says_how_far_a_message_came(word: str, status: str) -> None:
    fields = {"request_id": "abc", "mobile": "9876543210", "status": word, "new": "1"}

    for body in (json.dumps(fields), urlencode(fields)):
        assert read(body.encode()) == [Receipt("abc", status)]  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["failed", "rejected", "undelivered"])
def test_fast2sms_does_not_say_why_a_message_did_not_arrive(word: str) -> None:
    body = urlencode({"request_id": "abc", "status": word.upper()}).encode()

    assert read(body) == [Receipt("abc", "undelivered", TRANSIENT_COUNTRY, word)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"status": "delivered"}',
        b'{"request_id": 5, "status": "delivered"}',
        b'{"request_id": "", "status": "delivered"}',
        b"status=delivered",
        b"\xff\xfe%ff&&=",
    ],
)
def test_what_names_no_message_is_no_receipt(body: bytes) -> None:
    assert read(body) == []


def test_a_status_that_is_no_text_is_unknown() -> None:
    assert read(b'{"request_id": "abc", "status": []}') == [Receipt("abc", "unknown")]


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN}x"])
def test_a_receipt_without_the_secret_path_is_refused(token: str) -> None:
    callback = Callback("POST", URL, "", {}, b"request_id=abc&status=sent", token)

    assert_refused(Fast2SmsReceipts(TOKEN), callback)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("sent", None),
        ("delivered", None),
        ("undelivered", None),
        *(("undelivered", code) for code in Fast2Sms.receipt_codes),
    ],
)
def test_a_receipt_of_the_simulator_is_read(
    simulator: Simulator, state: State, code: Code | None
) -> None:
    message_id = send(make(make_transport(simulator.url)))
    (message,) = simulator.messages()
    call = Fast2Sms(simulator.fast2sms_key).receipt(message, state, code, URL)

    (receipt,) = Fast2SmsReceipts(TOKEN).read(callback_of(call, token=TOKEN))

    assert (receipt.message_id, receipt.status) == (message_id, state)
