"""Receipts: whom they reach, when, and what rules make of them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
import requests
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from tests.simulator import ReceiptRefused, RuleRefused, Simulator, Timing
from tests.simulator.rules import Action
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS, TwilioClient
from tests.simulator_tests.postcard import (
    UNREACHABLE_CODE,
    Callee,
    Postcard,
    send_postcard,
)

NOWHERE = "http://127.0.0.1:1/hook"
QUICK = Timing(sent_seconds=0.01, delivered_seconds=0.02)
ARRIVAL = [("sent", None), ("delivered", None)]


@pytest.fixture
def callee() -> Iterator[Callee]:
    with Callee() as listening:
        yield listening


@pytest.fixture
def simulator(callee: Callee) -> Iterator[Simulator]:
    with Simulator(
        more_vendors=[Postcard()], receipt_urls={"postcard": callee.url}, timing=QUICK
    ) as running:
        yield running


def receipts_of(simulator: Simulator, callee: Callee, **params: str) -> list[object]:
    """Send a postcard, and return what is heard of it."""
    send_postcard(simulator, **params)
    simulator.wait_for_receipts()
    return [*callee.said]


# Whom they reach, and when


def test_a_text_is_sent_and_then_delivered(
    simulator: Simulator, callee: Callee
) -> None:
    assert receipts_of(simulator, callee) == ARRIVAL

    first = callee.heard[0]
    assert (first.method, first.target) == ("POST", "/hook?of=postcard")
    assert first.headers["x-signature"] == "signed"
    assert json.loads(first.body)["id"] == "P1"


def test_what_came_back_is_kept(simulator: Simulator, callee: Callee) -> None:
    callee.statuses = [204, 403]
    receipts_of(simulator, callee)

    sent, delivered = simulator.receipts(message_id="P1", provider="postcard")
    assert (sent.state, sent.http_status, sent.attempts) == ("sent", 204, 1)
    assert (delivered.http_status, delivered.attempts) == (403, 1)
    assert delivered.url == callee.url
    assert simulator.receipts(message_id="P2") == []
    assert simulator.receipts(provider="twilio") == []


def test_without_an_address_there_are_none(
    simulator: Simulator, callee: Callee
) -> None:
    simulator.set_receipt_url("postcard", None)

    assert receipts_of(simulator, callee) == []


def test_an_address_in_the_send_wins(simulator: Simulator, callee: Callee) -> None:
    simulator.set_receipt_url("postcard", NOWHERE)

    assert receipts_of(simulator, callee, callback=callee.url) == ARRIVAL


def test_each_vendor_has_its_own_address(simulator: Simulator, callee: Callee) -> None:
    TwilioClient(simulator).send()
    simulator.wait_for_receipts()

    assert callee.heard == []


@pytest.mark.parametrize(
    ("provider", "url"),
    [("nexmo", NOWHERE), ("postcard", "https://127.0.0.1/"), ("postcard", "here")],
)
def test_an_address_that_cannot_be_is_refused(
    simulator: Simulator, provider: str, url: str
) -> None:
    with pytest.raises(ValueError, match=r"provider|http"):
        simulator.set_receipt_url(provider, url)
    with pytest.raises(ValueError, match=r"provider|http"):
        Simulator(more_vendors=[Postcard()], receipt_urls={provider: url})


def test_a_text_that_was_refused_has_none(simulator: Simulator, callee: Callee) -> None:
    assert receipts_of(simulator, callee, text="") == []


def test_a_text_whose_answer_was_lost_has_them(
    simulator: Simulator, callee: Callee
) -> None:
    simulator.add_rule("drop_after_accepting")
    with pytest.raises(requests.ConnectionError):
        send_postcard(simulator)
    simulator.wait_for_receipts()

    assert callee.said == ARRIVAL


def test_they_come_after_the_answer(callee: Callee) -> None:
    with Simulator(
        more_vendors=[Postcard()],
        receipt_urls={"postcard": callee.url},
        timing=Timing(sent_seconds=0.05, delivered_seconds=0.15),
        latency_seconds=0.1,
    ) as simulator:
        receipts_of(simulator, callee)
        (message,) = simulator.messages()
        sent, delivered = simulator.receipts()

    assert sent.sent_at - message.received_at >= 0.14
    assert delivered.sent_at - message.received_at >= 0.24


def test_a_vendor_may_have_none_for_a_state(
    simulator: Simulator, callee: Callee
) -> None:
    assert receipts_of(simulator, callee, silent="yes") == [("delivered", None)]


def test_twilio_s_own_are_asked_for_per_send_and_signed(
    simulator: Simulator, callee: Callee
) -> None:
    sid = TwilioClient(simulator).send(StatusCallback=callee.url).json()["sid"]
    simulator.wait_for_receipts()
    secret = simulator.auth_token

    forms = [dict(parse_qsl(it.body.decode())) for it in callee.heard]
    assert [it["MessageStatus"] for it in forms] == ["sent", "delivered"]
    assert {it["MessageSid"] for it in forms} == {sid}
    assert all(
        RequestValidator(secret).validate(
            callee.url, form, it.headers["x-twilio-signature"]
        )
        for it, form in zip(callee.heard, forms, strict=True)
    )


def test_a_server_that_fails_is_called_once_more(
    simulator: Simulator, callee: Callee
) -> None:
    callee.statuses = [500, 204, 503, 502]
    receipts_of(simulator, callee)

    assert [(it.http_status, it.attempts) for it in simulator.receipts()] == [
        (204, 2),
        (502, 2),
    ]
    assert callee.said == [it for it in ARRIVAL for _ in range(2)]


@pytest.mark.parametrize(
    ("url", "error"),
    [(NOWHERE, "Connect"), ("https://127.0.0.1/", "http"), ("/hook", "http")],
)
def test_a_call_without_an_answer_is_kept(
    simulator: Simulator, callee: Callee, url: str, error: str
) -> None:
    receipts_of(simulator, callee, callback=url)

    for receipt in simulator.receipts():
        assert (receipt.http_status, receipt.attempts) == (None, 2)
        assert error in (receipt.error or "")
    assert len(simulator.receipts()) == 2


def test_waiting_for_them_gives_up(simulator: Simulator) -> None:
    simulator.add_rule("receipt_late", seconds=60)
    send_postcard(simulator)

    with pytest.raises(TimeoutError):
        simulator.wait_for_receipts(timeout_seconds=0.05)


def test_clear_forgets_those_sent_and_those_to_come(
    simulator: Simulator, callee: Callee
) -> None:
    receipts_of(simulator, callee)
    simulator.add_rule("receipt_late", seconds=60)
    send_postcard(simulator)

    simulator.clear()
    simulator.wait_for_receipts()

    assert simulator.receipts() == []
    assert callee.said == ARRIVAL


def test_they_go_on_after_a_restart(simulator: Simulator, callee: Callee) -> None:
    simulator.add_rule("receipt_late", seconds=60, times=1)
    send_postcard(simulator)
    simulator.close()
    simulator.start()

    assert receipts_of(simulator, callee) == ARRIVAL


def test_clear_brings_the_first_addresses_back(
    simulator: Simulator, callee: Callee
) -> None:
    simulator.set_receipt_url("postcard", NOWHERE)
    simulator.clear()

    assert receipts_of(simulator, callee) == ARRIVAL


# Rules


def test_late_ones_come_later(simulator: Simulator, callee: Callee) -> None:
    simulator.add_rule("receipt_late", seconds=0.2)

    assert receipts_of(simulator, callee) == ARRIVAL
    (message,) = simulator.messages()
    assert simulator.receipts()[0].sent_at - message.received_at >= 0.2


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("receipt_doubled", [it for it in ARRIVAL for _ in range(2)]),
        ("receipt_out_of_order", ARRIVAL[::-1]),
        ("receipt_missing", []),
    ],
)
def test_receipts_go_wrong_though_the_text_arrives(
    simulator: Simulator,
    callee: Callee,
    action: Action,
    said: list[tuple[str, str | None]],
) -> None:
    rule = simulator.add_rule(action)

    assert receipts_of(simulator, callee) == said
    (message,) = simulator.messages()
    assert (message.reached_phone, message.rule) == (True, rule)


@pytest.mark.parametrize("code", [None, UNREACHABLE_CODE])
def test_undelivered_keeps_the_text_from_the_phone_and_says_so(
    simulator: Simulator, callee: Callee, code: str | None
) -> None:
    simulator.add_rule("undelivered", provider="postcard", code=code)

    assert receipts_of(simulator, callee) == [("sent", None), ("undelivered", code)]
    (message,) = simulator.messages()
    assert (message.outcome, message.reached_phone) == ("accepted", False)


def test_an_outage_keeps_the_text_from_the_phone_and_says_nothing(
    simulator: Simulator, callee: Callee
) -> None:
    simulator.add_rule("outage", to_prefix="+91")

    assert receipts_of(simulator, callee) == []
    (message,) = simulator.messages()
    assert (message.outcome, message.reached_phone) == ("accepted", False)
    assert message.http_status == 200


def test_a_text_that_was_not_accepted_reaches_no_phone(simulator: Simulator) -> None:
    send_postcard(simulator, text="")

    (message,) = simulator.messages()
    assert not message.reached_phone


def arrivals(seed: int, rate: float) -> list[bool]:
    """Tell which of 40 texts to India reach the phone; all of those elsewhere do."""
    with Simulator(more_vendors=[Postcard()], seed=seed) as simulator:
        simulator.add_rule("outage", to_prefix="+91", delivery_rate=rate)
        numbers = ",".join([PHONE] * 40 + ["+15005550006"])
        send_postcard(simulator, to=numbers)
        assert [m.reached_phone for m in simulator.messages(to="+15005550006")] == [
            True
        ]
        return [m.reached_phone for m in simulator.messages(to=PHONE)]


def test_a_delivery_rate_lets_its_share_pass() -> None:
    assert sum(arrivals(1, 0.0)) == 0
    assert sum(arrivals(1, 1.0)) == 40
    assert 20 < sum(arrivals(1, 0.75)) < 40


def test_a_delivery_rate_draws_by_the_seed() -> None:
    assert arrivals(1, 0.5) == arrivals(1, 0.5)
    assert arrivals(1, 0.5) != arrivals(2, 0.5)


def test_a_send_meets_one_rule_of_each_kind(
    simulator: Simulator, callee: Callee
) -> None:
    simulator.add_rule("wait", seconds=0.05)
    simulator.add_rule("receipt_missing", times=1)
    simulator.add_rule("undelivered")

    assert receipts_of(simulator, callee) == []
    assert send_postcard(simulator, id="P2").elapsed.total_seconds() >= 0.05
    simulator.wait_for_receipts()
    assert callee.said == [("sent", None), ("undelivered", None)]


@pytest.mark.parametrize(
    ("action", "fields", "field"),
    [
        ("receipt_late", {}, "seconds"),
        ("undelivered", {"code": UNREACHABLE_CODE}, "provider"),
        ("undelivered", {"provider": "postcard", "code": 1}, "code"),
        ("undelivered", {"provider": "fast2sms", "code": 1}, "code"),
        ("error", {"provider": "postcard", "code": UNREACHABLE_CODE}, "code"),
        ("outage", {"code": 1}, "code"),
        ("outage", {"delivery_rate": 1.1}, "delivery_rate"),
        ("outage", {"delivery_rate": True}, "delivery_rate"),
        ("receipt_missing", {"delivery_rate": 0.5}, "delivery_rate"),
    ],
)
def test_a_delivery_rule_that_means_nothing_is_refused(
    simulator: Simulator, action: Action, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(RuleRefused) as refused:
        simulator.add_rule(action, **fields)  # type: ignore[arg-type]

    assert refused.value.field == field


# By hand


@pytest.fixture
def quiet(simulator: Simulator) -> Simulator:
    """Have a postcard taken of which nothing is heard."""
    simulator.add_rule("receipt_missing")
    send_postcard(simulator)
    return simulator


def test_a_receipt_is_sent_by_hand(quiet: Simulator, callee: Callee) -> None:
    callee.statuses = [404, 204]

    once = quiet.send_receipt("P1", "undelivered", code=UNREACHABLE_CODE)
    twice = quiet.send_receipt("P1", "delivered", doubled=True)

    assert [it.http_status for it in once] == [404]
    assert [it.http_status for it in twice] == [204, 204]
    assert callee.said[1:] == [("delivered", None), ("delivered", None)]
    assert callee.said[0] == ("undelivered", UNREACHABLE_CODE)


def test_a_receipt_that_cannot_be_is_refused(quiet: Simulator) -> None:
    with pytest.raises(ReceiptRefused, match="no such message"):
        quiet.send_receipt("P2", "delivered")
    with pytest.raises(ReceiptRefused, match="code"):
        quiet.send_receipt("P1", "undelivered", code="unheard of")
    with pytest.raises(ReceiptRefused, match="code"):
        quiet.send_receipt("P1", "delivered", code=UNREACHABLE_CODE)
    quiet.set_receipt_url("postcard", None)
    with pytest.raises(ReceiptRefused, match="URL"):
        quiet.send_receipt("P1", "delivered")
    send_postcard(quiet, id="P3", silent="yes", callback=NOWHERE)
    with pytest.raises(ReceiptRefused, match="sent"):
        quiet.send_receipt("P3", "sent")


def control(
    simulator: Simulator, method: str, path: str, document: object = None
) -> requests.Response:
    return requests.request(
        method,
        f"{simulator.url}/_simulator/{path}",
        json=document,
        timeout=TIMEOUT_SECONDS,
    )


def test_receipts_are_sent_and_shown_over_http(
    quiet: Simulator, callee: Callee
) -> None:
    order = {"message_id": "P1", "state": "delivered", "doubled": True}

    answer = control(quiet, "POST", "receipts", order)
    quiet.wait_for_receipts()
    shown = control(quiet, "GET", "receipts?message_id=P1").json()["receipts"]

    assert (answer.status_code, answer.json()) == (202, {"receipts": 2})
    assert [(it["state"], it["http_status"]) for it in shown] == [
        ("delivered", 204),
        ("delivered", 204),
    ]
    assert control(quiet, "GET", "receipts?message_id=P2").json()["receipts"] == []
    assert control(quiet, "DELETE", "receipts").status_code == 204
    assert quiet.receipts() == []


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"message_id": "P1"},
        {"message_id": "P1", "state": "lost"},
        {"message_id": "P2", "state": "sent"},
        {"message_id": "P1", "state": "sent", "code": True},
        {"message_id": "P1", "state": "undelivered", "code": "unheard of"},
        {"message_id": "P1", "state": "sent", "doubled": 1},
        {"message_id": "P1", "state": "sent", "colour": "red"},
    ],
)
def test_an_order_that_means_nothing_is_refused(
    quiet: Simulator, callee: Callee, document: object
) -> None:
    answer = control(quiet, "POST", "receipts", document)
    quiet.wait_for_receipts()

    assert answer.status_code == 422
    assert answer.json()["error"]
    assert callee.heard == []


def test_addresses_are_set_and_shown_over_http(
    simulator: Simulator, callee: Callee
) -> None:
    first = control(simulator, "GET", "receipt-urls").json()
    none = control(
        simulator, "POST", "receipt-urls", {"provider": "postcard", "url": None}
    )
    wrong = control(
        simulator, "POST", "receipt-urls", {"provider": "nexmo", "url": NOWHERE}
    )
    odd = control(simulator, "POST", "receipt-urls", {"provider": "postcard", "url": 5})

    assert first == {"receipt_urls": {"postcard": callee.url}}
    assert none.json() == {"receipt_urls": {}}
    assert (wrong.status_code, odd.status_code) == (422, 422)
    assert receipts_of(simulator, callee) == []


def test_the_process_is_told_where_they_go(callee: Callee) -> None:
    command = [sys.executable, "-m", "tests.simulator"]
    command += [
        "--receipts",
        f"twilio={callee.url}",
        "--receipts",
        f"fast2sms={NOWHERE}",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        shown = requests.get(
            f"{url}/_simulator/receipt-urls", timeout=TIMEOUT_SECONDS
        ).json()
        process.terminate()

    assert shown == {"receipt_urls": {"twilio": callee.url, "fast2sms": NOWHERE}}
