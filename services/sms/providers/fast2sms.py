"""Fast2SMS, which serves Indian numbers only (docs.fast2sms.com, bulkV2)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from services.sms.documents import read_form, read_object
from services.sms.failures import (
    ACCOUNT,
    CONTENT,
    RECIPIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    UNCLEAR,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Accepted, Channel, Failure, Message, ProviderFailure
from services.sms.receipts import Callback, DeliveryStatus, Receipt, check_token
from services.sms.segments import is_gsm7
from services.sms.transport import Reply, Transport, form_body

Route = Literal["otp", "dlt", "q"]

# https://docs.fast2sms.com/reference/error-code-list: the body's status_code, which is
# not the HTTP status.
_FAILURES: dict[int, Failure] = {
    401: CONTENT,  # sender id missing
    402: CONTENT,  # message text missing
    403: CONTENT,  # route missing
    404: CONTENT,  # language missing
    405: CONTENT,  # numbers missing
    406: CONTENT,  # invalid sender id
    407: CONTENT,  # invalid words in the message
    408: CONTENT,  # invalid route
    409: CONTENT,  # route not authorised
    410: CONTENT,  # invalid language
    411: RECIPIENT,  # invalid numbers
    412: ACCOUNT,  # invalid key
    413: ACCOUNT,  # key disabled
    414: ACCOUNT,  # our address is blacklisted
    415: ACCOUNT,  # account disabled
    416: ACCOUNT,  # the wallet is empty
    417: CONTENT,  # the text needs language=unicode
    424: CONTENT,  # invalid message id
    425: CONTENT,  # invalid template
    426: CONTENT,  # a link in the variables
    500: CONTENT,  # template or sender blacklisted at DLT
    990: ACCOUNT,  # old API
    995: TRANSIENT_NUMBER,  # too many to this number: another vendor may
    996: ACCOUNT,  # KYC not complete, which route otp needs
    997: CONTENT,  # route otp takes digits only
    998: CONTENT,  # needs route dlt or q
    999: ACCOUNT,  # first recharge missing
}

# What the vendor puts into the webhook's status. It publishes no list, and no code for
# why a text did not arrive: another vendor may do better.
_STATUSES: Mapping[str, DeliveryStatus] = {
    "pending": "accepted",
    "submitted": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "failed": "undelivered",
    "rejected": "undelivered",
    "undelivered": "undelivered",
}

_NATIONAL_DIGITS = 10


class Fast2SmsProvider:
    """Sends through Fast2SMS.

    ``route`` decides who words the text: ``otp`` the vendor, ``dlt`` the template
    registered as ``message_id`` under ``sender_id`` (its variables are code and
    minutes), ``q`` we do, at several times the price.
    """

    name = "fast2sms"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = frozenset({"IN"})
    status = "accepted"

    def __init__(
        self,
        api_key: str,
        *,
        transport: Transport,
        route: Route = "otp",
        sender_id: str | None = None,
        message_id: str | None = None,
    ) -> None:
        if route == "dlt" and not (sender_id and message_id):
            raise ValueError("route dlt needs a sender id and a message id")
        self._headers = {"authorization": api_key}
        self._transport = transport
        self._route = route
        self._sender_id = sender_id or ""
        self._message_id = message_id or ""

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        number = message.phone.national
        if (
            message.phone.region not in self.countries
            or len(number) != _NATIONAL_DIGITS
        ):
            raise error_for(RECIPIENT, "local")
        reply = self._transport.post(
            "/dev/bulkV2",
            form_body(
                {
                    "route": self._route,
                    "numbers": number,
                    "flash": "0",
                    **self._content(message),
                }
            ),
            headers=self._headers,
            deadline=deadline,
        )
        return _read(reply, message.reference)

    def _content(self, message: Message) -> dict[str, str]:
        if self._route == "otp":
            return {"variables_values": message.code}
        if self._route == "q":
            # Letters with accents it refuses as english, which GSM-7 has some of.
            is_english = message.text.isascii() and is_gsm7(message.text)
            language = "english" if is_english else "unicode"
            return {"message": message.text, "language": language}
        return {
            "sender_id": message.sender or self._sender_id,
            "message": self._message_id,
            "variables_values": f"{message.code}|{message.minutes}",
        }


class Fast2SmsReceipts:
    """Reads the webhook that is set up in the vendor's dashboard.

    The vendor signs nothing and lets us say what it posts: ``request_id``, ``mobile``
    and ``status``, as JSON or as a form, to an address that ends in ``token``.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the vendor says; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        fields = read_object(callback.body) or read_form(callback.body)
        message_id, word = fields.get("request_id"), fields.get("status")
        if not (message_id and isinstance(message_id, str)):
            return ()
        word = word.strip().lower() if isinstance(word, str) else ""
        status = _STATUSES.get(word, "unknown")
        if status != "undelivered":
            return (Receipt(message_id, status),)
        return (Receipt(message_id, status, TRANSIENT_COUNTRY, word),)


def _read(reply: Reply, reference: str) -> Accepted:
    # Its message is left alone: text that may repeat the number, in a list or not.
    answer = read_object(reply.body)
    if reply.status < HTTPStatus.MULTIPLE_CHOICES and answer.get("return") is True:
        # An id that is left out is no reason to send again elsewhere: it said yes.
        return Accepted(str(answer.get("request_id") or reference))
    raise _failure_for(reply.status, answer)


def _failure_for(status: int, answer: dict[str, Any]) -> ProviderFailure:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # A server in trouble speaks, not the application: its 500 is no DLT error.
        return error_for_status(status)
    code = read_code(answer.get("status_code"))
    known = _FAILURES.get(code or 0)
    if known is not None:
        return error_for(known, str(code))
    if status < HTTPStatus.MULTIPLE_CHOICES and answer.get("return") is False:
        # It says no under a 200 too.
        return error_for(UNCLEAR, str(code or "unknown"))
    return error_for_status(status, code)
