"""MSG91's OTP and Flow APIs, and its delivery reports.

The words of the text are in a template at MSG91, which has the DLT ids too. It says no
under a 200, with a code or in words alone.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

import orjson

from services.sms.documents import dig, dig_list, dig_text, read_form, read_object
from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    CONTENT,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    UNCLEAR,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Accepted, Channel, Failure, Message, ProviderFailure
from services.sms.receipts import Callback, Receipt, check_token
from services.sms.transport import Body, Reply, Transport, json_body

Api = Literal["otp", "flow"]

# https://msg91.com/help/api: error codes, the same in all APIs.
_FAILURES: dict[int, Failure] = {
    101: CONTENT,  # number missing
    102: CONTENT,  # text missing
    103: CONTENT,  # sender id missing
    106: ACCOUNT,  # auth key missing
    107: CONTENT,  # route missing
    201: ACCOUNT,  # wrong credentials
    202: RECIPIENT,  # invalid number
    203: ACCOUNT_COUNTRY,  # invalid sender id
    207: ACCOUNT,  # invalid auth key
    208: ACCOUNT,  # our address is not on the key's list
    301: ACCOUNT,  # no balance
    302: ACCOUNT,  # account expired
    303: ACCOUNT,  # account banned
    306: TRANSIENT,  # route unavailable
    310: CONTENT,  # too long
    311: TRANSIENT_NUMBER,  # the same within 10 s: another vendor may
    400: CONTENT,  # no such flow or template
    418: ACCOUNT,  # our address is not on the key's list
    506: TRANSIENT,  # internal error
}

# In place of its text, an answer may have the code; more digits could be a number.
_CODE = re.compile(r"[0-9]{3}")

# What the newer APIs say in words alone, and the code which that is.
_SAYINGS = {
    "auth key missing": 106,
    "invalid authkey": 207,
    "mobile number empty or not numeric": 202,
}

# https://msg91.com/help/how-can-i-get-the-delivery-reports-on-my-webhook-url: status.
_DELIVERED = 1
_RECEIPTS: dict[int, Failure] = {
    2: TRANSIENT_COUNTRY,  # failed
    9: CONTENT,  # on the DND list, which promotional texts alone heed: wrong category
    16: CONTENT,  # rejected by the operator
    17: TRANSIENT_NUMBER,  # on MSG91's own blocklist, which others do not share
    25: CONTENT,  # rejected by the operator
}


class Msg91Provider:
    """Sends through MSG91, with the template (or flow) ``template_id``.

    ``api`` says which of the two it is. An OTP template gets the code as ``otp``, a
    flow as ``var1``, with the minutes it lives as ``var2``. Without ``message.sender``
    the template's own sender id counts. MSG91 cannot let a text die with its code.
    """

    name = "msg91"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        auth_key: str,
        *,
        template_id: str,
        transport: Transport,
        api: Api = "otp",
    ) -> None:
        self._headers = {"authkey": auth_key}
        self._template_id = template_id
        self._transport = transport
        self._api = api

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        path, body = (
            self._write_otp(message)
            if self._api == "otp"
            else self._write_flow(message)
        )
        reply = self._transport.post(
            path, body, headers=self._headers, deadline=deadline
        )
        return _read(reply)

    def _write_otp(self, message: Message) -> tuple[str, Body]:
        query = {
            "template_id": self._template_id,
            "mobile": message.phone.e164.removeprefix("+"),
            # Ours: MSG91 would make up another, and is never asked to check it.
            "otp": message.code,
            "otp_expiry": str(message.minutes),
            # The answer waits for what is wrong with the request.
            "realTimeResponse": "1",
        }
        if message.sender:
            query["sender"] = message.sender.removeprefix("+")
        # MSG91 wants these in the URL; the body is for a template's own variables.
        return f"/api/v5/otp?{urlencode(query)}", json_body({})

    def _write_flow(self, message: Message) -> tuple[str, Body]:
        written: dict[str, Any] = {
            "template_id": self._template_id,
            "short_url": "0",
            "recipients": [
                {
                    "mobiles": message.phone.e164.removeprefix("+"),
                    "var1": message.code,
                    "var2": str(message.minutes),
                }
            ],
        }
        if message.sender:
            written["sender"] = message.sender.removeprefix("+")
        return "/api/v5/flow", json_body(written)


def _read(reply: Reply) -> Accepted:
    answer = read_object(reply.body)
    if reply.status >= HTTPStatus.MULTIPLE_CHOICES or answer.get("type") == "error":
        raise _failure_for(reply.status, answer)
    message_id = dig_text(answer, "request_id") or dig_text(answer, "message")
    if answer.get("type") == "success" and message_id:
        return Accepted(message_id)
    raise error_for_status(reply.status)


def _failure_for(status: int, answer: dict[str, Any]) -> ProviderFailure:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # A server in trouble speaks, not the application.
        return error_for_status(status)
    code = read_code(answer.get("code")) or _read_saying(dig_text(answer, "message"))
    known = _FAILURES.get(code or 0)
    if known is not None:
        return error_for(known, str(code))
    if status < HTTPStatus.MULTIPLE_CHOICES:
        # It says no, and not why.
        return error_for(UNCLEAR, str(code or "unknown"))
    return error_for_status(status, code)


def _read_saying(words: str) -> int | None:
    if _CODE.fullmatch(words):
        return int(words)
    return _SAYINGS.get(words.strip(" .").lower())


class Msg91Receipts:
    """Reads MSG91's delivery reports, which are not signed: the path is secret.

    Version 2 of its webhook is a form with JSON in ``data``, version 3 is JSON; version
    4 names no request and says nothing to us.
    """

    def __init__(self, *, token: str) -> None:
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the reports say; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        receipts = (
            _read_report(request, report)
            for request in _read_requests(callback)
            for report in dig_list(request, "report") or [request]
        )
        return [receipt for receipt in receipts if receipt is not None]


def _read_requests(callback: Callback) -> list[Any]:
    if "json" in callback.headers.get("content-type", ""):
        return [read_object(callback.body)]
    try:
        requests = orjson.loads(read_form(callback.body).get("data", ""))
    except ValueError:
        return []
    return requests if isinstance(requests, list) else []


def _read_report(request: object, report: object) -> Receipt | None:
    message_id = dig_text(request, "requestId")
    code = read_code(dig(report, "status"))
    if not message_id or code is None:
        return None
    if code == _DELIVERED:
        return Receipt(message_id, "delivered")
    failure = _RECEIPTS.get(code)
    # Its page has no others: what they would say of a delivery, nobody knows.
    return Receipt(message_id, "undelivered", failure, str(code)) if failure else None
