"""Infobip's SMS API, version 3, for one API key."""

import hmac
import json
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import (
    Request,
    Response,
    flatten_json,
    json_response,
    phrase_of,
)

DEFAULT_API_KEY = "simulator-infobip-key"

_SEND_PATH = "/sms/3/messages"
_MAX_VALIDITY_SECONDS = 48 * 3600
_UNIT_SECONDS = {"SECONDS": 1, "MINUTES": 60, "HOURS": 3600, "DAYS": 86_400}

# What a whole request is refused with: messageId -> HTTP status, text.
_REQUEST_ERRORS: dict[Code, tuple[int, str]] = {
    "BAD_REQUEST": (400, "Bad Request"),
    "UNAUTHORIZED": (401, "Invalid login details"),
    "FORBIDDEN": (403, "Forbidden"),
    "TOO_MANY_REQUESTS": (429, "Too many requests"),
    "GENERAL_ERROR": (500, "Something went wrong. Please contact support."),
}

# What one message is refused with, under a 200: status id -> group, name.
_STATUSES: dict[Code, tuple[int, str]] = {
    4: (2, "UNDELIVERABLE_REJECTED_OPERATOR"),
    6: (5, "REJECTED_NETWORK"),
    8: (5, "REJECTED_PREFIX_MISSING"),
    9: (2, "UNDELIVERABLE_NOT_DELIVERED"),
    10: (5, "REJECTED_DND"),
    11: (5, "REJECTED_SOURCE"),
    12: (5, "REJECTED_NOT_ENOUGH_CREDITS"),
    13: (5, "REJECTED_SENDER"),
    14: (5, "REJECTED_DESTINATION"),
    15: (4, "EXPIRED_EXPIRED"),
    17: (5, "REJECTED_PREPAID_PACKAGE_EXPIRED"),
    18: (5, "REJECTED_DESTINATION_NOT_REGISTERED"),
    19: (5, "REJECTED_ROUTE_NOT_AVAILABLE"),
    20: (5, "REJECTED_FLOODING_FILTER"),
    21: (5, "REJECTED_SYSTEM_ERROR"),
    24: (5, "REJECTED_INVALID_UDH"),
    25: (5, "REJECTED_MESSAGE_TOO_LONG"),
    29: (4, "EXPIRED_DLR_UNKNOWN"),
    51: (5, "MISSING_TO"),
    52: (5, "REJECTED_INVALID_DESTINATION"),
    87: (5, "REJECTED_SIGNALS_BLOCKED"),
}
_GROUPS = {
    1: "PENDING",
    2: "UNDELIVERABLE",
    3: "DELIVERED",
    4: "EXPIRED",
    5: "REJECTED",
}

# What a delivery report gives for a reason: error id -> group, name, permanent.
_ERRORS: dict[Code, tuple[int, str, bool]] = {
    1: (1, "EC_UNKNOWN_SUBSCRIBER", True),
    5: (1, "EC_UNIDENTIFIED_SUBSCRIBER", False),
    6: (1, "EC_ABSENT_SUBSCRIBER_SM", False),
    9: (1, "EC_ILLEGAL_SUBSCRIBER", True),
    11: (1, "EC_TELESERVICE_NOT_PROVISIONED", True),
    12: (1, "EC_ILLEGAL_EQUIPMENT", True),
    13: (1, "EC_CALL_BARRED", False),
    21: (1, "EC_FACILITY_NOT_SUPPORTED", False),
    27: (1, "EC_ABSENT_SUBSCRIBER", False),
    31: (1, "EC_SUBSCRIBER_BUSY_FOR_MT_SMS", False),
    32: (1, "EC_SM_DELIVERY_FAILURE", False),
    33: (1, "EC_MESSAGE_WAITING_LIST_FULL", False),
    34: (1, "EC_SYSTEM_FAILURE", False),
    256: (1, "EC_SM_DF_MEMORYCAPACITYEXCEEDED", False),
    351: (2, "EC_INVALID_DESTINATION_ADDRESS", True),
    500: (3, "EC_PROVIDER_GENERAL_ERROR", False),
    502: (3, "EC_NO_RESPONSE", False),
    541: (2, "EC_LIMIT_REACHED", False),
    542: (2, "EC_QUOTA_REACHED", False),
    561: (3, "EC_CONTENT_BLOCKED_BY_OPERATOR", False),
    603: (2, "EC_CONTENT_BLOCKED", True),
    604: (2, "EC_BLOCKED_BY_CAMPAIGN_BLACKLIST", True),
    607: (2, "EC_REJECTED_SPAM_BY_OPERATOR", True),
    608: (2, "EC_SIGNALS_BLOCKED", False),
    2050: (3, "EC_DEST_ADDRESS_BLACKLISTED", True),
    2052: (2, "EC_BLACKLISTED_DESTINATIONADDRESS", True),
    2053: (2, "EC_BLACKLISTED_SENDERADDRESS", True),
    3041: (2, "EC_DEACTIVATED_LIST", True),
    4103: (2, "EC_DESTINATION_FLOODING", False),
    4104: (2, "EC_DESTINATION_TXT_FLOODING", False),
}
_ERROR_GROUPS = {1: "HANDSET_ERRORS", 2: "USER_ERRORS", 3: "OPERATOR_ERRORS"}
_USUAL_ERROR = 500


class Infobip:
    """Infobip for one API key, which is also one base URL."""

    name = "infobip"
    success_status = 200
    error_codes: Collection[Code] = [*_REQUEST_ERRORS, *_STATUSES]
    receipt_codes: Collection[Code] = _ERRORS.keys()

    def __init__(self, api_key: str = DEFAULT_API_KEY) -> None:
        """Accept this key and no other."""
        self._credentials = f"App {api_key}".encode()

    def serves(self, path: str) -> bool:
        """Claim the SMS channel, all versions."""
        return path.startswith("/sms/") and path.split("/")[2].isdecimal()

    def receive(self, request: Request) -> Submission | Response:
        """Check the key, then the shape of the request, then the message."""
        if request.path != _SEND_PATH:
            return self._request_error(404, "NOT_FOUND", "Not Found")
        if request.method != "POST":
            return self._request_error(405, "METHOD_NOT_ALLOWED", "Not allowed")
        params = flatten_json(request)
        if not self._authenticates(request):
            return self._refuse("UNAUTHORIZED", params)
        code = _first_error(params)
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Refuse the request, or accept it and reject its message."""
        if code in _REQUEST_ERRORS:
            status, text = _REQUEST_ERRORS[code]
            return self._request_error(status, str(code), text)
        group, name = _STATUSES[code]
        return self._answer(_message_id(), params, _status(group, code, name))

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        word = phrase_of(status).upper().replace(" ", "_")
        return self._request_error(status, word, phrase_of(status))

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a delivery report; Infobip does not sign them."""
        match state:
            case "sent":
                status, error = _status(1, 7, "PENDING_ENROUTE"), _error(0)
            case "delivered":
                status, error = _status(3, 5, "DELIVERED_TO_HANDSET"), _error(0)
            case "undelivered":
                status = _status(2, 9, "UNDELIVERABLE_NOT_DELIVERED")
                error = _error(_USUAL_ERROR if code is None else code)
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
        report = {
            "bulkId": _message_id(),
            "price": {"pricePerMessage": 0.01, "currency": "EUR"},
            "status": status,
            "error": error,
            "messageId": message.id,
            "doneAt": now,
            "messageCount": count_segments(message.text),
            "sentAt": now,
            "to": message.to.removeprefix("+"),
            "sender": message.params.get("messages.0.sender", ""),
        }
        return ReceiptCall(
            "POST",
            url,
            json.dumps({"results": [report]}).encode(),
            (("Content-Type", "application/json"),),
        )

    def _authenticates(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._credentials)

    def _request_error(self, status: int, word: str, text: str) -> Response:
        exception = {"messageId": word, "text": text}
        return json_response(status, {"requestError": {"serviceException": exception}})

    def _refuse(self, code: Code, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("messages.0.content.text", ""),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = _message_id()
        return Submission(
            recipients=_recipients(params),
            text=params["messages.0.content.text"],
            params=params,
            response=self._answer(
                message_id, params, _status(1, 26, "PENDING_ACCEPTED")
            ),
            message_id=message_id,
            receipts_url=params.get("messages.0.webhooks.delivery.url"),
        )

    def _answer(
        self, message_id: str, params: Mapping[str, str], status: dict[str, Any]
    ) -> Response:
        message = {
            "messageId": message_id,
            "status": status,
            "destination": params.get("messages.0.destinations.0.to", ""),
            "details": {"messageCount": 1},
        }
        answer = {"bulkId": _message_id(), "messages": [message]}
        return json_response(self.success_status, answer)


def _message_id() -> str:
    # 22 digits, as theirs, which begin with the time.
    return f"{int(time.time())}{secrets.randbelow(10**12):012d}"


def _status(group: int, code: Code, name: str) -> dict[str, Any]:
    return {
        "groupId": group,
        "groupName": _GROUPS[group],
        "id": code,
        "name": name,
        "description": name.replace("_", " ").capitalize(),
    }


def _error(code: Code) -> dict[str, Any]:
    group, name, permanent = _ERRORS.get(code, (0, "NO_ERROR", False))
    return {
        "groupId": group,
        "groupName": _ERROR_GROUPS.get(group, "OK"),
        "id": code,
        "name": name,
        "description": name.removeprefix("EC_").replace("_", " ").capitalize(),
        "permanent": permanent,
    }


def _first_error(params: Mapping[str, str]) -> Code | None:
    to = params.get("messages.0.destinations.0.to", "")
    if not _is_well_formed(params):
        return "BAD_REQUEST"
    if not to:
        return 51
    if not (to.isascii() and to.isdecimal() and 7 <= len(to) <= 15):
        return 52
    return 11 if params["messages.0.sender"].startswith("+") else None


def _is_well_formed(params: Mapping[str, str]) -> bool:
    needed = ("sender", "content.text")
    return (
        all(params.get(f"messages.0.{name}") for name in needed)
        and _is_validity(params)
        and _is_dlt(params)
        and _is_webhook(params)
    )


def _is_validity(params: Mapping[str, str]) -> bool:
    path = "messages.0.options.validityPeriod"
    amount = params.get(f"{path}.amount", "1")
    unit = _UNIT_SECONDS.get(params.get(f"{path}.timeUnit", "MINUTES"), 0)
    if not (amount.isascii() and amount.isdecimal() and len(amount) < 10):
        return False
    return 0 < int(amount) * unit <= _MAX_VALIDITY_SECONDS


def _is_dlt(params: Mapping[str, str]) -> bool:
    path = "messages.0.options.regional.indiaDlt"
    given = {name for name in params if name.startswith(path)}
    return not given or f"{path}.principalEntityId" in given


def _is_webhook(params: Mapping[str, str]) -> bool:
    url = params.get("messages.0.webhooks.delivery.url")
    return url is None or urlsplit(url).scheme in {"http", "https"}


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("messages.0.destinations.0.to", "")
    return (f"+{to}",) if to.isdecimal() else ()
