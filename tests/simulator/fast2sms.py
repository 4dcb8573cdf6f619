"""Fast2SMS ``bulkV2``, which reaches Indian numbers only."""

import hmac
import json
import re
import secrets
from collections.abc import Collection, Mapping

from tests.simulator.inbox import Code, Message
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import (
    Request,
    Response,
    json_response,
    phrase_of,
    read_form,
    read_json,
)

_SEND_PATH = "/dev/bulkV2"
_WALLET_PATH = "/dev/wallet"
_NATIONAL_NUMBER = re.compile(r"[6-9][0-9]{9}")
_HEADER = re.compile(r"[A-Za-z]{6}")
_DIGITS = re.compile(r"[0-9]+")

# https://docs.fast2sms.com/reference/error-code-list: code -> HTTP status, message
_ERRORS: dict[Code, tuple[int, str]] = {
    # parameters
    401: (400, "Sender ID Missing"),
    402: (400, "Message Text Missing"),
    403: (400, "Route Missing"),
    404: (400, "Language Missing"),
    405: (400, "Numbers Missing"),
    406: (400, "Invalid Sender ID"),
    407: (400, "Invalid words used in message"),
    408: (400, "Invalid Route"),
    409: (400, "Invalid Route Authentication"),
    410: (400, "Invalid Language"),
    411: (400, "Invalid Numbers"),
    417: (400, "Use english letters or change language to unicode"),
    424: (400, "Invalid Message ID"),
    425: (400, "Invalid Template"),
    426: (400, "Invalid link used in variables"),
    500: (400, "Template/Sender id blacklisted at DLT"),
    990: (400, "You're hitting old API. Refer updated documentation"),
    997: (400, "Only numeric variable_values is allowed in OTP route"),
    998: (400, "Use DLT or Quick SMS route for sending Bulk SMS"),
    # the account
    412: (401, "Invalid Authentication, Check Authorization Key"),
    413: (401, "Invalid Authentication, Authorization Key Disabled"),
    414: (400, "IP is blacklisted from Dev API section"),
    415: (400, "Account Disabled"),
    416: (400, "You don't have sufficient wallet balance"),
    996: (400, "Before using OTP SMS API, complete KYC."),
    999: (
        400,
        (
            "Complete single transaction of minimum 100 INR in Fast2SMS wallet before"
            " using API"
        ),
    ),
    # the recipient
    995: (
        400,
        "Spamming detected (sending multiple SMS to same number is not allowed)",
    ),
}


class Fast2Sms:
    """Fast2SMS for one API key."""

    name = "fast2sms"
    success_status = 200
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = ("failed", "rejected", "undelivered")

    def __init__(self, api_key: str) -> None:
        """Accept this key and no other."""
        self._api_key = api_key.encode()

    def serves(self, path: str) -> bool:
        """Claim the developer API."""
        return path.startswith("/dev/")

    def receive(self, request: Request) -> Submission | Response:
        """Check the key, then the parameters of the route asked for."""
        if request.path not in {_SEND_PATH, _WALLET_PATH}:
            return json_response(404, {"message": "Not Found"})
        if request.method != "POST":
            # The vendor also takes GET on bulkV2, with key and code in the URL.
            # Refused here on purpose: nothing of ours may send secrets that way.
            return _method_not_allowed(request.method)
        if request.path == _WALLET_PATH:
            return self._wallet(request)
        params = _read_params(request)
        code = _first_error(params) if self._authenticates(request) else 412
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of Fast2SMS's status codes."""
        status, message = _ERRORS[code]
        return json_response(
            status, {"return": False, "status_code": code, "message": message}
        )

    def outage(self, status: int) -> Response:
        """Answer with a bare status as the vendor's framework, Laravel, does."""
        messages = {429: "Too Many Attempts.", 500: "Server Error"}
        message = messages.get(status, phrase_of(status))
        return json_response(status, {"message": message})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write the webhook as our manual says to set it up; the vendor signs none."""
        status = str(code or "failed") if state == "undelivered" else state
        payload = {
            "request_id": message.id,
            "mobile": message.to.removeprefix("+91"),
            "status": status.capitalize(),
        }
        return ReceiptCall(
            "POST",
            url,
            json.dumps(payload).encode(),
            (("Content-Type", "application/json"),),
        )

    def _authenticates(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._api_key)

    def _wallet(self, request: Request) -> Response:
        if not self._authenticates(request):
            return self.refusal(412, {})
        return json_response(200, {"return": True, "wallet": "500.00"})

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=_text(params),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        request_id = secrets.token_hex(8)[:15]
        return Submission(
            recipients=_recipients(params),
            text=_text(params),
            params=params,
            response=json_response(
                self.success_status,
                {
                    "return": True,
                    "request_id": request_id,
                    "message": ["Message sent successfully"],
                },
            ),
            message_id=request_id,
        )


def _read_params(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return read_form(request)
    try:
        document = read_json(request)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    return {name: str(value) for name, value in document.items() if value is not None}


def _first_error(params: Mapping[str, str]) -> int | None:
    route = params.get("route", "")
    if not route:
        return 403
    check = _ROUTES.get(route)
    if check is None:
        return 408
    if not params.get("numbers"):
        return 405
    if not all(map(_NATIONAL_NUMBER.fullmatch, _numbers(params))):
        return 411
    return check(params)


def _otp_error(params: Mapping[str, str]) -> int | None:
    variables = params.get("variables_values", "")
    if not variables:
        return 402
    return None if _DIGITS.fullmatch(variables) else 997


def _dlt_error(params: Mapping[str, str]) -> int | None:
    sender, message = params.get("sender_id", ""), params.get("message", "")
    if not sender:
        return 401
    if not _HEADER.fullmatch(sender):
        return 406
    if not message:
        return 402
    return None if _DIGITS.fullmatch(message) else 424


def _quick_error(params: Mapping[str, str]) -> int | None:
    message, language = params.get("message", ""), params.get("language", "")
    if not message:
        return 402
    if not language:
        return 404
    if language not in {"english", "unicode"}:
        return 410
    return 417 if language == "english" and not message.isascii() else None


_ROUTES = {"otp": _otp_error, "dlt": _dlt_error, "q": _quick_error}


def _numbers(params: Mapping[str, str]) -> list[str]:
    return [number.strip() for number in params.get("numbers", "").split(",")]


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"+91{number}" if _NATIONAL_NUMBER.fullmatch(number) else number
        for number in _numbers(params)
        if number
    )


def _text(params: Mapping[str, str]) -> str:
    variables = params.get("variables_values", "")
    match params.get("route"):
        case "otp":
            return f"Your OTP: {variables}"
        case "dlt":
            # The words around them are in the registered template, which only
            # the vendor and the operators have.
            return variables.replace("|", " ")
        case _:
            return params.get("message", "")


def _method_not_allowed(method: str) -> Response:
    message = f"The {method} method is not supported for this route."
    return json_response(405, {"message": message}, ("Allow", "POST"))
