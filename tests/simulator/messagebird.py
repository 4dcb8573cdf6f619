"""MessageBird's REST API for one access key."""

import hmac
import re
import secrets
import time
from collections.abc import Collection, Mapping
from urllib.parse import urlencode, urlsplit

from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import (
    Request,
    Response,
    json_response,
    phrase_of,
    read_form,
    read_json,
)

DEFAULT_ACCESS_KEY = "simulator-messagebird-key"

_SEND_PATH = "/messages"
_CONVERSION_PATH = "/conversions"
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[1-9][0-9]{2,16}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_MAX_BODY_LENGTH = 1377
_MAX_REFERENCE_LENGTH = 128
_DATA_CODINGS = {"plain", "unicode", "auto"}

# https://developers.messagebird.com/api/#api-errors: code -> HTTP status, description.
_ERRORS: dict[Code, tuple[int, str]] = {
    2: (401, "Request not allowed (incorrect access_key)"),
    9: (422, "no (correct) {parameter} found"),
    10: (422, "{parameter} is invalid"),
    20: (404, "{parameter} not found"),
    21: (400, "Bad request"),
    25: (402, "Not enough balance"),
    98: (404, "API not found"),
    99: (500, "Internal error"),
    101: (422, "duplicate entry"),
}

# statusErrorCode -> statusReason
_REASONS: dict[Code, str] = {
    1: "unknown subscriber",
    5: "unknown subscriber",
    6: "unavailable subscriber",
    9: "unknown subscriber",
    11: "unknown subscriber",
    12: "unknown subscriber",
    13: "unavailable subscriber",
    21: "received network error",
    27: "unavailable subscriber",
    31: "unavailable subscriber",
    32: "unavailable subscriber",
    33: "unavailable subscriber",
    34: "received network error",
    103: "opted out",
    104: "carrier rejected",
    105: "carrier rejected",
    106: "capacity limit reached",
    107: "capacity limit reached",
}
_USUAL_ERROR = 34


class MessageBird:
    """MessageBird for one access key."""

    name = "messagebird"
    success_status = 201
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = _REASONS.keys()

    def __init__(self, access_key: str = DEFAULT_ACCESS_KEY) -> None:
        """Accept this key and no other."""
        self._credentials = f"AccessKey {access_key}".encode()
        # Whose conversion may be reported.
        self._accepted: set[str] = set()

    def serves(self, path: str) -> bool:
        """Claim texts and conversions."""
        return path in {_SEND_PATH, _CONVERSION_PATH}

    def receive(self, request: Request) -> Submission | Response:
        """Check the key, then the parameters."""
        if request.method != "POST":
            return self.refusal(98, {})
        if request.path == _CONVERSION_PATH:
            return self._convert(request)
        params = read_form(request)
        if not self._authenticates(request):
            return self._refuse(2, params)
        error = _first_error(params)
        if error is None:
            return self._accept(params)
        code, parameter = error
        return self._refuse(code, params, parameter)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of MessageBird's errors, about no parameter in particular."""
        return _error(code, None)

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return json_response(status, {"message": phrase_of(status)})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a status report: a GET, which MessageBird does not sign."""
        now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
        fields = {
            "id": message.id or "",
            "reference": message.params.get("reference", ""),
            "recipient": message.to.removeprefix("+"),
            "status": "delivery_failed" if state == "undelivered" else state,
            "statusDatetime": now,
            "statusReason": "successfully delivered",
            "messagePartCount": str(count_segments(message.text)),
            "price[amount]": "0.0375",
            "price[currency]": "EUR",
        }
        if state == "undelivered":
            code = _USUAL_ERROR if code is None else code
            fields["statusReason"] = _REASONS[code]
            fields["statusErrorCode"] = str(code)
        separator = "&" if urlsplit(url).query else "?"
        return ReceiptCall("GET", f"{url}{separator}{urlencode(fields)}")

    def _authenticates(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._credentials)

    def _convert(self, request: Request) -> Response:
        if not self._authenticates(request):
            return _error(2, None)
        try:
            document = read_json(request)
        except ValueError:
            return _error(21, None)
        if not isinstance(document, dict) or document.get("service") != "sms":
            return _error(10, "service")
        if not isinstance(document.get("success"), bool):
            return _error(10, "success")
        if document.get("id") not in self._accepted:
            return _error(20, "message")
        return json_response(201, document)

    def _refuse(
        self, code: Code, params: Mapping[str, str], parameter: str | None = None
    ) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("body", ""),
            params=params,
            response=_error(code, parameter),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = secrets.token_hex(16)
        self._accepted.add(message_id)
        # Without a reference nothing is reported.
        url = params.get("reportUrl") if params.get("reference") else None
        return Submission(
            recipients=_recipients(params),
            text=params["body"],
            params=params,
            response=json_response(self.success_status, _message(message_id, params)),
            message_id=message_id,
            receipts_url=url,
        )


def _first_error(params: Mapping[str, str]) -> tuple[Code, str] | None:
    for name in ("originator", "body", "recipients"):
        if not params.get(name):
            return 9, name
    if not all(map(_NUMBER.fullmatch, params["recipients"].split(","))):
        return 9, "recipients"
    checks = {
        "originator": _SENDER.fullmatch(params["originator"]),
        "body": len(params["body"]) <= _MAX_BODY_LENGTH,
        "datacoding": params.get("datacoding", "plain") in _DATA_CODINGS,
        "validity": re.fullmatch(r"[1-9][0-9]{0,6}", params.get("validity", "1")),
        "reference": len(params.get("reference", "")) <= _MAX_REFERENCE_LENGTH,
        "reportUrl": urlsplit(params.get("reportUrl", "http:")).scheme
        in {"http", "https"},
    }
    return next(((10, name) for name, good in checks.items() if not good), None)


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    numbers = params.get("recipients", "").split(",")
    return tuple(
        f"+{number}" if _NUMBER.fullmatch(number) else number
        for number in numbers
        if number
    )


def _message(message_id: str, params: Mapping[str, str]) -> dict[str, object]:
    now = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    items = [
        {
            "recipient": int(number),
            "status": "sent",
            "statusDatetime": now,
            "messagePartCount": count_segments(params["body"]),
        }
        for number in params["recipients"].split(",")
    ]
    return {
        "id": message_id,
        "href": f"https://rest.messagebird.com/messages/{message_id}",
        "direction": "mt",
        "type": "sms",
        "originator": params["originator"],
        "body": params["body"],
        "reference": params.get("reference"),
        "reportUrl": params.get("reportUrl"),
        "validity": int(params["validity"]) if "validity" in params else None,
        "gateway": 0,
        "typeDetails": {},
        "datacoding": params.get("datacoding", "plain"),
        "mclass": 1,
        "scheduledDatetime": None,
        "createdDatetime": now,
        "recipients": {
            "totalCount": len(items),
            "totalSentCount": len(items),
            "totalDeliveredCount": 0,
            "totalDeliveryFailedCount": 0,
            "items": items,
        },
    }


def _error(code: Code, parameter: str | None) -> Response:
    status, description = _ERRORS[code]
    description = description.format(parameter=parameter or "parameter")
    error = {"code": code, "description": description, "parameter": parameter}
    return json_response(status, {"errors": [error]})
