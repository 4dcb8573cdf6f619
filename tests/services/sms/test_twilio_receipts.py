"""Twilio's status callbacks: the signature, and what they say of a message."""

from dataclasses import replace

import pytest

from services.sms import failures
from services.sms.provider import Failure
from services.sms.providers.twilio import TwilioReceipts
from services.sms.providers.twilio_signature import SignedForms
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.callbacks import assert_refused, callback_of, signed_form
from tests.services.sms.contract.twilio import make
from tests.services.sms.contract.vendor import send
from tests.services.sms.posting import make_transport
from tests.simulator import Simulator
from tests.simulator.inbox import Code
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.twilio import Twilio
from tests.simulator.vendor import State

URL = "https://auth.example/api/webhooks/twilio"
FORM = (("content-type", "application/x-www-form-urlencoded"),)

# Two vectors: of Twilio's own documentation, and of a status callback computed apart.
CALL_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = (
    b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234"
    b"&From=%2B14158675309&To=%2B18005551212"
)
STATUS_URL = "https://otp.example.com/v1/webhooks/twilio/status"
STATUS = (
    f"AccountSid=AC{'0' * 32}&ApiVersion=2010-04-01&From=%2B15005550006"
    f"&MessageSid=SM{'1' * 32}&MessageStatus=delivered&SmsSid=SM{'1' * 32}"
    "&SmsStatus=delivered&To=%2B919876543210"
).encode()
SHARED_KEY = "key=webhooks_sharedkey_1,algorithm="


def signed(url: str, body: bytes, signature: str, settings: str = "") -> Callback:
    headers = {"x-twilio-signature": signature, **dict(FORM)}
    if settings:
        headers["x-twilio-webhooks-signature-settings"] = settings
    return Callback("POST", url, "", headers, body)


def read(**fields: str) -> Receipt:
    reader = TwilioReceipts(DEFAULT_AUTH_TOKEN)
    (receipt,) = reader.read(signed_form(URL, DEFAULT_AUTH_TOKEN, fields))
    return receipt


@pytest.mark.parametrize(
    ("token", "callback"),
    [
        ("12345", signed(CALL_URL, CALL, "RSOYDt4T1cUTdK1PDd93/VVr8B8=")),
        ("tok", signed(STATUS_URL, STATUS, "9ABL9xeEQvVrRR184Nd1JkHqOMk=")),
        (
            "tok",
            signed(
                STATUS_URL,
                STATUS,
                "VxJWYPXLagogh3UtbZ/8c50goCmfj3SHQUiGIyWSAdE=",
                f"{SHARED_KEY}HMAC_SHA256",
            ),
        ),
    ],
    ids=["of twilio", "sha1", "sha256"],
)
def test_a_known_signature_is_accepted_and_no_other(
    token: str, callback: Callback
) -> None:
    forms = SignedForms(token)

    assert forms.read(callback)
    for forged in (
        replace(callback, url=callback.url + "x"),
        replace(callback, body=callback.body + b"&Digits=5"),
        replace(callback, headers={}),
    ):
        with pytest.raises(BadSignature):
            forms.read(forged)
    with pytest.raises(BadSignature):
        SignedForms("another").read(callback)


def test_the_port_that_a_proxy_adds_does_not_matter() -> None:
    url = STATUS_URL.replace("otp.example.com", "otp.example.com:443")

    assert SignedForms("tok").read(signed(url, STATUS, "9ABL9xeEQvVrRR184Nd1JkHqOMk="))


@pytest.mark.parametrize("algorithm", ["HMAC_MD5", "none", "HMAC_SHA256"])
def test_the_signature_must_be_of_the_algorithm_that_is_named(
    algorithm: str, caplog: pytest.LogCaptureFixture
) -> None:
    callback = signed(
        STATUS_URL,
        STATUS,
        "9ABL9xeEQvVrRR184Nd1JkHqOMk=",
        f"{SHARED_KEY}{algorithm}",
    )

    assert_refused(TwilioReceipts("tok"), callback)
    assert caplog.records == []


@pytest.mark.parametrize(
    ("url", "body"),
    [
        (URL, b""),
        (URL, b"\xff\xfe%ff&&=&==x"),
        (URL, b'{"MessageSid": "SM1"}'),
        (f"{URL}?bodySHA256=1", b"MessageSid=SM1"),
    ],
)
def test_what_is_not_signed_is_refused_whatever_it_is(url: str, body: bytes) -> None:
    for signature in ("", "x" * 28, "é"):
        assert_refused(TwilioReceipts("tok"), signed(url, body, signature))


def test_a_repeated_and_an_empty_field_are_signed_too() -> None:
    # Computed by hand over URL + "A" "1" "A" "2" "B" "" + the MessageSid's.
    fields = {"A": "1A2", "B": "", "MessageSid": "SM1"}
    callback = signed_form(URL, "tok", fields)
    doubled = replace(callback, body=b"B=&A=2&MessageSid=SM1&A=1&A=2")

    assert TwilioReceipts("tok").read(doubled) == (Receipt("SM1", "unknown"),)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", "accepted"),
        ("sending", "accepted"),
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("partially_delivered", "unknown"),
        ("", "unknown"),
    ],
)
def test_twilio_says_how_far_a_message_came(word: str, status: str) -> None:
    receipt = read(MessageSid="SM1", MessageStatus=word, Surprise="new in 2027")

    assert (receipt.message_id, receipt.status) == ("SM1", status)
    assert (receipt.failure, receipt.vendor_code) == (None, "")


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (30003, failures.ABSENT),
        (30004, failures.RECIPIENT),
        (30005, failures.RECIPIENT),
        (30006, failures.RECIPIENT),
        (30007, failures.CONTENT),
        (30008, failures.TRANSIENT_COUNTRY),
        (30017, failures.TRANSIENT_COUNTRY),
        (30018, failures.ACCOUNT_COUNTRY),
        (30022, failures.TRANSIENT_COUNTRY),
        (30023, failures.TRANSIENT_COUNTRY),
        (30024, failures.ACCOUNT_COUNTRY),
        (30027, failures.TRANSIENT_COUNTRY),
        (30032, failures.ACCOUNT_COUNTRY),
        (30034, failures.ACCOUNT_COUNTRY),
        (30036, failures.TRANSIENT_COUNTRY),
        (30410, failures.TRANSIENT_COUNTRY),
        (30450, failures.FRAUD),
        (21610, failures.OPTED_OUT),
        (39999, failures.TRANSIENT_COUNTRY),
    ],
)
def test_twilio_says_why_a_message_did_not_arrive(code: int, failure: Failure) -> None:
    receipt = read(MessageSid="SM1", MessageStatus="undelivered", ErrorCode=str(code))

    assert receipt == Receipt("SM1", "undelivered", failure, str(code))


@pytest.mark.parametrize("error_code", ["", "soon", "0"])
def test_a_failure_without_a_readable_code_is_the_routes(error_code: str) -> None:
    receipt = read(MessageSid="SM1", MessageStatus="failed", ErrorCode=error_code)

    assert receipt == Receipt(
        "SM1", "undelivered", failures.TRANSIENT_COUNTRY, "failed"
    )


def test_a_callback_about_something_else_is_no_receipt() -> None:
    callback = signed_form(URL, "tok", {"CallSid": "CA1", "CallStatus": "completed"})

    assert TwilioReceipts("tok").read(callback) == ()


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("sent", None),
        ("delivered", None),
        ("undelivered", None),
        *(("undelivered", code) for code in Twilio.receipt_codes),
    ],
)
def test_a_receipt_of_the_simulator_is_read(
    simulator: Simulator, state: State, code: Code | None
) -> None:
    message_id = send(make(make_transport(simulator.url), status_callback=URL))
    (message,) = simulator.messages()
    assert message.receipts_url == URL
    vendor = Twilio(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN)
    call = vendor.receipt(message, state, code, URL)

    (receipt,) = TwilioReceipts(DEFAULT_AUTH_TOKEN).read(callback_of(call))

    assert (receipt.message_id, receipt.status) == (message_id, state)
    assert receipt.vendor_code == (str(code or 30008) if state == "undelivered" else "")
    assert_refused(TwilioReceipts("another"), callback_of(call))
