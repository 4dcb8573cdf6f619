"""Reading what vendors, or others in their name, write."""

import pytest

from services.sms.documents import read_form, split_form
from services.sms.providers.plivo import PlivoReceipts
from services.sms.providers.twilio import TwilioReceipts
from services.sms.receipts import BadSignature, Callback, ReceiptReader


def test_a_form_is_read_to_its_last_field() -> None:
    assert read_form(b"a=1&b=2&a=3&c=") == {"a": "3", "b": "2", "c": ""}


def test_more_fields_than_a_vendor_sends_are_not_read() -> None:
    assert read_form(b"&".join([b"a=1"] * 201)) == {}
    with pytest.raises(ValueError, match="fields"):
        split_form("a=1&" * 201)


@pytest.mark.parametrize(
    "reader",
    [TwilioReceipts("token"), PlivoReceipts("token", token="path")],
    ids=["twilio", "plivo"],
)
def test_thousands_of_fields_are_refused_before_they_are_signed(
    reader: ReceiptReader,
) -> None:
    headers = {
        "x-twilio-signature": "x",
        "x-plivo-signature-v3": "x",
        "x-plivo-signature-v3-nonce": "1",
    }
    body = b"&".join(b"k%d=v" % number for number in range(10_000))

    with pytest.raises(BadSignature):
        reader.read(Callback("POST", "https://a.example/x", "", headers, body, "path"))
