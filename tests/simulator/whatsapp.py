"""Meta's WhatsApp Cloud API for one business number with one template."""

import hmac
import json
import re
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any

from tests.simulator.inbox import Code, Message
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, phrase_of, read_json

DEFAULT_ACCESS_TOKEN = "simulator-whatsapp-token"
DEFAULT_PHONE_NUMBER_ID = "106540352242922"
DEFAULT_APP_SECRET = "simulator-app-secret"
DEFAULT_TEMPLATE = "otp_login"
DEFAULT_LANGUAGES = ("en", "hi", "pt_BR")

_VERSION = re.compile(r"/v[0-9]+\.0/.*")
_MESSAGES_PATH = re.compile(r"/v[0-9]+\.0/([0-9]+)/messages")
_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
_CODE = re.compile(r"[A-Za-z0-9]{4,15}")
_NO_SUCH_OBJECT = 33

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes: code ->
# HTTP status, title
_ERRORS: dict[Code, tuple[int, str]] = {
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    200: (403, "API Permission"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130429: (400, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users there"),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (500, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Business Account locked"),
    131037: (400, "Display name approval needed before message can be sent"),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "Meta chose not to deliver"),
    131050: (400, "Unable to deliver the message"),
    131051: (400, "Unsupported message type"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    132000: (400, "Template Param Count Mismatch"),
    132001: (404, "Template does not exist in the translation"),
    132005: (400, "Template Hydrated Text Too Long"),
    132007: (400, "Template Format Character Policy Violated"),
    132012: (400, "Template Parameter Format Mismatch"),
    132015: (400, "Template is Paused"),
    132016: (400, "Template is Disabled"),
    133004: (503, "Server Temporarily Unavailable"),
    133010: (400, "Phone number Not Registered"),
    135000: (400, "Generic user error"),
}

# Those that Meta finds out about only when it tries to deliver.
_RECEIPTS: Collection[Code] = (
    130472,
    131000,
    131026,
    131031,
    131042,
    131047,
    131048,
    131049,
    131050,
    131056,
    132001,
    132015,
)
_USUAL_CODE = 131026


class WhatsApp:
    """The Cloud API for one number of one app."""

    name = "whatsapp"
    success_status = 200
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes = _RECEIPTS

    def __init__(
        self,
        access_token: str = DEFAULT_ACCESS_TOKEN,
        phone_number_id: str = DEFAULT_PHONE_NUMBER_ID,
        app_secret: str = DEFAULT_APP_SECRET,
        *,
        template: str = DEFAULT_TEMPLATE,
        languages: Collection[str] = DEFAULT_LANGUAGES,
    ) -> None:
        """Accept this token and no other; ``template`` is approved in ``languages``."""
        self._credentials = f"Bearer {access_token}".encode()
        self._phone_number_id = phone_number_id
        self._app_secret = app_secret.encode()
        self._template = template
        self._languages = languages

    def serves(self, path: str) -> bool:
        """Claim every version of the Graph API."""
        return _VERSION.fullmatch(path) is not None

    def receive(self, request: Request) -> Submission | Response:
        """Check the token, the number, then the document."""
        route = _MESSAGES_PATH.fullmatch(request.path)
        if route is None or request.method != "POST":
            return self.refusal(100, {})
        document = _read_document(request)
        params = _describe(document)
        if not self._authenticates(request):
            return self._refuse(190, params)
        if route[1] != self._phone_number_id:
            return self._refuse(_NO_SUCH_OBJECT, params)
        code = self._first_error(document, params)
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of Meta's codes."""
        status, title = _ERRORS[code]
        if code == _NO_SUCH_OBJECT:
            kind = {"type": "GraphMethodException", "code": 100, "error_subcode": 33}
        else:
            kind = {"type": "OAuthException", "code": code}
        to = params.get("to", "")
        details = {"messaging_product": "whatsapp", "details": f"{title}: {to}"}
        fault = {"message": f"(#{code}) {title}", **kind, "error_data": details}
        return json_response(
            status, {"error": {**fault, "fbtrace_id": secrets.token_urlsafe(9)}}
        )

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        fault = {"message": phrase_of(status), "type": "OAuthException"}
        return json_response(status, {"error": fault})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a webhook with one status, signed with the app's secret."""
        number = message.to.removeprefix("+")
        status: dict[str, Any] = {
            "id": message.id,
            "status": "failed" if state == "undelivered" else state,
            "timestamp": str(int(time.time())),
            "recipient_id": number,
        }
        if state == "undelivered":
            code = code or _USUAL_CODE
            title = _ERRORS[code][1]
            details = {"details": f"{title}: {number}"}
            status["errors"] = [{"code": code, "title": title, "error_data": details}]
        else:
            status["pricing"] = {"billable": True, "category": "authentication"}
        business = {"display_phone_number": "15005550006"}
        value = {
            "messaging_product": "whatsapp",
            "metadata": {**business, "phone_number_id": self._phone_number_id},
            "statuses": [status],
        }
        change = {"field": "messages", "value": value}
        entry = {"id": "102290129340398", "changes": [change]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]})
        digest = hmac.digest(self._app_secret, body.encode(), "sha256").hex()
        return ReceiptCall(
            "POST",
            url,
            body.encode(),
            (
                ("Content-Type", "application/json"),
                ("X-Hub-Signature-256", f"sha256={digest}"),
            ),
        )

    def _authenticates(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode("latin-1")
        return hmac.compare_digest(given, self._credentials)

    def _first_error(self, document: object, params: Mapping[str, str]) -> int | None:
        if not isinstance(document, dict):
            return 100
        if document.get("messaging_product") != "whatsapp":
            return 100
        if not params["to"]:
            return 131008
        if not _NUMBER.fullmatch(params["to"]):
            return 131009
        if document.get("type") != "template":
            # Without a template only who has just written to us can be written to.
            return 131047
        return self._template_error(document, params)

    def _template_error(
        self, document: dict[str, Any], params: Mapping[str, str]
    ) -> int | None:
        if params["template"] != self._template:
            return 132001
        if params["language"] not in self._languages:
            return 132001
        if document["template"].get("components") != _components(params["code"]):
            return 132000
        return None if _CODE.fullmatch(params["code"]) else 132012

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=_word(params),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = f"wamid.{secrets.token_urlsafe(36)}"
        number = params["to"]
        return Submission(
            recipients=_recipients(params),
            text=_word(params),
            params=params,
            response=json_response(
                self.success_status,
                {
                    "messaging_product": "whatsapp",
                    "contacts": [{"input": number, "wa_id": number}],
                    "messages": [{"id": message_id, "message_status": "accepted"}],
                },
            ),
            message_id=message_id,
        )


def _read_document(request: Request) -> Any:
    if not request.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        return read_json(request)
    except ValueError:
        return None


def _describe(document: Any) -> dict[str, str]:
    """Pick out what tests look at: to, template, language and code."""
    found = {"to": "", "template": "", "language": "", "code": ""}
    try:
        found["to"] = str(document["to"])
        template = document["template"]
        found["template"] = str(template["name"])
        found["language"] = str(template["language"]["code"])
        found["code"] = str(template["components"][0]["parameters"][0]["text"])
    except (KeyError, IndexError, TypeError):
        pass
    return found


def _components(code: str) -> list[dict[str, Any]]:
    """Return what an authentication template must be filled with, no more, no less."""
    parameters = [{"type": "text", "text": code}]
    button = {"type": "button", "sub_type": "url", "index": "0"}
    return [
        {"type": "body", "parameters": parameters},
        {**button, "parameters": parameters},
    ]


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    number = params.get("to", "")
    return (f"+{number}",) if _NUMBER.fullmatch(number) else ()


def _word(params: Mapping[str, str]) -> str:
    return f"*{params.get('code', '')}* is your verification code."
