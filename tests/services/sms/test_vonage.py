"""Vonage alone: its parameters, its parts, its receipts and its conversions."""

import json
from dataclasses import replace
from typing import Any, Literal
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from services.sms.failures import ABSENT, ACCOUNT, TRANSIENT_COUNTRY, UNCLEAR
from services.sms.provider import (
    Ambiguous,
    Dlt,
    Failure,
    Reason,
    ReportsConversion,
    Unavailable,
)
from services.sms.providers import vonage
from services.sms.providers.vonage import SignatureMethod, VonageReceipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.vendor import (
    assert_shows_nothing,
    failure_from,
    send,
)
from tests.services.sms.contract.vonage import VENDOR, make
from tests.services.sms.fakes import INDIAN, FakeClock, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import http, serving
from tests.simulator import Simulator
from tests.simulator.vendor import ReceiptCall, State
from tests.simulator.vonage import (
    DEFAULT_API_KEY,
    DEFAULT_API_SECRET,
    DEFAULT_SIGNATURE_SECRET,
    Style,
    Vonage,
)

TOKEN = "secret-token"
SIGNED_URL = "https://auth.example/api/webhooks/vonage"
SECRET_URL = f"{SIGNED_URL}/{TOKEN}"
FORM = "application/x-www-form-urlencoded"

# From sms-providers.md 2.5, computed with Vonage's own SDK.
VECTOR = {
    "api_key": "abcd1234",
    "messageId": "0C000000217B7F02",
    "msisdn": "919876543210",
    "status": "delivered",
    "timestamp": "1700000000",
}
VECTOR_SIGNATURE = "ef1f7e56e63be95ca3487a860354e212e092f92f3e72562e89e746e9a376d49b"


def params_of(simulator: Simulator) -> dict[str, str]:
    (message,) = simulator.messages()
    return dict(message.params)


def get(fields: dict[str, str], *, token: str = "") -> Callback:
    query = urlencode(fields)
    return Callback("GET", f"{SIGNED_URL}?{query}", query, {}, b"", token)


def post(
    document: dict[str, Any] | bytes, *, kind: str = "application/json", token: str = ""
) -> Callback:
    if isinstance(document, bytes):
        body = document
    elif "json" in kind:
        body = json.dumps(document).encode()
    else:
        body = urlencode(document).encode()
    return Callback("POST", SIGNED_URL, "", {"content-type": kind}, body, token)


def callback_from(call: ReceiptCall, *, token: str = "") -> Callback:
    headers = {name.lower(): value for name, value in call.headers}
    query = urlsplit(call.url).query
    return Callback(call.method, call.url, query, headers, call.body, token)


def read_unsigned(**fields: Any) -> list[Receipt]:
    reader = VonageReceipts(token=TOKEN)
    return list(reader.read(post({"messageId": "0C", **fields}, token=TOKEN)))


def read_signed(callback: Callback, *, secret: str = "secret") -> list[Receipt]:
    reader = VonageReceipts(token=TOKEN, signature_secret=secret)
    return list(reader.read(callback))


def receipt_from_simulator(
    simulator: Simulator, state: State, code: int | None = None
) -> tuple[str, Receipt]:
    """Send, and read the receipt that the simulator signs for it."""
    message_id = send(make(make_transport(simulator.url), receipts_url=SIGNED_URL))
    (message,) = simulator.messages()
    assert message.receipts_url == SIGNED_URL
    call = Vonage().receipt(message, state, code, SIGNED_URL)
    (receipt,) = read_signed(callback_from(call), secret=DEFAULT_SIGNATURE_SECRET)
    return message_id, receipt


# Sending


def test_vonage_is_asked_for_no_more_than_the_code_lives(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    for ttl_seconds in (120, 1, 900_000):
        send(provider, ttl_seconds=ttl_seconds)

    sent = [message.params for message in simulator.messages()]
    assert [params["ttl"] for params in sent] == ["120000", "20000", "604800000"]
    assert sent[0] == {
        "from": "QuickCart",
        "to": "919876543210",
        "text": "123456 is your QuickCart code.",
        "type": "text",
        "ttl": "120000",
        "client-ref": "MDEyMzQ1Njc4OWFi",
    }


def test_vonage_is_told_where_receipts_go(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url), receipts_url=SECRET_URL))

    params = params_of(simulator)
    assert params["callback"] == SECRET_URL
    assert params["status-report-req"] == "1"


def test_an_address_too_long_for_vonage_is_left_to_its_dashboard(
    simulator: Simulator,
) -> None:
    longest = SIGNED_URL.ljust(100, "x")
    for url in (longest, longest + "x"):
        send(make(make_transport(simulator.url), receipts_url=url))

    first, second = [message.params for message in simulator.messages()]
    assert first["callback"] == longest
    assert "callback" not in second
    assert second["status-report-req"] == "1"


def test_vonage_gets_the_country_s_sender_and_the_dlt_ids(simulator: Simulator) -> None:
    message = replace(message_to(INDIAN), sender="+15005550006", dlt=Dlt("1101", "22"))

    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)

    params = params_of(simulator)
    assert params["from"] == "15005550006"
    assert (params["entity-id"], params["content-id"]) == ("1101", "22")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("123456 é ñ ü €", "text"),
        ("123456 है", "unicode"),
        ("123456 ’", "unicode"),
        ("123456 `", "unicode"),
    ],
)
def test_vonage_is_told_the_alphabet(
    simulator: Simulator, text: str, kind: str
) -> None:
    message = replace(message_to(), text=text, reference="")
    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)

    params = params_of(simulator)
    assert (params["type"], params["text"]) == (kind, text)
    assert "client-ref" not in params


def test_a_text_of_several_parts_has_the_id_of_the_first(simulator: Simulator) -> None:
    message = replace(message_to(), text="123456 " + "x" * 200)

    accepted = make(make_transport(simulator.url)).send(
        message, CLOCK.monotonic() + 5.0
    )

    assert accepted.message_id == simulator.messages()[0].id


def test_a_text_of_which_parts_were_refused_may_have_left(simulator: Simulator) -> None:
    parts = [{"status": "0", "message-id": "0C"}, {"status": "9"}]
    failure = failure_from(VENDOR, {"message-count": "2", "messages": parts})

    assert isinstance(failure, Ambiguous)
    assert failure.vendor_code == "9"
    assert_shows_nothing(failure)


def test_a_text_of_which_all_parts_were_refused_has_not_left(
    simulator: Simulator,
) -> None:
    parts = [{"status": "9"}, {"status": "9"}]
    failure = failure_from(VENDOR, {"message-count": "2", "messages": parts})

    assert isinstance(failure, Unavailable)
    assert failure.reason is Reason.ACCOUNT


@pytest.mark.parametrize(
    "messages",
    [
        [],
        {},
        [None],
        [{}],
        [{"status": "0"}],
        [{"status": "0", "message-id": 5}],
        [{"status": "0", "message-id": "0C"}, {}],
        [{"status": "919876543210 barred", "message-id": "0C"}],
    ],
)
def test_an_answer_without_id_or_status_may_be_a_yes(
    simulator: Simulator, messages: object
) -> None:
    failure = failure_from(VENDOR, {"messages": messages})

    assert isinstance(failure, Ambiguous)
    assert_shows_nothing(failure)


# Receipts


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("accepted", "sent"),
        ("buffered", "sent"),
        ("delivered", "delivered"),
        ("unknown", "unknown"),
    ],
)
def test_a_receipt_says_how_far_a_message_came(word: str, expected: str) -> None:
    (receipt,) = read_unsigned(status=word, something={"new": []}, **{"err-code": "0"})

    assert (receipt.message_id, receipt.status) == ("0C", expected)
    assert receipt.failure is None


@pytest.mark.parametrize("word", ["expired", "failed", "rejected"])
@pytest.mark.parametrize("code", vonage._RECEIPTS)
def test_a_labelled_error_of_a_receipt_is_its_reason(word: str, code: int) -> None:
    found = read_unsigned(status=word, **{"err-code": str(code)})

    expected = vonage._RECEIPTS[code]
    assert found == [Receipt("0C", "undelivered", expected, str(code))]


@pytest.mark.parametrize(
    ("word", "code", "expected", "vendor_code"),
    [
        ("failed", "77", TRANSIENT_COUNTRY, "77"),
        ("failed", "0", TRANSIENT_COUNTRY, "failed"),
        ("rejected", "+919876543210", TRANSIENT_COUNTRY, "rejected"),
        ("rejected", None, TRANSIENT_COUNTRY, "rejected"),
        ("expired", None, ABSENT, "expired"),
        ("expired", "77", ABSENT, "77"),
    ],
)
def test_an_error_that_nobody_knows_is_judged_by_its_status(
    word: str, code: str | None, expected: Failure, vendor_code: str
) -> None:
    found = read_unsigned(status=word, **{"err-code": code})

    assert found == [Receipt("0C", "undelivered", expected, vendor_code)]


@pytest.mark.parametrize(
    "callback",
    [
        post(b"", token=TOKEN),
        post(b"\xff", token=TOKEN),
        post(b"[" * 9999, token=TOKEN),
        post(b"[]", token=TOKEN),
        post(b"\xff%ff&&=", kind=FORM, token=TOKEN),
        post({}, token=TOKEN),
        post({"messageId": "0C"}, token=TOKEN),
        post({"status": "delivered"}, token=TOKEN),
        post({"messageId": ["0C"], "status": "delivered"}, token=TOKEN),
        post({"messageId": "0C", "status": "eaten"}, token=TOKEN),
        post(
            {"messageId": "0C", "msisdn": "919876543210", "text": "STOP"}, token=TOKEN
        ),
        get({}, token=TOKEN),
    ],
    ids=range(12),
)
def test_what_is_no_receipt_says_nothing(callback: Callback) -> None:
    assert list(VonageReceipts(token=TOKEN).read(callback)) == []


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_an_unsigned_receipt_without_the_secret_path_is_nobody_s(token: str) -> None:
    with pytest.raises(BadSignature):
        VonageReceipts(token=TOKEN).read(post({}, token=token))


# Signatures


@pytest.mark.parametrize("signature", [VECTOR_SIGNATURE, VECTOR_SIGNATURE.upper()])
def test_the_signature_of_vonage_s_own_sdk_holds(signature: str) -> None:
    fields = {**VECTOR, "sig": signature}
    expected = [Receipt("0C000000217B7F02", "delivered")]

    assert read_signed(get(fields)) == expected
    assert read_signed(post(fields)) == expected
    assert read_signed(post(fields, kind=FORM)) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"sig": ""},
        {"sig": VECTOR_SIGNATURE[:-1]},
        {"sig": "é"},
        {"status": "failed"},
        {"timestamp": "1700000001"},
        {"err-code": "3"},
    ],
    ids=["none", "cut", "odd", "changed", "later", "added"],
)
def test_a_receipt_that_vonage_did_not_sign_so_is_nobody_s(
    change: dict[str, str],
) -> None:
    fields = {**VECTOR, "sig": VECTOR_SIGNATURE, **change}

    for callback in (get(fields), post(fields), post(fields, kind=FORM)):
        with pytest.raises(BadSignature):
            read_signed(callback)


def test_the_oldest_signature_has_the_secret_at_its_end() -> None:
    # echo -n "&messageId=0C&status=delivered&timestamp=1700000000secret" | md5sum
    fields = {
        "messageId": "0C",
        "status": "delivered",
        "timestamp": "1700000000",
        "sig": "f9f0a24d602cf788fa8381dbc6f1782b",
    }
    reader = VonageReceipts(
        token=TOKEN, signature_secret="secret", signature_method="md5hash"
    )

    assert list(reader.read(get(fields))) == [Receipt("0C", "delivered")]
    with pytest.raises(BadSignature):
        reader.read(get({**fields, "status": "failed"}))


def test_the_secret_path_is_no_signature() -> None:
    with pytest.raises(BadSignature):
        read_signed(post(VECTOR, token=TOKEN))


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("style", ["GET", "POST", "POST-JSON"])
def test_the_simulator_s_signatures_hold(
    simulator: Simulator, style: Style, method: SignatureMethod
) -> None:
    message_id = send(make(make_transport(simulator.url)))
    (message,) = simulator.messages()
    # What separates fields is signed as something else.
    message = replace(message, params={**message.params, "client-ref": "a&b=c"})
    vendor = Vonage(style=style, signature_method=method)
    callback = callback_from(vendor.receipt(message, "delivered", None, SIGNED_URL))

    reader = VonageReceipts(
        token=TOKEN,
        signature_secret=DEFAULT_SIGNATURE_SECRET,
        signature_method=method,
    )
    delivered = Receipt(message_id, "delivered", price=0.0333, currency="EUR")
    assert list(reader.read(callback)) == [delivered]


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_simulator_s_receipts_are_read(simulator: Simulator, state: State) -> None:
    message_id, receipt = receipt_from_simulator(simulator, state)

    assert receipt == Receipt(message_id, state, price=0.0333, currency="EUR")


@pytest.mark.parametrize("code", [None, *Vonage.receipt_codes])
def test_every_error_of_the_simulator_s_receipts_has_a_label(
    simulator: Simulator, code: int | None
) -> None:
    message_id, receipt = receipt_from_simulator(simulator, "undelivered", code)

    expected = vonage._RECEIPTS[code or 99]
    assert receipt == Receipt(
        message_id,
        "undelivered",
        expected,
        str(code or 99),
        price=0.0333,
        currency="EUR",
    )


def test_an_unsigned_receipt_of_the_simulator_is_read(simulator: Simulator) -> None:
    message_id = send(make(make_transport(simulator.url), receipts_url=SECRET_URL))
    (message,) = simulator.messages()
    vendor = Vonage(signature_secret=None)
    call = vendor.receipt(message, "delivered", None, SECRET_URL)

    found = VonageReceipts(token=TOKEN).read(callback_from(call, token=TOKEN))

    delivered = Receipt(message_id, "delivered", price=0.0333, currency="EUR")
    assert list(found) == [delivered]


# Conversions


@pytest.mark.parametrize(
    ("converted", "word"), [(True, "true"), (False, "false")], ids=["yes", "no"]
)
def test_vonage_is_told_whether_the_code_was_typed(
    *, converted: bool, word: Literal["true", "false"]
) -> None:
    clock = FakeClock()
    clock.time = 1_700_000_000.0
    with serving(http(b"")) as server:
        provider = make(make_transport(server.url), clock=clock)
        provider.report_conversion(
            "0C", converted=converted, deadline=CLOCK.monotonic() + 5.0
        )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /conversions/sms ")
    assert b"\r\nauthorization:" not in head.lower()
    assert parse_qs(body.decode()) == {
        "api_key": [DEFAULT_API_KEY],
        "api_secret": [DEFAULT_API_SECRET],
        "message-id": ["0C"],
        "delivered": [word],
        "timestamp": ["2023-11-14 22:13:20"],
    }


def test_the_simulator_takes_the_conversion(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))

    assert isinstance(provider, ReportsConversion)
    provider.report_conversion("0C", converted=True, deadline=CLOCK.monotonic() + 5.0)

    stranger = make(make_transport(simulator.url), api_secret="wrong")
    with pytest.raises(Unavailable, match="http_401"):
        stranger.report_conversion(
            "0C", converted=True, deadline=CLOCK.monotonic() + 5.0
        )


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, ACCOUNT), (402, ACCOUNT), (423, UNCLEAR)],
)
def test_a_conversion_that_vonage_does_not_take_says_so(
    status: int, expected: Failure
) -> None:
    with serving(http(b"919876543210", status=f"{status} No")) as server:
        provider = make(make_transport(server.url))
        with pytest.raises(Unavailable) as caught:
            provider.report_conversion(
                "0C", converted=True, deadline=CLOCK.monotonic() + 5.0
            )

    assert Failure(caught.value.reason, caught.value.scope) == expected
    assert caught.value.vendor_code == f"http_{status}"
    assert_shows_nothing(caught.value)


@pytest.mark.parametrize("style", ["GET", "POST", "POST-JSON"])
def test_a_receipt_tells_the_price_in_euros(simulator: Simulator, style: Style) -> None:
    send(make(make_transport(simulator.url), receipts_url=SIGNED_URL))
    (message,) = simulator.messages()
    call = Vonage(style=style).receipt(message, "delivered", None, SIGNED_URL)

    (receipt,) = read_signed(callback_from(call), secret=DEFAULT_SIGNATURE_SECRET)

    assert (receipt.price, receipt.currency) == (0.0333, "EUR")


@pytest.mark.parametrize("price", ["", "-0.0333", "free", "0,0333", "nan", "1e-3"])
def test_what_is_no_price_is_none(price: str) -> None:
    (receipt,) = read_unsigned(status="delivered", price=price)

    assert (receipt.price, receipt.currency) == (None, "")
