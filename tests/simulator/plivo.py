"""Plivo's Message API for one account, and its signed receipts."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, phrase_of, read_json

DEFAULT_AUTH_ID = "MASIMULATOR000000000"
DEFAULT_AUTH_TOKEN = "simulator-plivo-token"

_ACCOUNTS = "/v1/Account/"
_MESSAGE_PATH = re.compile(r"/v1/Account/([^/]+)/Message/")
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[1-9][0-9]{2,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_EXPIRIES = range(5, 10_800)
_MAX_TEXT_LENGTH = 1600
_CATEGORIES = {"transactional", "promotional", "service_implicit", "service_explicit"}
_DLT_IDS = ("dlt_entity_id", "dlt_template_id")

# What stands for a code: Plivo has the HTTP status alone -> status, text
_ERRORS: dict[Code, tuple[int, str]] = {
    "http_400": (400, "{invalid} parameter is invalid for {dst}"),
    "http_401": (401, "could not verify your access level for that URL."),
    "http_403": (403, "sending messages to this country is disabled: {dst}"),
    "http_404": (404, "not found"),
    "http_405": (405, "method not allowed"),
    "http_429": (429, "too many requests"),
    "http_500": (500, "internal server error"),
}

# ErrorCode -> the status it comes with
_RECEIPT_ERRORS: dict[Code, str] = {
    10: "undelivered",
    20: "undelivered",
    30: "undelivered",
    40: "failed",
    50: "failed",
    60: "undelivered",
    70: "undelivered",
    80: "undelivered",
    90: "failed",
    100: "undelivered",
    110: "failed",
    200: "failed",
    300: "failed",
    420: "failed",
    450: "failed",
    451: "failed",
    900: "failed",
    910: "failed",
    1000: "undelivered",
}
_USUAL_ERROR = 1000


class Plivo:
    """Plivo for one account."""

    name = "plivo"
    success_status = 202
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = _RECEIPT_ERRORS.keys()

    def __init__(
        self, auth_id: str = DEFAULT_AUTH_ID, auth_token: str = DEFAULT_AUTH_TOKEN
    ) -> None:
        """Accept these credentials, and sign receipts with the token."""
        self._auth_id = auth_id
        self._auth_token = auth_token
        self._credentials = f"{auth_id}:{auth_token}".encode()

    def serves(self, path: str) -> bool:
        """Claim the accounts."""
        return path.startswith(_ACCOUNTS)

    def receive(self, request: Request) -> Submission | Response:
        """Check the credentials, the account, the method, the parameters."""
        route = _MESSAGE_PATH.fullmatch(request.path)
        if route is None:
            return self.refusal("http_404", {})
        if request.method != "POST":
            return self.refusal("http_405", {})
        params = _read_params(request)
        if not self._authenticates(request):
            return self._refuse("http_401", params)
        if route[1] != self._auth_id:
            return self._refuse("http_404", params)
        if _invalid(params):
            return self._refuse("http_400", params)
        return self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with the status, and a text that may repeat the number."""
        status, text = _ERRORS[code]
        return _error(
            status,
            text.format(invalid=_invalid(params) or "dst", dst=params.get("dst", "")),
        )

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return _error(status, phrase_of(status).lower())

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a receipt for the text's first part, signed in both versions."""
        status, error = _outcome(state, code)
        count = count_segments(message.text)
        fields = {
            "From": message.params.get("src", ""),
            "To": message.to.removeprefix("+"),
            "MessageUUID": message.id or "",
            "ParentMessageUUID": message.id or "",
            "PartInfo": f"1 of {count}",
            "Status": status,
            "ErrorCode": error,
            "MCC": "404",
            "MNC": "10",
            "Units": str(count),
            "TotalRate": "0.00300",
            "TotalAmount": "0.00300",
        }
        nonce = str(secrets.randbelow(10**20))
        headers = (
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("X-Plivo-Signature-V2", self.sign_v2(url, nonce)),
            ("X-Plivo-Signature-V2-Nonce", nonce),
            ("X-Plivo-Signature-V3", self.sign_v3(url, fields, nonce)),
            ("X-Plivo-Signature-V3-Nonce", nonce),
        )
        return ReceiptCall("POST", url, urlencode(fields).encode(), headers)

    def sign_v2(self, url: str, nonce: str) -> str:
        """Sign the address and the nonce."""
        return self._sign(url.partition("?")[0] + nonce)

    def sign_v3(self, url: str, fields: Mapping[str, str], nonce: str) -> str:
        """Sign the address, its query, the fields and the nonce."""
        query = parse_qs(urlsplit(url).query, keep_blank_values=True)
        signed = url.partition("?")[0]
        if query or fields:
            signed += "?"
        signed += "&".join(
            f"{name}={value}" for name in sorted(query) for value in sorted(query[name])
        )
        if query and fields:
            signed += "."
        signed += "".join(name + fields[name] for name in sorted(fields))
        return self._sign(f"{signed}.{nonce}")

    def _sign(self, text: str) -> str:
        digest = hmac.new(self._auth_token.encode(), text.encode(), hashlib.sha256)
        return base64.b64encode(digest.digest()).decode()

    def _authenticates(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._credentials)

    def _refuse(self, code: Code, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("text", ""),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = str(uuid.uuid4())
        return Submission(
            recipients=_recipients(params),
            text=params["text"],
            params=params,
            response=json_response(
                self.success_status,
                {
                    "message": "message(s) queued",
                    "message_uuid": [message_id],
                    "api_id": str(uuid.uuid4()),
                },
            ),
            message_id=message_id,
            receipts_url=params.get("url"),
        )


def _error(status: int, text: str) -> Response:
    return json_response(status, {"api_id": str(uuid.uuid4()), "error": text})


def _outcome(state: State, code: Code | None) -> tuple[str, str]:
    match state:
        case "sent" | "delivered":
            return state, "000"
        case "undelivered":
            error = _USUAL_ERROR if code is None else code
            return _RECEIPT_ERRORS[error], f"{error:03}"


def _read_params(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return {}
    try:
        document: Any = read_json(request)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {name: str(value) for name, value in document.items() if value is not None}


def _invalid(params: Mapping[str, str]) -> str | None:
    """Name the first parameter that is missing or wrong."""
    src, dst = params.get("src", ""), params.get("dst", "")
    url, dlt = params.get("url"), [params.get(name) for name in _DLT_IDS]
    checks = {
        "src": bool(_SENDER.fullmatch(src)) and src != dst,
        "dst": bool(_NUMBER.fullmatch(dst)),
        "text": 0 < len(params.get("text", "")) <= _MAX_TEXT_LENGTH,
        "type": params.get("type", "sms") == "sms",
        "url": url is None or urlsplit(url).scheme in {"http", "https"},
        "method": params.get("method", "POST") in {"GET", "POST"},
        "log": params.get("log", "true") in {"true", "false"},
        "message_expiry": _is_expiry(params.get("message_expiry", "10799")),
        "dlt_template_id": all(dlt) or not any(dlt),
        "dlt_template_category": params.get("dlt_template_category", "promotional")
        in _CATEGORIES,
    }
    return next((name for name, good in checks.items() if not good), None)


def _is_expiry(value: str) -> bool:
    digits = value.isascii() and value.isdecimal()
    return digits and len(value) <= len(str(_EXPIRIES.stop)) and int(value) in _EXPIRIES


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    dst = params.get("dst", "")
    return (f"+{dst}",) if dst.isdecimal() else ()
