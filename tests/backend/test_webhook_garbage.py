"""Receipts that are truly the vendor's, and hold anything at all."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import redis

from tests.backend.api import Api
from tests.backend.conftest import MakeApi
from tests.backend.every_vendor import every_vendor, phone_of
from tests.backend.receipts import (
    PUBLIC,
    REPORTING,
    SIGNING,
    address_of,
    counted,
    forge,
    last_message,
    post,
    send_by,
    sign,
    sign_fields,
    write,
)
from tests.backend.test_privacy import codes_of, spellings, without_times
from tests.simulator import Simulator
from tests.simulator.vendor import ReceiptCall

OF_FIELDS = ("twilio", "twilio_voice", "vonage", "plivo")
OF_DOCUMENTS = ("whatsapp", "webhook", "fast2sms", "infobip", "aws")

# For any field: what is no text, what is a number of ours, what breaks a line.
ODD_TEXTS = ("", "0", "-1", "9" * 400, "null", "\x00", "\r\n", "é", "\U0001f600")
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**63, 1e308, [], {}, [[]], [{}], {"": None}),
    *ODD_TEXTS[:6],
)
NO_DOCUMENTS = (
    b"",
    b"null",
    b"[]",
    b'"text"',
    b"{",
    b"\xff\xfe\x00",
    b'{"a":1,"a":2}',
    b'{"message_id": "\\ud800"}',
    b"[" * 5_000,
    b"NaN",
    b"a=b&c=d&&&=%ff%zz",
    b"data=%5B%7B%7D%2Cnull%2C1%5D",
    b"data=null",
)


@pytest.fixture
def api(make_api: MakeApi, simulator: Simulator) -> Api:
    simulator.add_rule("receipt_missing")
    return make_api(**every_vendor(simulator), PUBLIC_BASE_URL=PUBLIC)


def with_each_replaced(document: Any, values: tuple[Any, ...]) -> Iterator[Any]:
    """Yield a document with each part of it, however deep, replaced by each value."""
    yield from values
    if isinstance(document, dict):
        for name, part in document.items():
            for odd in with_each_replaced(part, values):
                yield {**document, name: odd}
    if isinstance(document, list):
        for place, part in enumerate(document):
            for odd in with_each_replaced(part, values):
                yield [*document[:place], odd, *document[place + 1 :]]


def odd_calls(
    api: Api, vendor: str, values: tuple[Any, ...], texts: tuple[str, ...]
) -> Iterator[ReceiptCall]:
    """Yield a vendor's receipt with everything in it replaced, and signed again."""
    call = write(api, vendor, "undelivered")
    if vendor in OF_DOCUMENTS:
        document = json.loads(call.body)
        for odd in with_each_replaced(document, values):
            yield sign(api, vendor, json.dumps(odd).encode())
    elif vendor == "msg91":
        (_, data), *_ = parse_qsl(call.body.decode())
        for odd in with_each_replaced(json.loads(data), values):
            body = urlencode({"data": json.dumps(odd)}).encode()
            yield ReceiptCall("POST", call.url, body, call.headers)
    elif vendor == "messagebird":
        address, _, query = call.url.partition("?")
        for fields in odd_fields(dict(parse_qsl(query)), texts):
            yield ReceiptCall("GET", f"{address}?{urlencode(fields)}")
    else:
        for fields in odd_fields(fields_of(vendor, call), texts):
            yield sign_fields(api, vendor, fields)


def fields_of(vendor: str, call: ReceiptCall) -> dict[str, str]:
    if vendor == "vonage":
        return dict(json.loads(call.body))
    return dict(parse_qsl(call.body.decode()))


def odd_fields(
    fields: dict[str, str], texts: tuple[str, ...]
) -> Iterator[dict[str, str]]:
    for name in fields:
        yield {other: it for other, it in fields.items() if other != name}
        for text in texts:
            yield {**fields, name: text}
    yield {}


@pytest.mark.parametrize("vendor", REPORTING)
def test_whatever_a_receipt_holds_the_vendor_need_not_send_it_again(
    api: Api, vendor: str
) -> None:
    send_by(api, vendor)

    calls = list(odd_calls(api, vendor, ODD_VALUES, ODD_TEXTS))
    answers = {post(api, call).status_code for call in calls}

    assert len(calls) > 40
    assert answers == {204}
    assert "forged" not in counted(api)
    assert b"unexpected_error" not in api.log.getvalue()


@pytest.mark.parametrize("vendor", sorted({*REPORTING} - {*OF_FIELDS}))
def test_a_body_that_is_no_receipt_says_nothing(
    api: Api, store: redis.Redis, vendor: str
) -> None:
    send_by(api, vendor)
    before = set(store.scan_iter())
    for body in NO_DOCUMENTS:
        for kind in ("application/json", "application/x-www-form-urlencoded", "x"):
            call = sign(api, vendor, body)
            headers = (("Content-Type", kind), *call.headers[1:])

            odd = ReceiptCall("POST", call.url, body, headers)

            assert post(api, odd).status_code == 204

    assert set(store.scan_iter()) == before
    assert counted(api) == {}


@pytest.mark.parametrize("vendor", REPORTING)
def test_nothing_secret_or_personal_of_a_receipt_is_kept(
    api: Api, dump: Callable[[], dict[str, Any]], vendor: str
) -> None:
    send_by(api, vendor)
    phone, message = phone_of(vendor), last_message(api, vendor)
    private = {*spellings(phone), message.id or ""}
    calls = [
        *odd_calls(api, vendor, (phone, int(phone[1:])), (phone, phone[1:])),
        forge(api, vendor),
        write(api, vendor),
    ]
    for call in calls:
        post(api, call)
        private |= {it for name, it in call.headers if "signature" in name.lower()}
    if vendor not in SIGNING:
        private.add(address_of(api, vendor).rsplit("/", 1)[1])
    api.settle()

    assert counted(api)["forged"] == 1
    # Vendors that are told what became of a message are told by its id.
    kept = str(dump()).replace(message.id or "", "")
    log, metrics = api.log.getvalue(), api.telemetry.metrics.render()
    for text in (kept, log.decode(), metrics.decode()):
        assert not {it for it in private if it in text}
        assert not codes_of(api) & set(re.findall(r"\b[0-9]{6}\b", without_times(text)))
