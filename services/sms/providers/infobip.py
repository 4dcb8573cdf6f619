"""Infobip's SMS API, version 3, and its delivery reports.

A 200 can say no: every message has a status of its own, and so can an error below it.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from services.sms.documents import dig, dig_list, dig_text, read_object
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
    read_word,
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
from services.sms.transport import Reply, Transport, json_body

# https://www.infobip.com/docs/essentials/response-status-and-error-codes: the status's
# group says yes or no, its id why. Words come instead when nothing of a request is
# taken.
_FAILURES: dict[int | str, Failure] = {
    4: TRANSIENT_COUNTRY,  # rejected by the operator
    6: TRANSIENT_NUMBER,  # this network is not covered, or not in our contract
    8: TRANSIENT_NUMBER,  # a prefix that Infobip does not know
    9: TRANSIENT_COUNTRY,  # handed to the operator, not delivered
    10: TRANSIENT_NUMBER,  # the number is on the country's DND list for this route
    11: ACCOUNT_COUNTRY,  # sender not registered
    12: ACCOUNT,  # no credit
    13: ACCOUNT_COUNTRY,  # sender blocklisted
    14: TRANSIENT_NUMBER,  # on Infobip's own blocklist, which others do not share
    15: TRANSIENT_COUNTRY,  # expired at the operator
    17: ACCOUNT,  # prepaid package expired
    18: ACCOUNT,  # trial account: the number is not verified
    19: TRANSIENT_NUMBER,  # no route to this number's network
    20: TRANSIENT_NUMBER,  # more than 6 same or 20 texts to this number in an hour
    21: TRANSIENT,  # internal error
    24: CONTENT,  # invalid user data header
    25: CONTENT,  # too long
    29: TRANSIENT_COUNTRY,  # expired, and the operator does not say how
    51: CONTENT,  # no number
    52: RECIPIENT,  # invalid number
    87: FRAUD,  # Infobip Signals blocks it
    "BAD_REQUEST": UNCLEAR,  # also what one odd number gets
    "FORBIDDEN": ACCOUNT,  # the key may not send texts
    "GENERAL_ERROR": TRANSIENT,  # internal error
    "TOO_MANY_REQUESTS": TRANSIENT,
    "UNAUTHORIZED": ACCOUNT,  # wrong key, or another account's base URL
}

# The same page's error codes, which only a delivery report has.
_RECEIPTS: dict[int, Failure] = {
    **GSM_ERRORS,
    256: ABSENT,  # the phone's memory is full
    351: RECIPIENT,  # invalid number
    500: TRANSIENT_COUNTRY,  # general error at the operator
    502: TRANSIENT_COUNTRY,  # no answer from the operator
    541: TRANSIENT_COUNTRY,  # rate of the sender exceeded
    542: TRANSIENT_COUNTRY,  # quota of the brand exceeded
    561: CONTENT,  # text blocked by the operator
    603: OPTED_OUT,  # answered STOP
    604: CONTENT,  # text blocked by the campaign's list
    607: CONTENT,  # taken for spam
    608: FRAUD,  # Infobip Signals blocks it
    2050: TRANSIENT_NUMBER,  # on the operator's DND list
    2052: TRANSIENT_NUMBER,  # on Infobip's own blocklist
    2053: ACCOUNT_COUNTRY,  # sender blocklisted
    3041: RECIPIENT,  # number given up
    4103: TRANSIENT_NUMBER,  # too many texts to this number
    4104: TRANSIENT_NUMBER,  # too many same texts to this number
}

_ACCEPTED, _PENDING, _UNDELIVERABLE, _DELIVERED, _EXPIRED, _REJECTED = range(6)
_TAKEN = frozenset({_ACCEPTED, _PENDING, _DELIVERED})
_DEAD = frozenset({_UNDELIVERABLE, _EXPIRED, _REJECTED})

# Status ids which say more or less than their group does.
_ACCEPTED_ONLY = 26
_DELIVERED_TO_OPERATOR = 2
_EXPIRED_UNREPORTED = 29

# The group of errors which are about the phone and its subscription.
_HANDSET_ERRORS = 1


class InfobipProvider:
    """Sends through Infobip, from ``sender``, at the account's own base URL."""

    name = "infobip"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        api_key: str,
        *,
        sender: str,
        transport: Transport,
        receipts_url: str | None = None,
    ) -> None:
        self._headers = {"Authorization": f"App {api_key}"}
        self._sender = sender
        self._transport = transport
        self._receipts_url = receipts_url

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        reply = self._transport.post(
            "/sms/3/messages",
            json_body({"messages": [self._write(message)]}),
            headers=self._headers,
            deadline=deadline,
        )
        return _read(reply)

    def _write(self, message: Message) -> dict[str, Any]:
        options: dict[str, Any] = {
            "validityPeriod": {"amount": message.ttl_seconds, "timeUnit": "SECONDS"}
        }
        if message.dlt:
            options["regional"] = {
                "indiaDlt": {
                    "principalEntityId": message.dlt.entity_id,
                    "contentTemplateId": message.dlt.template_id,
                }
            }
        written: dict[str, Any] = {
            "sender": (message.sender or self._sender).removeprefix("+"),
            "destinations": [{"to": message.phone.e164.removeprefix("+")}],
            "content": {"text": message.text},
            "options": options,
        }
        if self._receipts_url:
            written["webhooks"] = {
                "delivery": {"url": self._receipts_url, "intermediateReport": True},
                "contentType": "application/json",
            }
        return written


def _read(reply: Reply) -> Accepted:
    answer = read_object(reply.body)
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise _failure_for(reply.status, answer)
    message = dig(answer, "messages", 0)
    group = _read_group(message)
    message_id = dig_text(message, "messageId")
    if message_id and group in _TAKEN:
        return Accepted(message_id)
    if group in _DEAD:
        code = read_code(dig(message, "status", "id"))
        known = _FAILURES.get(code or 0, UNCLEAR)
        raise error_for(known, str(code or "unknown"))
    raise error_for_status(reply.status)


def _failure_for(status: int, answer: dict[str, Any]) -> ProviderFailure:
    word = read_word(dig(answer, "requestError", "serviceException", "messageId"))
    known = _FAILURES.get(word or "")
    if known is not None:
        return error_for(known, str(word))
    if word is None and status == HTTPStatus.FORBIDDEN:
        # The word for it, left out.
        return error_for(_FAILURES["FORBIDDEN"], f"http_{status}")
    return error_for_status(status, word)


def _read_group(message: object) -> int | None:
    value = dig(message, "status", "groupId")
    return _ACCEPTED if str(value) == "0" else read_code(value)


class InfobipReceipts:
    """Reads Infobip's delivery reports, which are not signed: the path is secret."""

    def __init__(self, *, token: str) -> None:
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the reports say; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        reports = dig_list(read_object(callback.body), "results")
        receipts = ((_read_report(report), report) for report in reports)
        return [
            with_price(
                receipt,
                dig(report, "price", "pricePerMessage"),
                dig_text(report, "price", "currency"),
            )
            for receipt, report in receipts
            if receipt is not None
        ]


def _read_report(report: object) -> Receipt | None:
    message_id = dig_text(report, "messageId")
    group = _read_group(report)
    if not message_id or group not in _TAKEN | _DEAD:
        return None
    status_id = read_code(dig(report, "status", "id")) or 0
    status = _delivery_status(group, status_id)
    if status != "undelivered":
        return Receipt(message_id, status)
    error_id = read_code(dig(report, "error", "id")) or 0
    failure = (
        _RECEIPTS.get(error_id)
        or _failure_of_handset(report)
        or _FAILURES.get(status_id)
        or TRANSIENT_COUNTRY
    )
    return Receipt(message_id, status, failure, str(error_id or status_id or "unknown"))


def _delivery_status(group: int | None, status_id: int) -> DeliveryStatus:
    if group == _DELIVERED:
        return "sent" if status_id == _DELIVERED_TO_OPERATOR else "delivered"
    if group in {_ACCEPTED, _PENDING}:
        is_held = group == _ACCEPTED or status_id == _ACCEPTED_ONLY
        return "accepted" if is_held else "sent"
    return "unknown" if status_id == _EXPIRED_UNREPORTED else "undelivered"


def _failure_of_handset(report: object) -> Failure | None:
    """Judge an error that the table lacks: each says itself whether it is for good."""
    if dig(report, "error", "groupId") != _HANDSET_ERRORS:
        return None
    return RECIPIENT if dig(report, "error", "permanent") is True else ABSENT
