"""Plivo's Message API and its delivery receipts.

A refusal has a text and no code of its own: the HTTP status is what there is.
"""

import base64
import hmac
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from services.sms.documents import dig_text, read_form, read_object, split_form
from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    UNCLEAR,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.receipts import (
    BadSignature,
    Callback,
    DeliveryStatus,
    Receipt,
    check_token,
    with_price,
)
from services.sms.transport import Reply, Transport, json_body
from utils.crypto import same

# https://www.plivo.com/docs/messaging/api/overview: the HTTP status.
_FAILURES: dict[int, Failure] = {
    400: UNCLEAR,  # invalid parameter: also what one odd number gets
    401: ACCOUNT,  # wrong credentials
    403: ACCOUNT_COUNTRY,  # sending to this country is not switched on
    404: ACCOUNT,  # no such account: the auth id in our settings is wrong
    405: ACCOUNT,  # wrong method: the address in our settings is wrong
    429: TRANSIENT,  # too many requests
    500: TRANSIENT,  # internal error
}

# Receipts name none: accounts are kept in US dollars.
_CURRENCY = "USD"

# https://www.plivo.com/docs/messaging/troubleshooting/error-codes: ErrorCode.
_RECEIPTS: dict[int, Failure] = {
    10: CONTENT,  # invalid message, says the carrier
    20: TRANSIENT_COUNTRY,  # network error at the carrier
    30: CONTENT,  # taken for spam by the carrier
    40: ACCOUNT_COUNTRY,  # invalid source number
    50: RECIPIENT,  # invalid destination number
    60: TRANSIENT_NUMBER,  # loop between carriers
    70: RECIPIENT,  # destination unavailable for good
    80: ABSENT,  # destination unavailable for now
    90: TRANSIENT_COUNTRY,  # no route
    100: TRANSIENT_COUNTRY,  # prohibited by the carrier
    110: CONTENT,  # too long
    200: OPTED_OUT,  # answered STOP
    300: TRANSIENT,  # Plivo could not dispatch it
    420: TRANSIENT,  # expired in Plivo's queue
    450: ACCOUNT_COUNTRY,  # sending to this country is not switched on
    451: FRAUD,  # over the country's threshold of Fraud Shield
    900: ACCOUNT,  # no credit
    910: ACCOUNT,  # account disabled
    1000: TRANSIENT_COUNTRY,  # unknown
}

_STATUSES: dict[str, DeliveryStatus] = {
    "queued": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
}

# https://www.plivo.com/docs/messaging/api/message: message_expiry, the life in the
# queue.
_MIN_EXPIRY_SECONDS, _MAX_EXPIRY_SECONDS = 5, 10_799


class PlivoProvider:
    """Sends through Plivo, from ``sender``, and has it log neither number nor text."""

    name = "plivo"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        auth_id: str,
        auth_token: str,
        *,
        sender: str,
        transport: Transport,
        receipts_url: str | None = None,
    ) -> None:
        self._credentials = (auth_id, auth_token)
        self._path = f"/v1/Account/{auth_id}/Message/"
        self._sender = sender
        self._transport = transport
        self._receipts_url = receipts_url

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        reply = self._transport.post(
            self._path,
            json_body(self._write(message)),
            auth=self._credentials,
            deadline=deadline,
        )
        return _read(reply)

    def _write(self, message: Message) -> dict[str, Any]:
        expiry = message.ttl_within(_MIN_EXPIRY_SECONDS, _MAX_EXPIRY_SECONDS)
        written: dict[str, Any] = {
            "src": (message.sender or self._sender).removeprefix("+"),
            "dst": message.phone.e164.removeprefix("+"),
            "text": message.text,
            "type": "sms",
            "message_expiry": expiry,
            "log": "false",
        }
        if self._receipts_url:
            written |= {"url": self._receipts_url, "method": "POST"}
        if message.dlt:
            written |= {
                "dlt_entity_id": message.dlt.entity_id,
                "dlt_template_id": message.dlt.template_id,
                # What a code is, unless a bank sends it (TRAI TCCCPR 2018).
                "dlt_template_category": "service_implicit",
            }
        return written


def _read(reply: Reply) -> Accepted:
    message_id = dig_text(read_object(reply.body), "message_uuid", 0)
    if reply.status < HTTPStatus.MULTIPLE_CHOICES and message_id:
        return Accepted(message_id)
    known = _FAILURES.get(reply.status)
    if known is not None:
        raise error_for(known, f"http_{reply.status}")
    raise error_for_status(reply.status)


class PlivoReceipts:
    """Reads Plivo's delivery receipts: signed with the auth token, to a secret path.

    https://www.plivo.com/docs/messaging/concepts/signature-validation promises the
    second version of the signature alone. That covers the address and a nonce, and not
    what the receipt says: whoever saw one could write others, but for the path.
    """

    def __init__(self, auth_token: str, *, token: str) -> None:
        self._auth_token = auth_token.encode()
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the receipt says; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        self._check_signature(callback)
        fields = read_form(callback.body)
        receipt = _read_receipt(fields)
        price = fields.get("TotalAmount")
        return [with_price(receipt, price, _CURRENCY)] if receipt else []

    def _check_signature(self, callback: Callback) -> None:
        """Check the third version, or the second where the third is not sent."""
        version, signed = "v2", _address(callback)
        if "x-plivo-signature-v3" in callback.headers:
            version, signed = "v3", _sign_all(callback)
        name = f"x-plivo-signature-{version}"
        nonce = callback.headers.get(f"{name}-nonce", "")
        digest = hmac.digest(self._auth_token, f"{signed}{nonce}".encode(), "sha256")
        expected = base64.b64encode(digest).decode()
        # There are several while a token is being changed. A subaccount's receipts have
        # the main account's signature in a header of its own ("ma").
        headers = (name, name.replace("signature-", "signature-ma-"))
        given = ",".join(callback.headers.get(it, "") for it in headers)
        if not any(same(expected, it.strip()) for it in given.split(",")):
            raise BadSignature


def _address(callback: Callback) -> str:
    parts = urlsplit(callback.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _sign_all(callback: Callback) -> str:
    """Return what the third version signs, up to its nonce.

    Raises:
        BadSignature: there is more than Plivo ever sends.
    """
    try:
        query = sorted(split_form(urlsplit(callback.url).query))
        fields = sorted(split_form(callback.body.decode(errors="replace")))
    except ValueError:
        raise BadSignature from None
    asked = "&".join(f"{name}={value}" for name, value in query)
    told = "".join(f"{name}{value}" for name, value in fields)
    mark = "?" if query or fields else ""
    joint = "." if query and fields else ""
    return f"{_address(callback)}{mark}{asked}{joint}{told}."


def _read_receipt(fields: dict[str, str]) -> Receipt | None:
    # Of a text in parts, each has an id of its own; the answer had the parent's.
    message_id = fields.get("ParentMessageUUID") or fields.get("MessageUUID")
    word = fields.get("Status", "")
    status = _STATUSES.get(word)
    if not message_id or status is None:
        return None
    if status != "undelivered":
        return Receipt(message_id, status)
    code = read_code(fields.get("ErrorCode"))
    failure = _RECEIPTS.get(code or 0, TRANSIENT_COUNTRY)
    return Receipt(message_id, status, failure, str(code or word))
