"""MessageBird alone: its parameters, its status reports and its conversions."""

import json
import socket
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest

from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    CONTENT,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT_COUNTRY,
)
from services.sms.provider import Failure, ProviderFailure, ReportsConversion
from services.sms.providers import messagebird
from services.sms.providers.messagebird import MessageBirdReceipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.messagebird import VENDOR, make
from tests.services.sms.contract.vendor import failure_from, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.simulator import Simulator
from tests.simulator.messagebird import MessageBird
from tests.simulator.vendor import State

TOKEN = "secret-token"
URL = f"https://auth.example/api/webhooks/messagebird/{TOKEN}"


def read_query(query: str, *, token: str = TOKEN) -> list[Receipt]:
    callback = Callback("GET", f"{URL}?{query}", query, {}, b"", token)
    return list(MessageBirdReceipts(token=TOKEN).read(callback))


def read(**fields: str) -> list[Receipt]:
    return read_query(urlencode({"id": "1", "recipient": "919876543210"} | fields))


def receipt_from_simulator(
    simulator: Simulator, state: State, code: int | None = None
) -> tuple[str, Receipt]:
    message_id = send(make(make_transport(simulator.url), receipts_url=URL))
    (message,) = simulator.messages()
    assert message.receipts_url == URL
    call = MessageBird().receipt(message, state, code, URL)
    assert (call.method, call.body) == ("GET", b"")
    (receipt,) = read_query(urlsplit(call.url).query)
    return message_id, receipt


# Sending


def test_messagebird_is_asked_for_no_more_than_the_code_lives(
    simulator: Simulator,
) -> None:
    send(make(make_transport(simulator.url)), ttl_seconds=120)

    (message,) = simulator.messages()
    assert message.params == {
        "originator": "QuickCart",
        "recipients": "919876543210",
        "body": "123456 is your QuickCart code.",
        "datacoding": "auto",
        "validity": "120",
    }


@pytest.mark.parametrize(
    ("reference", "sent"), [("MDEyMzQ1Njc4OWFi", "MDEyMzQ1Njc4OWFi"), ("", "-")]
)
def test_messagebird_gets_a_reference_with_the_address_for_reports(
    simulator: Simulator, reference: str, sent: str
) -> None:
    provider = make(make_transport(simulator.url), receipts_url=URL)
    message = replace(message_to(INDIAN), reference=reference, sender="+15005550006")

    provider.send(message, CLOCK.monotonic() + 5.0)

    (arrived,) = simulator.messages()
    assert arrived.params["reportUrl"] == URL
    assert arrived.params["reference"] == sent
    assert arrived.params["originator"] == "15005550006"
    assert arrived.receipts_url == URL


@pytest.mark.parametrize("code", [9, 10])
@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ("recipients", RECIPIENT),
        ("recipient", RECIPIENT),
        ("originator", ACCOUNT_COUNTRY),
        ("reportUrl", ACCOUNT),
        ("body", CONTENT),
        (None, CONTENT),
        ([], CONTENT),
    ],
)
def test_a_wrong_parameter_says_whose_fault_it_is(
    simulator: Simulator, code: int, parameter: object, expected: Failure
) -> None:
    error = {"code": code, "parameter": parameter, "description": "+919876543210"}
    failure = failure_from(VENDOR, {"errors": [error]}, status="422 No")

    assert Failure(failure.reason, failure.scope) == expected
    assert failure.vendor_code == str(code)


@pytest.mark.parametrize(
    ("recipient", "expected", "vendor_code"),
    [
        ({"status": "delivery_failed", "statusErrorCode": 1}, RECIPIENT, "1"),
        ({"status": "delivery_failed"}, TRANSIENT_COUNTRY, "delivery_failed"),
        ({"status": "expired", "statusErrorCode": 9999}, TRANSIENT_COUNTRY, "9999"),
    ],
)
def test_a_text_that_messagebird_creates_dead_was_not_taken(
    simulator: Simulator,
    recipient: dict[str, object],
    expected: Failure,
    vendor_code: str,
) -> None:
    answer = {"id": "1", "recipients": {"items": [recipient]}}
    failure = failure_from(VENDOR, answer, status="201 Created")

    assert Failure(failure.reason, failure.scope) == expected
    assert failure.vendor_code == vendor_code


# Status reports


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("scheduled", "accepted"),
        ("buffered", "sent"),
        ("sent", "sent"),
        ("delivered", "delivered"),
    ],
)
def test_a_report_says_how_far_a_message_came(status: str, expected: str) -> None:
    (receipt,) = read(status=status, something="new")

    assert (receipt.message_id, receipt.status) == ("1", expected)
    assert receipt.failure is None


@pytest.mark.parametrize("status", ["delivery_failed", "expired"])
@pytest.mark.parametrize("code", messagebird._RECEIPTS)
def test_a_labelled_error_of_a_report_is_its_reason(code: int, status: str) -> None:
    expected = Receipt("1", "undelivered", messagebird._RECEIPTS[code], str(code))

    assert read(status=status, statusErrorCode=str(code)) == [expected]


@pytest.mark.parametrize(
    ("fields", "expected", "vendor_code"),
    [
        ({"statusReason": "opted out"}, OPTED_OUT, "delivery_failed"),
        ({"statusReason": "unknown_subscriber"}, RECIPIENT, "delivery_failed"),
        (
            {"statusReason": "unavailable subscriber", "statusErrorCode": "9999"},
            ABSENT,
            "9999",
        ),
        (
            {"statusReason": "something new", "statusErrorCode": "?"},
            TRANSIENT_COUNTRY,
            "delivery_failed",
        ),
        ({}, TRANSIENT_COUNTRY, "delivery_failed"),
    ],
)
def test_an_error_that_nobody_knows_is_judged_by_its_reason(
    fields: dict[str, str], expected: Failure, vendor_code: str
) -> None:
    receipt = Receipt("1", "undelivered", expected, vendor_code)

    assert read(status="delivery_failed", **fields) == [receipt]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&&==",
        "%ff%fe=%",
        "status=delivered",
        "id=1",
        "id=&status=delivered",
        "id=1&status=new",
    ],
)
def test_what_is_no_report_says_nothing(query: str) -> None:
    assert read_query(query) == []


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_a_report_without_the_secret_path_is_nobody_s(token: str) -> None:
    with pytest.raises(BadSignature):
        read_query("id=1&status=delivered", token=token)


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_simulator_s_reports_are_read(simulator: Simulator, state: State) -> None:
    message_id, receipt = receipt_from_simulator(simulator, state)

    assert receipt == Receipt(message_id, state, price=0.0375, currency="EUR")


@pytest.mark.parametrize("code", [None, *MessageBird.receipt_codes])
def test_every_error_of_the_simulator_s_reports_has_a_label(
    simulator: Simulator, code: int | None
) -> None:
    message_id, receipt = receipt_from_simulator(simulator, "undelivered", code)

    expected = messagebird._RECEIPTS[code or 34]
    assert receipt == Receipt(
        message_id,
        "undelivered",
        expected,
        str(code or 34),
        price=0.0375,
        currency="EUR",
    )


# Conversions


@pytest.mark.parametrize("converted", [True, False])
def test_messagebird_is_told_whether_the_code_came_back(*, converted: bool) -> None:
    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(b"{}", status="201 Created"))

    with RawServer(script) as server:
        provider = make(make_transport(server.url, wait_seconds=5.0))
        provider.report_conversion(
            "1", converted=converted, deadline=CLOCK.monotonic() + 5.0
        )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /conversions ")
    assert json.loads(body) == {"service": "sms", "id": "1", "success": converted}


def test_the_simulator_takes_the_report_of_a_message_that_it_sent(
    simulator: Simulator,
) -> None:
    provider = make(make_transport(simulator.url))
    deadline = CLOCK.monotonic() + 5.0

    assert isinstance(provider, ReportsConversion)
    provider.report_conversion(send(provider), converted=True, deadline=deadline)
    with pytest.raises(ProviderFailure, match=r"\(20\)"):
        provider.report_conversion("other", converted=True, deadline=deadline)


def test_a_price_needs_its_currency() -> None:
    (receipt,) = read_query("id=1&status=sent&price%5Bamount%5D=0.0375")

    assert receipt == Receipt("1", "sent")
