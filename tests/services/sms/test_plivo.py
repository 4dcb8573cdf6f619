"""Plivo alone: its parameters, its receipts and their two kinds of signature."""

from dataclasses import replace
from urllib.parse import urlencode, urlsplit

import pytest

from services.sms.failures import TRANSIENT_COUNTRY
from services.sms.provider import Ambiguous, Dlt, Failure, Unavailable
from services.sms.providers import plivo
from services.sms.providers.plivo import PlivoReceipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.plivo import VENDOR, make
from tests.services.sms.contract.vendor import failure_from, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.simulator import Simulator
from tests.simulator.plivo import DEFAULT_AUTH_TOKEN, Plivo
from tests.simulator.vendor import ReceiptCall, State

TOKEN = "secret-token"
URL = f"https://auth.example/api/webhooks/plivo/{TOKEN}"
NONCE = "12345"

# From sms-providers.md 2.6, computed with Plivo's own SDK.
VECTOR_URL = "https://otp.example.com/v1/webhooks/plivo"
VECTOR = {"MessageUUID": "u1", "Status": "delivered", "To": "919876543210"}
VECTOR_SIGNATURE = "FrPuID02BGWyTDIkXwj4f1XS0ilUNGLe7R7WbPpP3yo="


def params_of(simulator: Simulator) -> dict[str, str]:
    (message,) = simulator.messages()
    return dict(message.params)


def post(body: bytes, url: str, headers: dict[str, str]) -> Callback:
    lower = {name.lower(): value for name, value in headers.items()}
    return Callback("POST", url, urlsplit(url).query, lower, body, TOKEN)


def signed_v3(
    fields: dict[str, str],
    signature: str,
    *,
    url: str = VECTOR_URL,
    nonce: str = NONCE,
    extra: dict[str, str] | None = None,
) -> Callback:
    headers = {
        "X-Plivo-Signature-V3": signature,
        "X-Plivo-Signature-V3-Nonce": nonce,
        **(extra or {}),
    }
    return post(urlencode(fields).encode(), url, headers)


def signed_v2(fields: dict[str, str], *, url: str = URL) -> Callback:
    headers = {
        "X-Plivo-Signature-V2": Plivo().sign_v2(url, NONCE),
        "X-Plivo-Signature-V2-Nonce": NONCE,
    }
    return post(urlencode(fields).encode(), url, headers)


def callback_from(call: ReceiptCall) -> Callback:
    assert call.method == "POST"
    return post(call.body, call.url, dict(call.headers))


def read(callback: Callback, *, auth_token: str = DEFAULT_AUTH_TOKEN) -> list[Receipt]:
    return list(PlivoReceipts(auth_token, token=TOKEN).read(callback))


def read_fields(**fields: str) -> list[Receipt]:
    fields = {"MessageUUID": "u1", "Something": "new", **fields}
    signature = Plivo().sign_v3(URL, fields, NONCE)
    return read(signed_v3(fields, signature, url=URL))


def receipt_from_simulator(
    simulator: Simulator, state: State, code: int | None = None
) -> tuple[str, Receipt]:
    """Send, and read the receipt that the simulator signs for it."""
    message_id = send(make(make_transport(simulator.url), receipts_url=URL))
    (message,) = simulator.messages()
    assert message.receipts_url == URL
    (receipt,) = read(callback_from(Plivo().receipt(message, state, code, URL)))
    return message_id, receipt


# Sending


def test_plivo_is_asked_for_no_more_than_the_code_lives(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url))
    for ttl_seconds in (120, 1, 90_000):
        send(provider, ttl_seconds=ttl_seconds)

    sent = [message.params for message in simulator.messages()]
    assert [params["message_expiry"] for params in sent] == ["120", "5", "10799"]
    assert sent[0] == {
        "src": "QuickCart",
        "dst": "919876543210",
        "text": "123456 is your QuickCart code.",
        "type": "sms",
        "message_expiry": "120",
        "log": "false",
    }


def test_plivo_is_told_where_receipts_go(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url), receipts_url=URL))

    params = params_of(simulator)
    assert (params["url"], params["method"]) == (URL, "POST")


def test_plivo_gets_the_country_s_sender_and_the_dlt_ids(simulator: Simulator) -> None:
    message = replace(message_to(INDIAN), sender="+15005550006", dlt=Dlt("1101", "22"))

    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)

    params = params_of(simulator)
    assert params["src"] == "15005550006"
    assert params["dlt_entity_id"] == "1101"
    assert params["dlt_template_id"] == "22"
    assert params["dlt_template_category"] == "service_implicit"


@pytest.mark.parametrize("ids", [[], {}, [5], [""], "db3ce55a"])
def test_an_answer_without_an_id_may_be_a_yes(
    simulator: Simulator, ids: object
) -> None:
    failure = failure_from(VENDOR, {"message_uuid": ids}, status="202 Accepted")

    assert isinstance(failure, Ambiguous)


def test_an_id_in_a_refusal_is_no_yes(simulator: Simulator) -> None:
    failure = failure_from(VENDOR, {"message_uuid": ["u1"]}, status="400 No")

    assert isinstance(failure, Unavailable)


# Receipts


@pytest.mark.parametrize(
    ("word", "expected"),
    [("queued", "accepted"), ("sent", "sent"), ("delivered", "delivered")],
)
def test_a_receipt_says_how_far_a_message_came(word: str, expected: str) -> None:
    (receipt,) = read_fields(Status=word, ErrorCode="000")

    assert (receipt.message_id, receipt.status) == ("u1", expected)
    assert receipt.failure is None


def test_a_part_of_a_text_is_known_by_its_parent() -> None:
    (receipt,) = read_fields(Status="sent", MessageUUID="u2", ParentMessageUUID="u1")

    assert receipt.message_id == "u1"


@pytest.mark.parametrize("word", ["failed", "undelivered"])
@pytest.mark.parametrize("code", plivo._RECEIPTS)
def test_a_labelled_error_of_a_receipt_is_its_reason(word: str, code: int) -> None:
    found = read_fields(Status=word, ErrorCode=f"{code:03}")

    expected = plivo._RECEIPTS[code]
    assert found == [Receipt("u1", "undelivered", expected, str(code))]


@pytest.mark.parametrize(
    ("code", "vendor_code"),
    [("777", "777"), ("000", "failed"), ("", "failed"), ("+91987", "failed")],
)
def test_an_error_that_nobody_knows_may_go_better_elsewhere(
    code: str, vendor_code: str
) -> None:
    found = read_fields(Status="failed", ErrorCode=code)

    assert found == [Receipt("u1", "undelivered", TRANSIENT_COUNTRY, vendor_code)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"Status": ""},
        {"Status": "eaten"},
        {"Status": "delivered", "MessageUUID": ""},
        {"Text": "STOP", "From": "919876543210"},
    ],
)
def test_what_is_no_receipt_says_nothing(fields: dict[str, str]) -> None:
    assert read_fields(**fields) == []


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff%ff&&=", b"[" * 9999])
def test_a_body_that_cannot_be_read_says_nothing(body: bytes) -> None:
    headers = {
        "X-Plivo-Signature-V2": Plivo().sign_v2(URL, NONCE),
        "X-Plivo-Signature-V2-Nonce": NONCE,
    }

    assert read(post(body, URL, headers)) == []


# Signatures


@pytest.mark.parametrize(
    "signature",
    [VECTOR_SIGNATURE, f"old,{VECTOR_SIGNATURE}", f"{VECTOR_SIGNATURE}, old"],
)
def test_the_signature_of_plivo_s_own_sdk_holds(signature: str) -> None:
    callback = signed_v3(VECTOR, signature)

    assert read(callback, auth_token="tok") == [Receipt("u1", "delivered")]


@pytest.mark.parametrize(
    "callback",
    [
        signed_v3(VECTOR, ""),
        signed_v3(VECTOR, "é"),
        signed_v3(VECTOR, VECTOR_SIGNATURE[:-1]),
        signed_v3(VECTOR, VECTOR_SIGNATURE.lower()),
        signed_v3(VECTOR, VECTOR_SIGNATURE, nonce="12346"),
        signed_v3(VECTOR, VECTOR_SIGNATURE, url=f"{VECTOR_URL}?a=b"),
        signed_v3(VECTOR, VECTOR_SIGNATURE, url=URL),
        signed_v3(VECTOR | {"Status": "failed"}, VECTOR_SIGNATURE),
        signed_v3(VECTOR | {"ErrorCode": "50"}, VECTOR_SIGNATURE),
        post(urlencode(VECTOR).encode(), VECTOR_URL, {}),
    ],
    ids=range(10),
)
def test_a_receipt_that_plivo_did_not_sign_so_is_nobody_s(callback: Callback) -> None:
    with pytest.raises(BadSignature):
        read(callback, auth_token="tok")


def test_another_account_s_signature_is_nobody_s() -> None:
    with pytest.raises(BadSignature):
        read(signed_v3(VECTOR, VECTOR_SIGNATURE), auth_token="other")


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_a_signature_without_the_secret_path_is_nobody_s(token: str) -> None:
    # Who saw a receipt of the second version could sign any other.
    for callback in (signed_v2(VECTOR), signed_v3(VECTOR, VECTOR_SIGNATURE)):
        with pytest.raises(BadSignature):
            read(replace(callback, token=token))


@pytest.mark.parametrize("version", ["V2", "V3"])
def test_a_subaccount_s_receipt_has_the_main_account_s_signature_too(
    version: str,
) -> None:
    vendor = Plivo()
    signatures = {
        "V2": vendor.sign_v2(URL, NONCE),
        "V3": vendor.sign_v3(URL, VECTOR, NONCE),
    }
    headers = {
        f"X-Plivo-Signature-{version}": "the subaccount's",
        f"X-Plivo-Signature-Ma-{version}": signatures[version],
        f"X-Plivo-Signature-{version}-Nonce": NONCE,
    }

    found = read(post(urlencode(VECTOR).encode(), URL, headers))

    assert found == [Receipt("u1", "delivered")]


def test_the_address_s_query_is_signed_too() -> None:
    url = f"{URL}?b=2&a=1&a=0"
    callback = signed_v3(VECTOR, Plivo().sign_v3(url, VECTOR, NONCE), url=url)

    assert read(callback) == [Receipt("u1", "delivered")]


def test_the_second_version_will_do_where_the_third_is_not_sent() -> None:
    assert read(signed_v2(VECTOR)) == [Receipt("u1", "delivered")]


def test_the_second_version_is_no_way_round_the_third() -> None:
    second = dict(signed_v2(VECTOR).headers)

    with pytest.raises(BadSignature):
        read(signed_v3(VECTOR, "wrong", url=URL, extra=second))


def test_the_second_version_is_for_one_address() -> None:
    stolen = replace(signed_v2(VECTOR), url=f"{URL}_too")

    with pytest.raises(BadSignature):
        read(stolen)


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_simulator_s_receipts_are_read(simulator: Simulator, state: State) -> None:
    message_id, receipt = receipt_from_simulator(simulator, state)

    assert receipt == Receipt(message_id, state, price=0.003, currency="USD")


@pytest.mark.parametrize("code", [None, *Plivo.receipt_codes])
def test_every_error_of_the_simulator_s_receipts_has_a_label(
    simulator: Simulator, code: int | None
) -> None:
    message_id, receipt = receipt_from_simulator(simulator, "undelivered", code)

    expected: Failure = plivo._RECEIPTS[code or 1000]
    assert receipt == Receipt(
        message_id,
        "undelivered",
        expected,
        str(code or 1000),
        price=0.003,
        currency="USD",
    )


def test_the_price_is_that_of_all_units() -> None:
    fields = {"Units": "2", "TotalRate": "0.00300", "TotalAmount": "0.00600"}

    (receipt,) = read_fields(Status="sent", **fields)

    assert (receipt.price, receipt.currency) == (0.006, "USD")
