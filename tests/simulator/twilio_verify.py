"""Twilio Verify, version 2, for one service with custom codes enabled."""

import re
import secrets
import time
from collections.abc import Collection, Mapping

from tests.simulator.inbox import Code, Message
from tests.simulator.twilio_account import TwilioAccount, error, not_found, outage
from tests.simulator.vendor import State, Submission
from tests.simulator.wire import Request, Response, json_response, read_form

DEFAULT_VERIFY_SERVICE = "VA" + "0" * 32

_OWN_PATH = "/v2/Services/"
_START_PATH = re.compile(r"/v2/Services/([^/]+)/Verifications")
_UPDATE_PATH = re.compile(r"/v2/Services/([^/]+)/Verifications/([^/]+)")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CODE = re.compile(r"[0-9]{4,10}")
_ENDS = {"approved", "canceled"}

# https://www.twilio.com/docs/verify/supported-languages
_LOCALES = {
    *("af", "ar", "ca", "zh", "zh-CN", "zh-HK", "hr", "cs", "da", "nl", "en", "en-GB"),
    *("fi", "fr", "de", "el", "he", "hi", "hu", "id", "it", "ja", "ko", "ms", "nb"),
    *("pl", "pt", "pt-BR", "ro", "ru", "es", "sv", "tl", "th", "tr", "vi"),
}

# https://www.twilio.com/docs/api/errors: code -> HTTP status and message
_ERRORS: dict[Code, tuple[int, str]] = {
    10001: (403, "Account is not active"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    60200: (400, "Invalid parameter: {parameter}"),
    60202: (429, "Max check attempts reached"),
    60203: (429, "Max send attempts reached"),
    60204: (403, "Service does not support this feature"),
    60205: (403, "SMS is not supported by landline phone number"),
    60212: (429, "Too many concurrent requests for phone number"),
    60220: (403, "China needs vetting"),
    60223: (403, "Delivery channel disabled: SMS"),
    60238: (403, "Verification creation attempt is blocked by Twilio"),
    60410: (403, "Delivery attempt blocked: suspected fraudulent traffic"),
    60605: (403, "The destination phone number has been blocked by geo permissions"),
}


class TwilioVerify:
    """Twilio's ``Verifications`` for one service of one account."""

    name = "twilio_verify"
    success_status = 201
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = ()

    def __init__(
        self, account_sid: str, auth_token: str, service: str = DEFAULT_VERIFY_SERVICE
    ) -> None:
        """Accept this account's credentials and this service, and no others."""
        self._account = TwilioAccount(account_sid, auth_token)
        self._service = service
        # Those that wait for their code, by number: every send shares one.
        self._pending: dict[str, str] = {}

    def serves(self, path: str) -> bool:
        """Claim all services."""
        return path.startswith(_OWN_PATH)

    def receive(self, request: Request) -> Submission | Response:
        """Start a verification, or end one."""
        update = _UPDATE_PATH.fullmatch(request.path)
        start = _START_PATH.fullmatch(request.path)
        if update is None and start is None:
            return not_found(request.path)
        if request.method != "POST":
            return self.refusal(20004, {})
        params = read_form(request)
        if update is not None:
            return self._end(request, update[1], update[2], params.get("Status", ""))
        if not self._account.authenticates(request):
            return self._refuse(20003, params)
        if start is None or start[1] != self._service:
            return self._refuse(20404, params)
        code = _first_error(params)
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of Twilio's error codes."""
        status, message = _ERRORS[code]
        return error(status, code, message.format(parameter=_wrong_parameter(params)))

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return outage(status)

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> None:
        """Write none: Verify has no delivery receipts."""

    def _end(self, request: Request, service: str, sid: str, status: str) -> Response:
        if not self._account.authenticates(request):
            return self.refusal(20003, {})
        to = next((it for it, pending in self._pending.items() if pending == sid), None)
        if service != self._service or to is None:
            return not_found(request.path)
        if status not in _ENDS:
            return error(400, 60200, "Invalid parameter: Status")
        del self._pending[to]
        return json_response(200, self._describe(sid, to, status))

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=_word(params),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        to = params["To"]
        sid = self._pending.setdefault(to, f"VE{secrets.token_hex(16)}")
        return Submission(
            recipients=(to,),
            text=_word(params),
            params=params,
            response=json_response(
                self.success_status, self._describe(sid, to, "pending")
            ),
            message_id=sid,
        )

    def _describe(self, sid: str, to: str, status: str) -> dict[str, object]:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        attempt = {"attempt_sid": f"VL{secrets.token_hex(16)}", "channel": "sms"}
        return {
            "sid": sid,
            "service_sid": self._service,
            "account_sid": self._account.sid,
            "to": to,
            "channel": "sms",
            "status": status,
            "valid": status == "approved",
            "lookup": {},
            "amount": None,
            "payee": None,
            "send_code_attempts": [{**attempt, "time": now}],
            "sna": None,
            "date_created": now,
            "date_updated": now,
            "url": f"https://verify.twilio.com/v2/Services/{self._service}"
            f"/Verifications/{sid}",
        }


def _first_error(params: Mapping[str, str]) -> int | None:
    if _wrong_parameter(params):
        return 60200
    # Verify says that there is no such thing where it has no such language.
    return 20404 if params.get("Locale", "en") not in _LOCALES else None


def _wrong_parameter(params: Mapping[str, str]) -> str:
    if not _E164.fullmatch(params.get("To", "")):
        return "To"
    if params.get("Channel") != "sms":
        return "Channel"
    return "" if _CODE.fullmatch(params.get("CustomCode", "")) else "CustomCode"


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("To")
    return (to,) if to else ()


def _word(params: Mapping[str, str]) -> str:
    return f"Your QuickCart verification code is: {params.get('CustomCode', '')}"
