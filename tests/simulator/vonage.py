"""Vonage's SMS API for one account, its signed receipts and its Conversion API."""

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Literal
from urllib.parse import urlencode, urlsplit

from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, phrase_of, read_form

DEFAULT_API_KEY = "abcd1234"
DEFAULT_API_SECRET = "simulator-vonage-secret"
DEFAULT_SIGNATURE_SECRET = "simulator-vonage-signature"

# How a receipt is sent: the account's setting in the dashboard.
Style = Literal["GET", "POST", "POST-JSON"]

_SEND_PATH = "/sms/json"
_CONVERSIONS_PATH = "/conversions/sms"
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_SENDER = re.compile(r"[1-9][0-9]{2,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
_TTL_MILLISECONDS = range(20_000, 604_800_001)
_MAX_URL_LENGTH = 100
_MAX_REFERENCE_LENGTH = 100
_MAX_TEXT_LENGTH = 3200
_DLT_ID = re.compile(r"[0-9]{1,19}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")

# https://developer.vonage.com/en/api-errors/sms: status -> error-text
_ERRORS: dict[Code, str] = {
    1: "Throughput Rate Exceeded - please wait [ 250 ] and retry",
    2: "Missing {missing} param",
    3: "Invalid {invalid} param",
    4: "Bad Credentials",
    5: "Internal Error",
    6: "Unroutable message - rejected",
    7: "Number barred: {to}",
    8: "Partner account barred",
    9: "Partner quota exceeded",
    10: "Too many existing binds",
    11: "Account not enabled for REST",
    12: "Message too long",
    14: "Invalid Signature",
    15: "Illegal Sender Address - rejected",
    22: "Invalid network code",
    23: "Invalid callback URL",
    29: "Non White-listed Destination - rejected",
    32: "Signature and API Secret disallowed",
    33: "Number De-activated",
}

# err-code -> the status it comes with
_RECEIPT_ERRORS: dict[Code, str] = {
    1: "failed",
    2: "expired",
    3: "failed",
    4: "rejected",
    5: "failed",
    6: "rejected",
    7: "failed",
    8: "failed",
    9: "rejected",
    10: "rejected",
    11: "failed",
    12: "failed",
    13: "rejected",
    14: "rejected",
    15: "failed",
    16: "failed",
    50: "rejected",
    51: "rejected",
    52: "rejected",
    53: "rejected",
    54: "rejected",
    99: "failed",
}
_USUAL_ERROR = 99


class Vonage:
    """Vonage for one API key; receipts go out in one ``style``, signed or not."""

    name = "vonage"
    success_status = 200
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = _RECEIPT_ERRORS.keys()

    def __init__(
        self,
        api_key: str = DEFAULT_API_KEY,
        api_secret: str = DEFAULT_API_SECRET,
        *,
        signature_secret: str | None = DEFAULT_SIGNATURE_SECRET,
        signature_method: str = "sha256",
        style: Style = "POST-JSON",
    ) -> None:
        """Accept these credentials; sign receipts unless the secret is None."""
        self._api_key = api_key
        self._credentials = f"{api_key}:{api_secret}".encode()
        self._signature_secret = signature_secret
        self._signature_method = signature_method
        self._style = style

    def serves(self, path: str) -> bool:
        """Claim the SMS API in JSON, and conversions of texts."""
        return path in {_SEND_PATH, _CONVERSIONS_PATH}

    def receive(self, request: Request) -> Submission | Response:
        """Check the credentials, then the parameters."""
        if request.method != "POST":
            # The vendor takes GET too, with key and code in the URL. Refused here on
            # purpose: nothing of ours may send secrets that way.
            return json_response(405, {"title": "Method Not Allowed"})
        params = read_form(request)
        if request.path == _CONVERSIONS_PATH:
            return self._convert(params)
        code = _first_error(params) if self._authenticates(request) else 4
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer 200, with the status that says no."""
        text = _ERRORS[code].format(
            missing=_missing(params) or "to",
            invalid=_invalid(params) or "to",
            to=params.get("to", ""),
        )
        return _answer([{"status": str(code), "error-text": text}])

    def outage(self, status: int) -> Response:
        """Answer as the gateway in front of the API does."""
        return json_response(status, {"title": phrase_of(status), "status": status})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a receipt in the account's style, signed with its method."""
        error, status = _outcome(state, code)
        fields = {
            "msisdn": message.to.removeprefix("+"),
            "to": message.params.get("from", ""),
            "network-code": "40410",
            "messageId": message.id or "",
            "price": "0.03330000",
            "status": status,
            "scts": time.strftime("%y%m%d%H%M", time.gmtime()),
            "err-code": str(error),
            "api-key": self._api_key,
            "message-timestamp": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        }
        if "client-ref" in message.params:
            fields["client-ref"] = message.params["client-ref"]
        if self._signature_secret is not None:
            fields |= {"timestamp": str(int(time.time())), "nonce": secrets.token_hex()}
            fields["sig"] = self._sign(fields, self._signature_secret)
        return self._call(url, fields)

    def _sign(self, fields: Mapping[str, str], secret: str) -> str:
        signed = "".join(
            f"&{name}={re.sub('[&=]', '_', value)}"
            for name, value in sorted(fields.items())
        )
        if self._signature_method == "md5hash":
            return hashlib.md5((signed + secret).encode()).hexdigest()  # noqa: S324
        method = self._signature_method
        return hmac.new(secret.encode(), signed.encode(), method).hexdigest()

    def _call(self, url: str, fields: Mapping[str, str]) -> ReceiptCall:
        match self._style:
            case "GET":
                joint = "&" if urlsplit(url).query else "?"
                return ReceiptCall("GET", f"{url}{joint}{urlencode(fields)}")
            case "POST":
                kind, body = "application/x-www-form-urlencoded", urlencode(fields)
            case "POST-JSON":
                kind, body = "application/json", json.dumps(fields)
        return ReceiptCall("POST", url, body.encode(), (("Content-Type", kind),))

    def _authenticates(self, request: Request) -> bool:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._credentials)

    def _identifies(self, params: Mapping[str, str]) -> bool:
        """Check the credentials as parameters, which conversions have no other way."""
        given = f"{params.get('api_key', '')}:{params.get('api_secret', '')}".encode()
        return hmac.compare_digest(given, self._credentials)

    def _convert(self, params: Mapping[str, str]) -> Response:
        if not self._identifies(params):
            return Response(401, b"", content_type="text/plain")
        good = (
            bool(params.get("message-id"))
            and params.get("delivered") in {"true", "false"}
            and _DATE.fullmatch(params.get("timestamp", ""))
        )
        return Response(200 if good else 423, b"", content_type="text/plain")

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("text", ""),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        text = params["text"]
        parts = [
            {
                "to": params["to"],
                "message-id": secrets.token_hex(8).upper(),
                "status": "0",
                "remaining-balance": "15.53590000",
                "message-price": "0.03330000",
                "network": "40410",
            }
            for _ in range(count_segments(text))
        ]
        return Submission(
            recipients=_recipients(params),
            text=text,
            params=params,
            response=_answer(parts),
            message_id=parts[0]["message-id"],
            receipts_url=params.get("callback"),
        )


def _answer(parts: list[dict[str, str]]) -> Response:
    return json_response(200, {"message-count": str(len(parts)), "messages": parts})


def _outcome(state: State, code: Code | None) -> tuple[Code, str]:
    match state:
        case "sent":
            return 0, "buffered"
        case "delivered":
            return 0, "delivered"
        case "undelivered":
            error = _USUAL_ERROR if code is None else code
            return error, _RECEIPT_ERRORS[error]


def _first_error(params: Mapping[str, str]) -> int | None:
    if _missing(params):
        return 2
    if _invalid(params):
        return 3
    if not _SENDER.fullmatch(params["from"]):
        return 15
    if not _is_callback(params):
        return 23
    if not _NUMBER.fullmatch(params["to"]):
        return 6
    return 12 if len(params["text"]) > _MAX_TEXT_LENGTH else None


def _missing(params: Mapping[str, str]) -> str | None:
    needed = ("from", "to", "text")
    return next((name for name in needed if not params.get(name)), None)


def _invalid(params: Mapping[str, str]) -> str | None:
    checks = {
        "type": params.get("type", "text") in {"text", "unicode"},
        "ttl": _is_ttl(params.get("ttl", str(_TTL_MILLISECONDS.start))),
        "status-report-req": params.get("status-report-req", "1") in {"0", "1"},
        "client-ref": len(params.get("client-ref", "")) <= _MAX_REFERENCE_LENGTH,
        "entity-id": _is_dlt_id(params.get("entity-id")),
        "content-id": _is_dlt_id(params.get("content-id")),
    }
    return next((name for name, good in checks.items() if not good), None)


def _is_ttl(value: str) -> bool:
    longest = len(str(_TTL_MILLISECONDS.stop))
    digits = value.isascii() and value.isdecimal() and len(value) <= longest
    return digits and int(value) in _TTL_MILLISECONDS


def _is_dlt_id(value: str | None) -> bool:
    return value is None or bool(_DLT_ID.fullmatch(value))


def _is_callback(params: Mapping[str, str]) -> bool:
    url = params.get("callback")
    if url is None:
        return True
    return urlsplit(url).scheme in {"http", "https"} and len(url) <= _MAX_URL_LENGTH


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("to", "")
    return (f"+{to}",) if to.isdecimal() else ()
