"""Infobip alone: its parameters, its noes under a 200, and its delivery reports."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    CONTENT,
    FRAUD,
    RECIPIENT,
    TRANSIENT_COUNTRY,
)
from services.sms.provider import Ambiguous, Dlt, Failure, Refused, Unavailable
from services.sms.providers import infobip
from services.sms.providers.infobip import InfobipReceipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.infobip import VENDOR, make, word_error
from tests.services.sms.contract.vendor import answering, failure_from, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.simulator import Simulator
from tests.simulator.infobip import Infobip
from tests.simulator.vendor import State

TOKEN = "secret-token"
URL = f"https://auth.example/api/webhooks/infobip/{TOKEN}"
PREFIX = "messages.0."


def params_of(simulator: Simulator) -> dict[str, str]:
    (message,) = simulator.messages()
    return {name.removeprefix(PREFIX): it for name, it in message.params.items()}


def read(document: object, *, token: str = TOKEN) -> list[Receipt]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    callback = Callback("POST", URL, "", {}, body, token)
    return list(InfobipReceipts(token=TOKEN).read(callback))


def read_report(
    group: int, status_id: int, error: dict[str, Any] | None = None
) -> Receipt:
    report: dict[str, Any] = {
        "messageId": "1",
        "to": "919876543210",
        "status": {"groupId": group, "id": status_id},
        "error": error,
        "something": {"new": []},
    }
    (receipt,) = read({"results": [report], "cursor": None})
    return receipt


def report_from_simulator(
    simulator: Simulator, state: State, code: int | None = None
) -> tuple[str, Receipt]:
    message_id = send(make(make_transport(simulator.url), receipts_url=URL))
    (message,) = simulator.messages()
    assert message.receipts_url == URL
    call = Infobip().receipt(message, state, code, URL)
    assert (call.method, call.url) == ("POST", URL)
    (receipt,) = read(call.body)
    return message_id, receipt


# Sending


def test_infobip_is_asked_for_no_more_than_the_code_lives(
    simulator: Simulator,
) -> None:
    send(make(make_transport(simulator.url)), ttl_seconds=120)

    assert params_of(simulator) == {
        "sender": "QuickCart",
        "destinations.0.to": "919876543210",
        "content.text": "123456 is your QuickCart code.",
        "options.validityPeriod.amount": "120",
        "options.validityPeriod.timeUnit": "SECONDS",
    }


def test_infobip_is_told_where_reports_go(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url), receipts_url=URL))

    params = params_of(simulator)
    assert params["webhooks.delivery.url"] == URL
    assert params["webhooks.delivery.intermediateReport"] == "True"
    assert params["webhooks.contentType"] == "application/json"


def test_infobip_gets_the_country_s_sender_and_the_dlt_ids(
    simulator: Simulator,
) -> None:
    message = replace(message_to(INDIAN), sender="+15005550006", dlt=Dlt("1101", "22"))

    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)

    params = params_of(simulator)
    assert params["sender"] == "15005550006"
    assert params["options.regional.indiaDlt.principalEntityId"] == "1101"
    assert params["options.regional.indiaDlt.contentTemplateId"] == "22"


@pytest.mark.parametrize("group", [2, 4, 5])
def test_a_rejection_that_nobody_knows_is_no_yes(
    simulator: Simulator, group: int
) -> None:
    message = {"messageId": "1", "status": {"groupId": group, "id": "new"}}
    failure = failure_from(VENDOR, {"messages": [message]})

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "unknown"


@pytest.mark.parametrize(
    "message",
    [
        {"messageId": "1"},
        {"messageId": "1", "status": {"groupId": [], "id": {}}},
        {"messageId": "1", "status": {"groupId": 77, "id": 26}},
        {"messageId": None, "status": {"groupId": 1, "id": 26}},
        None,
    ],
)
def test_a_message_without_id_or_status_may_have_left(
    simulator: Simulator, message: object
) -> None:
    assert isinstance(failure_from(VENDOR, {"messages": [message]}), Ambiguous)


@pytest.mark.parametrize(("group", "status_id"), [(0, 0), ("0", 1), (1, 26), (3, 5)])
def test_a_message_in_these_groups_was_taken(
    simulator: Simulator, group: object, status_id: int
) -> None:
    message = {"messageId": "1", "status": {"groupId": group, "id": status_id}}

    with answering(VENDOR, {"messages": [message]}) as provider:
        assert send(provider) == "1"


@pytest.mark.parametrize("body", [b"", word_error("FORBIDDEN")[1]])
def test_a_key_without_the_scope_is_an_account_error(
    simulator: Simulator, body: object
) -> None:
    failure = failure_from(VENDOR, body, status="403 Forbidden")

    assert Failure(failure.reason, failure.scope) == ACCOUNT


def test_a_fraud_block_under_200_stops(simulator: Simulator) -> None:
    status, body = word_error(87)

    failure = failure_from(VENDOR, body, status=status)

    assert isinstance(failure, Refused)
    assert (failure.reason, failure.scope) == (FRAUD.reason, FRAUD.scope)


def test_a_number_in_place_of_an_error_word_is_not_kept(simulator: Simulator) -> None:
    exception = {"messageId": "+919876543210"}
    body = {"requestError": {"serviceException": exception}}

    assert failure_from(VENDOR, body, status="400 No").vendor_code == "http_400"


# Delivery reports


@pytest.mark.parametrize(
    ("group", "status_id", "expected"),
    [
        (0, 0, "accepted"),
        (1, 26, "accepted"),
        (1, 7, "sent"),
        (1, 3, "sent"),
        (3, 2, "sent"),
        (3, 5, "delivered"),
        (4, 29, "unknown"),
    ],
)
def test_a_report_says_how_far_a_message_came(
    group: int, status_id: int, expected: str
) -> None:
    receipt = read_report(group, status_id, {"groupId": 0, "id": 0})

    assert (receipt.message_id, receipt.status) == ("1", expected)
    assert receipt.failure is None


@pytest.mark.parametrize("code", infobip._RECEIPTS)
def test_a_labelled_error_of_a_report_is_its_reason(code: int) -> None:
    receipt = read_report(2, 9, {"groupId": 3, "id": code, "permanent": True})

    assert receipt == Receipt("1", "undelivered", infobip._RECEIPTS[code], str(code))


@pytest.mark.parametrize(
    ("status_id", "error", "expected", "vendor_code"),
    [
        (9, {"groupId": 1, "id": 9999, "permanent": True}, RECIPIENT, "9999"),
        (9, {"groupId": 1, "id": 9999, "permanent": False}, ABSENT, "9999"),
        (9, {"groupId": 1, "id": 9999}, ABSENT, "9999"),
        (9, {"groupId": 3, "id": 9999, "permanent": True}, TRANSIENT_COUNTRY, "9999"),
        (25, {"groupId": 2, "id": 9999, "permanent": True}, CONTENT, "9999"),
        (87, {"groupId": 0, "id": 0, "permanent": False}, FRAUD, "87"),
        (87, None, FRAUD, "87"),
        (9999, None, TRANSIENT_COUNTRY, "9999"),
        (0, None, TRANSIENT_COUNTRY, "unknown"),
    ],
)
def test_an_error_that_nobody_knows_is_judged_by_its_group_and_by_its_status(
    status_id: int,
    error: dict[str, Any] | None,
    expected: Failure,
    vendor_code: str,
) -> None:
    receipt = read_report(5, status_id, error)

    assert receipt == Receipt("1", "undelivered", expected, vendor_code)


def test_several_reports_come_at_once() -> None:
    first = {"messageId": "1", "status": {"groupId": 3, "id": 5}}
    second = {"messageId": "2", "status": {"groupId": 1, "id": 7}}

    found = read({"results": [first, None, second]})

    assert found == [Receipt("1", "delivered"), Receipt("2", "sent")]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 9999,
        [],
        {},
        {"results": {}},
        {"results": [{}]},
        {"results": [{"messageId": 5, "status": {"groupId": 3}}]},
        {"results": [{"messageId": "1", "status": {"groupId": []}}]},
        {"results": [{"messageId": "1", "status": {"groupId": 77, "id": 5}}]},
        {"results": [{"messageId": "1", "status": "DELIVERED"}]},
    ],
)
def test_what_is_no_report_says_nothing(document: object) -> None:
    assert read(document) == []


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_a_report_without_the_secret_path_is_nobody_s(token: str) -> None:
    with pytest.raises(BadSignature):
        read({"results": []}, token=token)


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_simulator_s_reports_are_read(simulator: Simulator, state: State) -> None:
    message_id, receipt = report_from_simulator(simulator, state)

    assert receipt == Receipt(message_id, state, price=0.01, currency="EUR")


@pytest.mark.parametrize("code", [None, *Infobip.receipt_codes])
def test_every_error_of_the_simulator_s_reports_has_a_label(
    simulator: Simulator, code: int | None
) -> None:
    message_id, receipt = report_from_simulator(simulator, "undelivered", code)

    expected = infobip._RECEIPTS[code or 500]
    assert receipt == Receipt(
        message_id,
        "undelivered",
        expected,
        str(code or 500),
        price=0.01,
        currency="EUR",
    )


@pytest.mark.parametrize(
    "price",
    [
        None,
        {},
        {"pricePerMessage": 0.01},
        {"currency": "EUR"},
        {"pricePerMessage": -0.01, "currency": "EUR"},
        {"pricePerMessage": True, "currency": "EUR"},
        {"pricePerMessage": 0.01, "currency": "euros"},
        {"pricePerMessage": 0.01, "currency": 978},
        "0.01 EUR",
    ],
    ids=str,
)
def test_a_report_without_a_whole_price_has_none(price: object) -> None:
    report = {"messageId": "1", "status": {"groupId": 3, "id": 5}, "price": price}

    (receipt,) = read({"results": [report]})

    assert receipt == Receipt("1", "delivered")


def test_each_report_has_its_own_price() -> None:
    reports = [
        {
            "messageId": name,
            "status": {"groupId": 3, "id": 5},
            "price": {"pricePerMessage": amount, "currency": currency},
        }
        for name, amount, currency in (("1", 0.01, "EUR"), ("2", "0.02", "usd"))
    ]

    assert read({"results": reports}) == [
        Receipt("1", "delivered", price=0.01, currency="EUR"),
        Receipt("2", "delivered", price=0.02, currency="USD"),
    ]
