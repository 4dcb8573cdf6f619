"""MSG91's OTP and Flow APIs for one auth key, and its delivery reports."""

import hmac
import json
import re
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.simulator.inbox import Code, Message
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, phrase_of, read_json

DEFAULT_AUTH_KEY = "simulator-msg91-key"
DEFAULT_TEMPLATE_ID = "63f1c0ffee0123456789abcd"

_OTP_PATH = "/api/v5/otp"
_FLOW_PATH = "/api/v5/flow"
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[A-Za-z0-9]{3,11}")
_OTP = re.compile(r"[0-9]{4,9}")
_EXPIRY_MINUTES = range(1, 1441)

# code -> message, under a 200
_ERRORS: dict[Code, str] = {
    101: "Missing mobile no.",
    102: "Missing message",
    103: "Missing sender ID",
    106: "Auth Key missing",
    107: "Missing route",
    201: "Invalid username or password",
    202: "Mobile number empty or not numeric: {mobile}",
    203: "Invalid sender ID",
    207: "Invalid authkey",
    208: "IP is blacklisted",
    301: "Insufficient balance to send SMS",
    302: "Expired user account",
    303: "Banned user account",
    306: "This route is currently unavailable",
    310: "SMS is too long",
    311: "Same request was generated twice within 10 seconds",
    400: "Flow id missing or invalid",
    418: "IP is not whitelisted",
    506: "Internal error",
}

# status -> desc
_RECEIPT_ERRORS: dict[Code, str] = {
    2: "FAILED",
    9: "NDNC",
    16: "REJECTED",
    17: "BLOCKED",
    25: "REJECTED",
}
_USUAL_ERROR = 2


class Msg91:
    """MSG91 for one auth key, with one template."""

    name = "msg91"
    success_status = 200
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = _RECEIPT_ERRORS.keys()

    def __init__(
        self,
        auth_key: str = DEFAULT_AUTH_KEY,
        *,
        template_id: str = DEFAULT_TEMPLATE_ID,
    ) -> None:
        """Accept this key and this template, and no others."""
        self._auth_key = auth_key.encode()
        self._template_id = template_id

    def serves(self, path: str) -> bool:
        """Claim version 5."""
        return path.startswith("/api/v5/")

    def receive(self, request: Request) -> Submission | Response:
        """Check the key, then the parameters."""
        if request.path not in {_OTP_PATH, _FLOW_PATH}:
            return json_response(404, {"type": "error", "message": "Not Found"})
        if request.method != "POST":
            return json_response(
                405, {"type": "error", "message": "Method Not Allowed"}
            )
        is_otp = request.path == _OTP_PATH
        params = _read_otp(request) if is_otp else _read_flow(request)
        code = self._key_error(request) or self._first_error(params)
        return (
            self._refuse(code, params)
            if code
            else self._accept(params, "request_id" if is_otp else "message")
        )

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer 200, with a type that says no."""
        message = _ERRORS[code].format(mobile=params.get("mobile", ""))
        return json_response(
            200, {"type": "error", "message": message, "code": str(code)}
        )

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return json_response(status, {"type": "error", "message": phrase_of(status)})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall | None:
        """Write a report in version 2; MSG91 does not sign, nor report the way."""
        match state:
            case "sent":
                return None
            case "delivered":
                status, description = "1", "DELIVERED"
            case "undelivered":
                error = _USUAL_ERROR if code is None else code
                status, description = str(error), _RECEIPT_ERRORS[error]
        report = {
            "date": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
            "number": message.to.removeprefix("+"),
            "status": status,
            "desc": description,
            "failedReason": "",
        }
        request = {
            "senderId": message.params.get("sender", "QCKART"),
            "requestId": message.id,
            "report": [report],
            "userId": "270000",
            "campaignName": "API",
        }
        return ReceiptCall(
            "POST",
            url,
            urlencode({"data": json.dumps([request])}).encode(),
            (("Content-Type", "application/x-www-form-urlencoded"),),
        )

    def _key_error(self, request: Request) -> int | None:
        given = request.headers.get("authkey", "").encode("latin-1")
        if not given:
            return 106
        return None if hmac.compare_digest(given, self._auth_key) else 207

    def _first_error(self, params: Mapping[str, str]) -> int | None:
        if params.get("template_id") != self._template_id:
            return 400
        if not _NUMBER.fullmatch(params.get("mobile", "")):
            return 202
        if "sender" in params and not _SENDER.fullmatch(params["sender"]):
            return 203
        if not _OTP.fullmatch(params.get("otp", "")):
            return 102
        return None if _is_expiry(params.get("otp_expiry", "1440")) else 102

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=_text(params),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str], id_name: str) -> Submission:
        request_id = secrets.token_hex(12)
        return Submission(
            recipients=_recipients(params),
            text=_text(params),
            params=params,
            response=json_response(
                self.success_status,
                {id_name: request_id, "type": "success"},
            ),
            message_id=request_id,
        )


def _read_otp(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query, keep_blank_values=True))


def _read_flow(request: Request) -> dict[str, str]:
    """Read a flow for one number, by the names that the OTP API has."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        document: Any = read_json(request)
        (recipient,) = document["recipients"]
        params = {
            "template_id": document["template_id"],
            "short_url": document["short_url"],
            "mobile": recipient["mobiles"],
            "otp": recipient["var1"],
            "otp_expiry": recipient.get("var2", "5"),
        }
        if "sender" in document:
            params["sender"] = document["sender"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}
    return {name: str(value) for name, value in params.items()}


def _is_expiry(value: str) -> bool:
    digits = value.isascii() and value.isdecimal() and len(value) <= 4
    return digits and int(value) in _EXPIRY_MINUTES


def _text(params: Mapping[str, str]) -> str:
    # The words around them are in the template, which only the vendor has.
    return f"{params.get('otp', '')} {params.get('otp_expiry', '')}".strip()


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    mobile = params.get("mobile", "")
    return (f"+{mobile}",) if mobile.isdecimal() else ()
