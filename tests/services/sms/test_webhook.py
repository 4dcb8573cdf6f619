"""The webhook alone: its bodies, its signature, and the receipts that come back."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from services.sms.failures import ABSENT, TRANSIENT_COUNTRY
from services.sms.provider import Dlt, Failure, Message, Refused
from services.sms.providers import webhook
from services.sms.providers.webhook import (
    BodyFormat,
    WebhookProvider,
    WebhookReceipts,
)
from services.sms.receipts import BadSignature, Callback, Receipt
from services.sms.standard_webhooks import check_signature
from services.sms.transport import Body, Reply
from services.standard_webhooks import read_secret, sign
from tests.services.sms.contract.vendor import answering, failure_from, send
from tests.services.sms.contract.webhook import OTHER_SECRET, VENDOR, make
from tests.services.sms.fakes import FakeClock, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.simulator import Simulator
from tests.simulator.vendor import State
from tests.simulator.webhook import Webhook

URL = "https://auth.example/api/webhooks/webhook"
GATEWAY = "https://sms.example/hook/"
REFERENCE = message_to().reference
DLT = Dlt("1101000000000000001", "1107000000000000002")

# What the standard's own libraries test themselves with:
# https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEY = read_secret(SECRET)
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_TIME = "1614265330"
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
VECTOR_HEADERS = {
    "webhook-id": VECTOR_ID,
    "webhook-timestamp": VECTOR_TIME,
    "webhook-signature": VECTOR_SIGNATURE,
}


class Gateway:
    """A transport that keeps what is posted, and accepts it."""

    base_url = "https://sms.example"

    def __init__(self) -> None:
        self.url = ""
        self.body = Body(b"", "")
        self.headers: dict[str, str] = {}

    def post(
        self,
        path_or_url: str,
        body: Body,
        *,
        headers: Any = None,
        auth: Any = None,
        deadline: float,
    ) -> Reply:
        self.url, self.body, self.headers = path_or_url, body, dict(headers)
        return Reply(200, b"")


def post(
    message: Message,
    *,
    body: dict[str, Any] | None = None,
    body_format: BodyFormat = "json",
    headers: dict[str, str] | None = None,
    clock: FakeClock | None = None,
) -> Gateway:
    gateway = Gateway()
    provider = WebhookProvider(
        GATEWAY,
        key=KEY,
        transport=gateway,
        clock=clock or FakeClock(),
        body=body,
        body_format=body_format,
        headers=headers,
    )
    provider.send(message, deadline=5.0)
    return gateway


# The signature


def test_a_signature_is_the_standard_s_own() -> None:
    signature = sign(KEY, message_id=VECTOR_ID, timestamp=VECTOR_TIME, body=VECTOR_BODY)

    assert signature == VECTOR_SIGNATURE


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_the_standard_s_own_request_is_believed(seconds: int) -> None:
    check_signature(KEY, VECTOR_HEADERS, VECTOR_BODY, now=int(VECTOR_TIME) + seconds)


def test_one_right_signature_of_several_is_enough() -> None:
    headers = VECTOR_HEADERS | {
        "webhook-signature": f"v1a,other v1,AAAA= {VECTOR_SIGNATURE}"
    }

    check_signature(KEY, headers, VECTOR_BODY, now=int(VECTOR_TIME))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": ""},
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": "+1614265330"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": VECTOR_SIGNATURE.removeprefix("v1,")},
        {"webhook-signature": VECTOR_SIGNATURE.replace("v1", "v1a")},
        {"webhook-signature": "v1,\xe9"},
    ],
)
def test_a_request_that_was_changed_is_not_believed(changes: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        check_signature(
            KEY, VECTOR_HEADERS | changes, VECTOR_BODY, now=int(VECTOR_TIME)
        )


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_request_of_another_time_is_not_believed(seconds: int) -> None:
    now = int(VECTOR_TIME) + seconds

    with pytest.raises(BadSignature):
        check_signature(KEY, VECTOR_HEADERS, VECTOR_BODY, now=now)


def test_another_body_or_another_key_is_not_believed() -> None:
    now = int(VECTOR_TIME)

    with pytest.raises(BadSignature):
        check_signature(KEY, VECTOR_HEADERS, VECTOR_BODY + b" ", now=now)
    with pytest.raises(BadSignature):
        check_signature(read_secret(OTHER_SECRET), VECTOR_HEADERS, VECTOR_BODY, now=now)


def test_a_secret_may_come_without_its_prefix() -> None:
    assert read_secret(SECRET.removeprefix("whsec_")) == KEY


def test_what_is_sent_is_signed_under_our_own_id() -> None:
    clock = FakeClock()
    gateway = post(message_to(), clock=clock)

    assert gateway.url == GATEWAY
    assert gateway.headers["webhook-id"] == REFERENCE
    assert gateway.headers["webhook-timestamp"] == "1000"
    check_signature(KEY, gateway.headers, gateway.body.content, now=clock.now())


def test_the_id_stays_when_a_send_is_repeated() -> None:
    clock = FakeClock()
    first = post(message_to(), clock=clock)
    clock.advance(1)
    second = post(message_to(), clock=clock)

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


# What is sent


def test_the_standard_body_says_all() -> None:
    gateway = post(replace(message_to(), sender="QKCART", dlt=DLT, locale="hi"))

    assert gateway.body.content_type == "application/json"
    assert json.loads(gateway.body.content) == {
        "id": REFERENCE,
        "to": "+919876543210",
        "country": "IN",
        "channel": "sms",
        "locale": "hi",
        "dlt": {"entity_id": DLT.entity_id, "template_id": DLT.template_id},
        "body": "123456 is your QuickCart code.",
        "code": "123456",
        "expires_in": 300,
        "sender": "QKCART",
    }


def test_the_standard_body_has_null_for_what_there_is_not() -> None:
    document = json.loads(post(message_to()).body.content)

    assert (document["dlt"], document["sender"]) == (None, None)


@pytest.mark.parametrize("dlt", [None, DLT])
@pytest.mark.parametrize("body_format", ["json", "form"])
def test_a_gateway_takes_the_standard_body_either_way(
    simulator: Simulator, body_format: BodyFormat, dlt: Dlt | None
) -> None:
    provider = make(make_transport(f"{simulator.url}/gateway"), body_format=body_format)
    provider.send(replace(message_to(), dlt=dlt), CLOCK.monotonic() + 5.0)

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.params["expires_in"] == "300"
    assert message.params.get("dlt_entity_id", "") == (dlt.entity_id if dlt else "")


def test_a_body_of_the_operator_s_own_is_filled_in() -> None:
    template = {
        "messages": [{"mobile": "91{national}", "text": "{text}", "flash": False}],
        "meta": {"{id}": "{id}|{channel}|{locale}|{country}|{sender}|{ttl_seconds}"},
        "dlt": "{dlt_entity_id}/{dlt_template_id}",
        "code": "{code} {code} {to}",
        "priority": 1,
        "nothing": None,
    }
    message = replace(message_to(), dlt=DLT)

    assert json.loads(post(message, body=template).body.content) == {
        "messages": [
            {
                "mobile": "919876543210",
                "text": "123456 is your QuickCart code.",
                "flash": False,
            }
        ],
        "meta": {"{id}": f"{REFERENCE}|sms|en|IN||300"},
        "dlt": f"{DLT.entity_id}/{DLT.template_id}",
        "code": "123456 123456 +919876543210",
        "priority": 1,
        "nothing": None,
    }


def test_a_value_in_braces_is_not_filled_in_again() -> None:
    message = replace(message_to(), text='{code} "{to}"\n&=')

    assert json.loads(post(message, body={"a": "{text}"}).body.content) == {
        "a": '{code} "{to}"\n&='
    }


def test_a_form_is_filled_in_and_escaped() -> None:
    message = replace(message_to(), text="é & 123456=\n{to}")
    gateway = post(
        message, body={"to": "{to}", "msg": "{text}", "route": 4}, body_format="form"
    )

    assert gateway.body.content_type == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(gateway.body.content.decode())) == {
        "to": "+919876543210",
        "msg": "é & 123456=\n{to}",
        "route": "4",
    }


def test_headers_of_the_operator_s_own_go_along() -> None:
    gateway = post(message_to(), headers={"X-Api-Key": "k"})

    assert gateway.headers["X-Api-Key"] == "k"
    assert gateway.headers["webhook-id"] == REFERENCE


def test_it_serves_what_it_is_told_to() -> None:
    provider = WebhookProvider(
        GATEWAY,
        key=KEY,
        transport=Gateway(),
        clock=FakeClock(),
        channels=("sms", "voice"),
        countries=("IN",),
    )

    assert provider.channels == {"sms", "voice"}
    assert provider.countries == frozenset({"IN"})


# What is answered


@pytest.mark.parametrize(
    ("status", "body", "message_id"),
    [
        ("200 OK", {"message_id": "abc"}, "abc"),
        ("202 Accepted", {"message_id": 12345, "class": "new"}, "12345"),
        ("201 Created", {"message_id": ""}, REFERENCE),
        ("200 OK", {"message_id": True}, REFERENCE),
        ("204 No Content", b"", REFERENCE),
    ],
)
def test_the_gateway_s_id_counts_and_else_ours(
    status: str, body: object, message_id: str
) -> None:
    with answering(VENDOR, body, status=status) as provider:
        assert send(provider) == message_id


def test_a_class_under_a_yes_is_a_no() -> None:
    assert isinstance(failure_from(VENDOR, {"class": "fraud"}), Refused)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_a_server_in_trouble_is_judged_by_its_status(status: int) -> None:
    failure = failure_from(VENDOR, {"class": "recipient"}, status=f"{status} Oops")

    assert not isinstance(failure, Refused)
    assert failure.vendor_code == f"http_{status}"


def test_a_class_that_is_no_word_is_not_kept() -> None:
    body = {"class": "no such number +919876543210"}
    failure = failure_from(VENDOR, body, status="400 Bad Request")

    assert failure.vendor_code == "http_400"


# Receipts


def read(document: object, *, secret: str = SECRET) -> list[Receipt]:
    """Have a receipt read that was signed by whoever has ``secret``."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    clock = FakeClock()
    sent_at = str(int(clock.now()))
    headers = {
        "webhook-id": "rcp_1",
        "webhook-timestamp": sent_at,
        "webhook-signature": sign(
            read_secret(secret), message_id="rcp_1", timestamp=sent_at, body=body
        ),
    }
    callback = Callback("POST", URL, "", headers, body)
    return list(WebhookReceipts(KEY, clock=clock).read(callback))


@pytest.mark.parametrize("status", ["accepted", "sent", "delivered", "unknown"])
def test_a_receipt_says_how_far_a_message_came(status: str) -> None:
    (receipt,) = read({"message_id": "abc", "status": status, "new": {"field": []}})

    assert (receipt.message_id, receipt.status) == ("abc", status)
    assert receipt.failure is None


@pytest.mark.parametrize("status", ["lost", "", None, 5, ["sent"]])
def test_a_status_that_nobody_knows_says_nothing(status: object) -> None:
    (receipt,) = read({"message_id": 17, "status": status})

    assert receipt == Receipt("17", "unknown")


@pytest.mark.parametrize("word", webhook._FAILURES)
def test_a_receipt_says_why_a_message_was_not_delivered(word: str) -> None:
    (receipt,) = read({"message_id": "abc", "status": "undelivered", "class": word})

    assert receipt == Receipt("abc", "undelivered", webhook._FAILURES[word], word)


@pytest.mark.parametrize(
    ("word", "code"),
    [("unheard_of", "unheard_of"), (None, "undelivered"), ("no: +91", "undelivered")],
)
def test_without_a_known_reason_another_vendor_may_do_better(
    word: str | None, code: str
) -> None:
    (receipt,) = read({"message_id": "abc", "status": "undelivered", "class": word})

    assert receipt == Receipt("abc", "undelivered", TRANSIENT_COUNTRY, code)


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[]", b"\xff", {}, {"message_id": ""}, {"status": "sent"}],
)
def test_what_is_about_no_message_is_no_receipt(document: object) -> None:
    assert read(document) == []


def test_a_receipt_that_is_not_signed_with_our_secret_is_refused() -> None:
    with pytest.raises(BadSignature):
        read({"message_id": "abc", "status": "delivered"}, secret=OTHER_SECRET)


def test_a_receipt_without_a_signature_is_refused() -> None:
    callback = Callback("POST", URL, "", {}, b'{"message_id": "abc"}')

    with pytest.raises(BadSignature):
        WebhookReceipts(KEY, clock=CLOCK).read(callback)


@pytest.mark.parametrize(
    ("state", "code", "failure"),
    [
        ("sent", None, None),
        ("delivered", None, None),
        ("undelivered", None, TRANSIENT_COUNTRY),
        ("undelivered", "absent", ABSENT),
    ],
)
def test_the_simulator_s_own_receipts_are_believed(
    simulator: Simulator, state: State, code: str | None, failure: Failure | None
) -> None:
    message_id = send(make(make_transport(f"{simulator.url}/gateway")))
    (message,) = simulator.messages()
    call = Webhook().receipt(message, state, code, URL)
    headers = {name.lower(): value for name, value in call.headers}
    callback = Callback(call.method, call.url, "", headers, call.body)

    (receipt,) = WebhookReceipts(KEY, clock=CLOCK).read(callback)

    assert (receipt.message_id, receipt.status) == (message_id, state)
    assert receipt.failure == failure


def test_every_class_of_the_simulator_has_a_label() -> None:
    assert set(Webhook.receipt_codes) == set(webhook._FAILURES)


@pytest.mark.parametrize("price", [0.002, "0.002"], ids=["number", "text"])
def test_a_gateway_may_say_what_a_message_cost(price: object) -> None:
    document = {"message_id": "abc", "price": price, "currency": "INR"}

    (receipt,) = read({"status": "delivered", **document})

    assert receipt == Receipt("abc", "delivered", price=0.002, currency="INR")
