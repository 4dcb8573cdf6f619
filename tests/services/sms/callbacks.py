"""What the receipt tests share: the simulator's calls as the readers get them."""

from urllib.parse import urlsplit

import pytest

from services.sms.receipts import BadSignature, Callback, ReceiptReader
from tests.simulator.twilio_account import TwilioAccount
from tests.simulator.vendor import ReceiptCall


def callback_of(call: ReceiptCall, *, token: str = "") -> Callback:
    return Callback(
        call.method,
        call.url,
        urlsplit(call.url).query,
        {name.lower(): value for name, value in call.headers},
        call.body,
        token,
    )


def signed_form(url: str, auth_token: str, fields: dict[str, str]) -> Callback:
    return callback_of(TwilioAccount("AC0", auth_token).call_back(url, fields))


def assert_refused(reader: ReceiptReader, callback: Callback) -> None:
    with pytest.raises(BadSignature):
        reader.read(callback)
