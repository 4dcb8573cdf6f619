"""MessageBird's REST API for texts, its status reports and its conversions."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from services.sms.documents import dig, dig_text, read_form, read_object
from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
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
from services.sms.gsm_errors import GSM_ERRORS
from services.sms.provider import Accepted, Channel, Failure, Message, ProviderFailure
from services.sms.receipts import (
    Callback,
    DeliveryStatus,
    Receipt,
    check_token,
    with_price,
)
from services.sms.transport import Reply, Transport, form_body, json_body

# https://developers.messagebird.com/api/#api-errors: the first error's code.
_FAILURES: dict[int, Failure] = {
    2: ACCOUNT,  # wrong access key, or not allowed to it
    9: CONTENT,  # a parameter is missing
    10: CONTENT,  # a parameter is invalid
    20: ACCOUNT,  # not found: the address in our settings is wrong
    21: UNCLEAR,  # bad request
    25: ACCOUNT,  # no balance
    98: ACCOUNT,  # no such API: the address in our settings is wrong
    99: TRANSIENT,  # internal error
    101: TRANSIENT_NUMBER,  # the same once more
}

# What codes 9 and 10 mean where they name the parameter.
_PARAMETERS: dict[str, Failure] = {
    "recipient": RECIPIENT,
    "recipients": RECIPIENT,
    "originator": ACCOUNT_COUNTRY,
    "reportUrl": ACCOUNT,
}
_PARAMETER_CODES = frozenset({9, 10})

# https://docs.bird.com, "SMS Platform Extended Error Codes": statusErrorCode.
_RECEIPTS: dict[int, Failure] = {
    **GSM_ERRORS,
    103: OPTED_OUT,  # answered STOP
    104: ACCOUNT_COUNTRY,  # sender not registered there
    105: CONTENT,  # text not registered there
    106: TRANSIENT_COUNTRY,  # volume of the campaign exceeded
    107: TRANSIENT_COUNTRY,  # rate of the campaign exceeded
}

# The same page's reasons (statusReason), for a code that the table lacks.
_REASONS: dict[str, Failure] = {
    "unknown subscriber": RECIPIENT,
    "incorrect number": RECIPIENT,
    "unavailable subscriber": ABSENT,
    "opted out": OPTED_OUT,
    "carrier rejected": CONTENT,
    "insufficient balance": ACCOUNT,
}

_STATUSES: dict[str, DeliveryStatus] = {
    "scheduled": "accepted",
    "sent": "sent",
    "buffered": "sent",
    "delivered": "delivered",
    "delivery_failed": "undelivered",
    "expired": "undelivered",
}


class MessageBirdProvider:
    """Sends through MessageBird, from ``sender``."""

    name = "messagebird"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        access_key: str,
        *,
        sender: str,
        transport: Transport,
        receipts_url: str | None = None,
    ) -> None:
        self._headers = {"Authorization": f"AccessKey {access_key}"}
        self._sender = sender
        self._transport = transport
        self._receipts_url = receipts_url

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        fields = {
            "originator": (message.sender or self._sender).removeprefix("+"),
            "recipients": message.phone.e164.removeprefix("+"),
            "body": message.text,
            # "plain", the default, puts a question mark for what GSM-7 lacks.
            "datacoding": "auto",
            "validity": str(message.ttl_seconds),
        }
        if self._receipts_url:
            # Without a reference there are no reports.
            fields["reportUrl"] = self._receipts_url
            fields["reference"] = message.reference or "-"
        reply = self._transport.post(
            "/messages", form_body(fields), headers=self._headers, deadline=deadline
        )
        return _read(reply)

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """Say whether the code came back; see ``ReportsConversion``."""
        reply = self._transport.post(
            "/conversions",
            json_body({"service": "sms", "id": message_id, "success": converted}),
            headers=self._headers,
            deadline=deadline,
        )
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _failure_for(reply)


def _read(reply: Reply) -> Accepted:
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _failure_for(reply)
    answer = read_object(reply.body)
    message_id = dig_text(answer, "id")
    if not message_id:
        raise error_for_status(reply.status)
    recipient = dig(answer, "recipients", "items", 0)
    if _STATUSES.get(dig_text(recipient, "status")) == "undelivered":
        # Created dead: it says why as a report does.
        code = read_code(dig(recipient, "statusErrorCode"))
        failure = _failure_of_delivery(code, dig_text(recipient, "statusReason"))
        raise error_for(failure, str(code or "delivery_failed"))
    return Accepted(message_id)


def _failure_for(reply: Reply) -> ProviderFailure:
    error = dig(read_object(reply.body), "errors", 0)
    code = read_code(dig(error, "code"))
    known = _FAILURES.get(code or 0)
    if known is None:
        return error_for_status(reply.status, code)
    if code in _PARAMETER_CODES:
        known = _PARAMETERS.get(dig_text(error, "parameter"), known)
    return error_for(known, str(code))


def _failure_of_delivery(code: int | None, reason: str) -> Failure:
    return (
        _RECEIPTS.get(code or 0)
        or _REASONS.get(reason.replace("_", " "))
        or TRANSIENT_COUNTRY
    )


class MessageBirdReceipts:
    """Reads MessageBird's status reports.

    They come as GET with a query, to a secret path. Their signature, the JWT in
    ``MessageBird-Signature-JWT``, would need another key than the one that sends, so it
    is not asked for.
    """

    def __init__(self, *, token: str) -> None:
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the report says; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        fields = read_form(callback.query.encode())
        receipt = _read_report(fields)
        price = fields.get("price[amount]")
        currency = fields.get("price[currency]", "")
        return [with_price(receipt, price, currency)] if receipt else []


def _read_report(fields: Mapping[str, str]) -> Receipt | None:
    message_id = fields.get("id")
    status = _STATUSES.get(fields.get("status", ""))
    if not message_id or status is None:
        return None
    if status != "undelivered":
        return Receipt(message_id, status)
    code = read_code(fields.get("statusErrorCode"))
    failure = _failure_of_delivery(code, fields.get("statusReason", ""))
    return Receipt(message_id, status, failure, str(code or fields["status"]))
