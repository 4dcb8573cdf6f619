"""Vonage's SMS API, its delivery receipts and its Conversion API.

Every answer is a 200; each part of a text has a status of its own in it.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal

from services.sms.documents import dig, dig_list, dig_text, read_form, read_object
from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    CONTENT,
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
from services.sms.segments import is_gsm7
from services.sms.transport import Reply, Transport, form_body
from utils.clock import Clock
from utils.crypto import same

SignatureMethod = Literal["md5hash", "md5", "sha1", "sha256", "sha512"]

# https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms: the status
# of a part that was not taken.
_FAILURES: dict[int, Failure] = {
    1: TRANSIENT,  # throttled
    2: CONTENT,  # missing parameter
    3: UNCLEAR,  # invalid parameter: also what one odd number gets
    4: ACCOUNT,  # wrong credentials
    5: TRANSIENT,  # internal error
    6: TRANSIENT_NUMBER,  # not processed, such as an unknown prefix
    7: RECIPIENT,  # number barred
    8: ACCOUNT,  # account suspended
    9: ACCOUNT,  # no credit
    10: TRANSIENT,  # too many connections at once
    11: ACCOUNT,  # account not enabled for this API
    12: CONTENT,  # too long
    14: ACCOUNT,  # invalid signature: the account asks for signed requests
    15: ACCOUNT_COUNTRY,  # sender not allowed there
    22: TRANSIENT_COUNTRY,  # invalid network code
    23: ACCOUNT,  # the callback URL in our settings is invalid
    29: ACCOUNT,  # demo account: the number is not on its list
    32: ACCOUNT,  # signature and secret together
    33: RECIPIENT,  # number given up
}

# https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts: err-code.
_RECEIPTS: dict[int, Failure] = {
    1: TRANSIENT_COUNTRY,  # no cause known
    2: ABSENT,  # handset not available for now
    3: RECIPIENT,  # number no longer active
    4: RECIPIENT,  # barred by the subscriber
    5: TRANSIENT_NUMBER,  # number porting
    6: CONTENT,  # taken for spam by the carrier
    7: ABSENT,  # handset busy
    8: TRANSIENT_COUNTRY,  # network error
    9: OPTED_OUT,  # "illegal number": asked not to get texts from this service
    10: CONTENT,  # illegal message
    11: TRANSIENT_COUNTRY,  # no route
    12: TRANSIENT_NUMBER,  # no route to this number
    13: RECIPIENT,  # too young for this service
    14: RECIPIENT,  # texts are off in the subscriber's plan
    15: RECIPIENT,  # prepaid without the credit to receive
    16: TRANSIENT,  # quota of the gateway exceeded
    50: ACCOUNT_COUNTRY,  # India DLT: entity
    51: ACCOUNT_COUNTRY,  # India DLT: header
    52: CONTENT,  # India DLT: text is not the template's
    53: CONTENT,  # India DLT: consent, which the template's category asks for
    54: ACCOUNT_COUNTRY,  # regulation
    99: TRANSIENT_COUNTRY,  # general error, mostly of the route
}

# The same page's statuses. Accepted means by the carrier.
_STATUSES: dict[str, DeliveryStatus] = {
    "accepted": "sent",
    "buffered": "sent",
    "delivered": "delivered",
    "expired": "undelivered",
    "failed": "undelivered",
    "rejected": "undelivered",
    "unknown": "unknown",
}

# https://developer.vonage.com/en/api/sms
_MIN_TTL_SECONDS, _MAX_TTL_SECONDS = 20, 604_800
_MAX_CALLBACK_LENGTH = 100

# Receipts name none: accounts are kept in euros, whoever they are.
# https://developer.vonage.com/en/account/code-snippets/account-balance
_CURRENCY = "EUR"


class VonageProvider:
    """Sends through Vonage, from ``sender``, and reports conversions.

    A ``receipts_url`` of more than 100 characters is not sent along, for Vonage would
    refuse the text: receipts then go where the dashboard says.
    """

    name = "vonage"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        *,
        sender: str,
        transport: Transport,
        conversion_base_url: str,
        clock: Clock,
        receipts_url: str | None = None,
    ) -> None:
        self._api_key, self._api_secret = api_key, api_secret
        self._sender = sender
        self._transport = transport
        self._conversions_url = f"{conversion_base_url}/conversions/sms"
        self._clock = clock
        self._receipt_options: dict[str, str] = {}
        if receipts_url:
            self._receipt_options["status-report-req"] = "1"
            if len(receipts_url) <= _MAX_CALLBACK_LENGTH:
                self._receipt_options["callback"] = receipts_url

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        reply = self._transport.post(
            "/sms/json",
            form_body(self._write(message)),
            auth=(self._api_key, self._api_secret),
            deadline=deadline,
        )
        return _read(reply)

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """Report; see ``ReportsConversion``. Vonage enables accounts on request."""
        now = time.gmtime(self._clock.now())
        reply = self._transport.post(
            self._conversions_url,
            form_body(
                {
                    # Here they go with the fields: this API has no Basic.
                    "api_key": self._api_key,
                    "api_secret": self._api_secret,
                    "message-id": message_id,
                    "delivered": "true" if converted else "false",
                    "timestamp": time.strftime("%Y-%m-%d %H:%M:%S", now),
                }
            ),
            deadline=deadline,
        )
        if reply.status == HTTPStatus.PAYMENT_REQUIRED:
            # Not a matter of money: it is Vonage's word for an account not enabled.
            raise error_for(ACCOUNT, f"http_{reply.status}")
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise error_for_status(reply.status)

    def _write(self, message: Message) -> dict[str, str]:
        ttl = message.ttl_within(_MIN_TTL_SECONDS, _MAX_TTL_SECONDS)
        fields = {
            "from": (message.sender or self._sender).removeprefix("+"),
            "to": message.phone.e164.removeprefix("+"),
            "text": message.text,
            "type": "text" if is_gsm7(message.text) else "unicode",
            "ttl": str(ttl * 1000),
            **self._receipt_options,
        }
        if message.reference:
            fields["client-ref"] = message.reference
        if message.dlt:
            fields["entity-id"] = message.dlt.entity_id
            fields["content-id"] = message.dlt.template_id
        return fields


def _read(reply: Reply) -> Accepted:
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise error_for_status(reply.status)
    answer = read_object(reply.body)
    statuses = [dig(part, "status") for part in dig_list(answer, "messages")]
    message_id = dig_text(answer, "messages", 0, "message-id")
    refused = [status for status in statuses if status != "0"]
    if message_id and not refused:
        return Accepted(message_id)
    code = read_code(refused[0]) if refused else None
    if code is None:
        raise error_for_status(reply.status)
    if len(refused) < len(statuses):
        # Some parts of the text are on their way.
        raise error_for(AMBIGUOUS, str(code))
    raise error_for(_FAILURES.get(code, UNCLEAR), str(code))


class VonageReceipts:
    """Reads Vonage's delivery receipts, by GET or POST, as a form or JSON.

    With a ``signature_secret`` they must be signed with it, else the path is secret.
    """

    def __init__(
        self,
        *,
        token: str,
        signature_secret: str | None = None,
        signature_method: SignatureMethod = "sha256",
    ) -> None:
        self._token = token
        self._secret = signature_secret.encode() if signature_secret else None
        self._method = signature_method

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the receipt says; see ``ReceiptReader.read``."""
        if self._secret is None:
            check_token(callback, self._token)
        fields = _read_fields(callback)
        if self._secret is not None:
            _check_signature(fields, self._secret, self._method)
        receipt = _read_receipt(fields)
        price = fields.get("price")
        return [with_price(receipt, price, _CURRENCY)] if receipt else []


def _read_fields(callback: Callback) -> Mapping[str, str]:
    if callback.method == "GET":
        return read_form(callback.query.encode())
    if "json" not in callback.headers.get("content-type", ""):
        return read_form(callback.body)
    document = read_object(callback.body)
    return {
        name: str(value)
        for name, value in document.items()
        if isinstance(value, str | int)
    }


def _check_signature(
    fields: Mapping[str, str], secret: bytes, method: SignatureMethod
) -> None:
    """Check ``sig``, which covers every other field.

    https://developer.vonage.com/en/getting-started/concepts/signing-messages. How old
    it is does not matter: a receipt that comes again changes nothing.
    """
    signed = "".join(
        f"&{name}={fields[name].replace('&', '_').replace('=', '_')}"
        for name in sorted(fields)
        if name != "sig"
    )
    if method == "md5hash":
        # What accounts have from the start: no HMAC, the secret stands at the end.
        expected = hashlib.md5(signed.encode() + secret).hexdigest()  # noqa: S324
    else:
        expected = hmac.digest(secret, signed.encode(), method).hex()
    if not same(expected, fields.get("sig", "").lower()):
        raise BadSignature


def _read_receipt(fields: Mapping[str, str]) -> Receipt | None:
    message_id = fields.get("messageId", "")
    word = fields.get("status", "")
    status = _STATUSES.get(word)
    if not message_id or status is None:
        return None
    if status != "undelivered":
        return Receipt(message_id, status)
    code = read_code(fields.get("err-code"))
    # Held until the code's life was over: the phone did not show up.
    usual = ABSENT if word == "expired" else TRANSIENT_COUNTRY
    failure = _RECEIPTS.get(code, usual) if code else usual
    return Receipt(message_id, status, failure, str(code or word))
