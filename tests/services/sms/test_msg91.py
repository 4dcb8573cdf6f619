"""MSG91 alone: its two APIs, its noes under a 200, and its delivery reports."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from services.sms.failures import TRANSIENT_NUMBER
from services.sms.provider import Ambiguous, Reason, Refused, Scope, Unavailable
from services.sms.providers import msg91
from services.sms.providers.msg91 import Api, Msg91Receipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.msg91 import VENDOR, make
from tests.services.sms.contract.vendor import (
    assert_shows_nothing,
    failure_from,
    failure_of,
    send,
)
from tests.services.sms.fakes import message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import http, serving
from tests.simulator import Simulator
from tests.simulator.msg91 import DEFAULT_TEMPLATE_ID, Msg91

TOKEN = "secret-token"
URL = f"https://auth.example/api/webhooks/msg91/{TOKEN}"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def read(body: bytes, *, kind: str = FORM, token: str = TOKEN) -> list[Receipt]:
    callback = Callback("POST", URL, "", {"content-type": kind}, body, token)
    return list(Msg91Receipts(token=TOKEN).read(callback))


def read_v2(data: object) -> list[Receipt]:
    return read(urlencode({"data": json.dumps(data), "something": "new"}).encode())


def read_v3(document: object) -> list[Receipt]:
    return read(json.dumps(document).encode(), kind=JSON)


# Sending


def test_an_otp_template_gets_our_code_and_its_minutes(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    for ttl_seconds in (299, 1):
        send(provider, ttl_seconds=ttl_seconds)

    first, second = [message.params for message in simulator.messages()]
    assert first == {
        "template_id": DEFAULT_TEMPLATE_ID,
        "mobile": "919876543210",
        "otp": "123456",
        "otp_expiry": "4",
        "realTimeResponse": "1",
    }
    assert second["otp_expiry"] == "1"


def test_a_flow_gets_the_code_and_its_minutes_as_variables() -> None:
    with serving(http(b'{"type": "success", "message": "1"}')) as server:
        message_id = send(make(make_transport(server.url), api="flow"), ttl_seconds=299)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert message_id == "1"
    assert head.startswith(b"POST /api/v5/flow ")
    assert json.loads(body) == {
        "template_id": DEFAULT_TEMPLATE_ID,
        "short_url": "0",
        "recipients": [{"mobiles": "919876543210", "var1": "123456", "var2": "4"}],
    }


@pytest.mark.parametrize("api", ["otp", "flow"])
def test_both_apis_are_understood_by_the_simulator(
    simulator: Simulator, api: Api
) -> None:
    message_id = send(make(make_transport(simulator.url), api=api))

    (message,) = simulator.messages(to="+919876543210")
    assert (message.id, message.outcome) == (message_id, "accepted")
    assert message.text == "123456 5"
    assert "sender" not in message.params


@pytest.mark.parametrize("api", ["otp", "flow"])
def test_the_country_s_sender_wins_over_the_template_s(
    simulator: Simulator, api: Api
) -> None:
    message = replace(message_to(), sender="QCKART")

    make(make_transport(simulator.url), api=api).send(message, CLOCK.monotonic() + 5.0)

    assert simulator.messages()[0].params["sender"] == "QCKART"


def test_a_flow_s_errors_are_read_too(simulator: Simulator) -> None:
    simulator.add_rule("error", provider="msg91", code=202)

    failure = failure_of(make(make_transport(simulator.url), api="flow"))

    assert isinstance(failure, Refused)
    assert failure.vendor_code == "202"


@pytest.mark.parametrize(
    ("words", "reason", "code"),
    [
        ("Invalid authkey", Reason.ACCOUNT, "207"),
        ("Invalid authkey.", Reason.ACCOUNT, "207"),
        ("Auth Key missing", Reason.ACCOUNT, "106"),
        ("Mobile number empty or not numeric", Reason.RECIPIENT, "202"),
        ("301", Reason.ACCOUNT, "301"),
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "401 No"])
def test_an_error_in_words_alone_has_its_label(
    simulator: Simulator, status: str, words: str, reason: Reason, code: str
) -> None:
    failure = failure_from(VENDOR, {"type": "error", "message": words}, status=status)

    assert (failure.reason, failure.vendor_code) == (reason, code)


@pytest.mark.parametrize("words", ["No", "919876543210", "123456", "", None, ["202"]])
def test_a_no_without_a_reason_fails_over_and_shows_nothing(
    simulator: Simulator, words: object
) -> None:
    failure = failure_from(VENDOR, {"type": "error", "message": words})

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.TRANSIENT, Scope.UNKNOWN)
    assert failure.vendor_code == "unknown"
    assert_shows_nothing(failure)


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "success"},
        {"type": "success", "request_id": 5},
        {"type": "success", "request_id": ""},
        {"type": "maybe", "request_id": "1"},
        {"request_id": "1"},
    ],
)
def test_a_yes_without_an_id_may_be_one(
    simulator: Simulator, answer: dict[str, Any]
) -> None:
    assert isinstance(failure_from(VENDOR, answer), Ambiguous)


def test_a_server_error_at_msg91_is_no_error_of_its_table(simulator: Simulator) -> None:
    body = {"type": "error", "message": "x", "code": "202"}
    failure = failure_from(VENDOR, body, status="500 Oops")

    assert failure.reason is Reason.TRANSIENT
    assert failure.vendor_code == "http_500"


# Delivery reports


@pytest.mark.parametrize("status", ["1", 1], ids=["text", "number"])
def test_a_report_says_that_a_message_arrived(status: object) -> None:
    report = {"status": status, "desc": "DELIVERED", "number": "919876543210"}

    expected = [Receipt("36", "delivered")]
    assert read_v2([{"requestId": "36", "report": [report]}]) == expected
    assert read_v3({"requestId": "36", **report, "new": [1]}) == expected


@pytest.mark.parametrize("code", msg91._RECEIPTS)
def test_a_labelled_status_of_a_report_is_its_reason(code: int) -> None:
    expected = [Receipt("36", "undelivered", msg91._RECEIPTS[code], str(code))]

    for status in (str(code), code):
        report = {"status": status, "failedReason": "919876543210"}
        assert read_v2([{"requestId": "36", "report": [report]}]) == expected
        assert read_v3({"requestId": "36", **report}) == expected


def test_several_reports_come_at_once() -> None:
    first = {"requestId": "1", "report": [{"status": "1"}, None, {"status": "77"}]}
    second = {"requestId": "2", "report": [{"status": "17"}]}

    assert read_v2([first, None, second]) == [
        Receipt("1", "delivered"),
        Receipt("2", "undelivered", TRANSIENT_NUMBER, "17"),
    ]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [{}],
        [{"requestId": "36"}],
        [{"requestId": 36, "report": [{"status": "1"}]}],
        [{"requestId": "36", "report": [{"status": True}]}],
        [{"requestId": "36", "report": [{"status": 77}]}],
        [{"requestId": "36", "report": [{"status": "77"}]}],
        [{"report": [{"status": "1"}]}],
    ],
)
def test_what_is_no_report_says_nothing(data: object) -> None:
    assert read_v2(data) == []


@pytest.mark.parametrize("body", [b"", b"data=", b"data=%ff", b"\xff", b"[" * 9999])
@pytest.mark.parametrize("kind", [FORM, JSON, "application/json; charset=utf-8"])
def test_a_body_that_cannot_be_read_says_nothing(body: bytes, kind: str) -> None:
    assert read(body, kind=kind) == []


def test_version_4_names_no_request_and_says_nothing() -> None:
    data = [{"meta": "0", "description": "DELIVERED", "ts": 1726729500}]

    assert read_v3([{"data": data, "event": "delivered"}]) == []


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_a_report_without_the_secret_path_is_nobody_s(token: str) -> None:
    with pytest.raises(BadSignature):
        read(b"data=[]", token=token)


@pytest.mark.parametrize("code", [None, *Msg91.receipt_codes])
def test_every_status_of_the_simulator_s_reports_has_a_label(
    simulator: Simulator, code: int | None
) -> None:
    message_id = send(make(make_transport(simulator.url)))
    (message,) = simulator.messages()

    call = Msg91().receipt(message, "undelivered", code, URL)

    assert call is not None
    assert (call.method, call.url) == ("POST", URL)
    expected = msg91._RECEIPTS[code or 2]
    assert read(call.body, kind=dict(call.headers)["Content-Type"]) == [
        Receipt(message_id, "undelivered", expected, str(code or 2))
    ]


def test_the_simulator_reports_only_the_end(simulator: Simulator) -> None:
    message_id = send(make(make_transport(simulator.url)))
    (message,) = simulator.messages()

    delivered = Msg91().receipt(message, "delivered", None, URL)

    assert delivered is not None
    assert read(delivered.body) == [Receipt(message_id, "delivered")]
    assert Msg91().receipt(message, "sent", None, URL) is None
