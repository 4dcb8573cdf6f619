"""A gateway of somebody's own, which takes what the webhook vendor sends."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
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

# The secret that the standard's own examples are signed with.
DEFAULT_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

_PATH = "/gateway"
_TOLERANCE_SECONDS = 300
_USUAL_CLASS = "transient"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# class -> the HTTP status it comes with
_CLASSES: dict[Code, int] = {
    "recipient": 422,
    "absent": 422,
    "opted_out": 422,
    "fraud": 403,
    "account": 402,
    "content": 400,
    "transient": 409,
}
# field of the standard body -> what it must look like; the form has all as text.
_FIELDS: dict[str, re.Pattern[str]] = {
    "id": re.compile(r"[A-Za-z0-9_-]{8,}"),
    "country": re.compile(r"[A-Z]{2}|001"),
    "channel": re.compile(r"sms|whatsapp|voice"),
    "locale": re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*"),
    "body": re.compile(r".+", re.DOTALL),
    "code": re.compile(r"[0-9]{4,10}"),
    "expires_in": re.compile(r"[1-9][0-9]{0,4}"),
    "sender": re.compile(r"\+?[A-Za-z0-9 ]*"),
}


class Webhook:
    """A gateway that shares one Standard Webhooks secret with its sender."""

    name = "webhook"
    success_status = 202
    error_codes: Collection[Code] = _CLASSES.keys()
    receipt_codes: Collection[Code] = _CLASSES.keys()

    def __init__(self, secret: str = DEFAULT_SECRET) -> None:
        """Take what is signed with this secret and no other."""
        self._key = base64.b64decode(secret.partition("_")[2])

    def serves(self, path: str) -> bool:
        """Claim one path."""
        return path == _PATH

    def receive(self, request: Request) -> Submission | Response:
        """Check the signature, then the standard body, as JSON or as a form."""
        if request.method != "POST":
            return json_response(405, {"error": "POST only"}, ("Allow", "POST"))
        params = _read_params(request)
        if not self._is_signed(request):
            return self._refuse(
                "account", params, json_response(401, {"error": "signature"})
            )
        code = _first_error(params)
        if params.get("id") != request.headers.get("webhook-id"):
            code = "content"
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with the class of the error."""
        return json_response(_CLASSES[code], {"class": code})

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return json_response(status, {"error": phrase_of(status)})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write and sign a receipt; the gateway has one for every state."""
        document: dict[str, object] = {
            "message_id": message.id,
            "status": state,
            "price": 0.002,
            "currency": "USD",
        }
        if state == "undelivered":
            document["class"] = code or _USUAL_CLASS
        body = json.dumps(document).encode()
        receipt_id, now = f"rcp_{secrets.token_hex(8)}", str(int(time.time()))
        headers = (
            ("Content-Type", "application/json"),
            ("webhook-id", receipt_id),
            ("webhook-timestamp", now),
            ("webhook-signature", f"v1,{self._sign(receipt_id, now, body)}"),
        )
        return ReceiptCall("POST", url, body, headers)

    def _is_signed(self, request: Request) -> bool:
        sent_at = request.headers.get("webhook-timestamp", "")
        if not sent_at.isdecimal() or (
            abs(time.time() - int(sent_at)) > _TOLERANCE_SECONDS
        ):
            return False
        expected = self._sign(
            request.headers.get("webhook-id", ""), sent_at, request.body
        )
        versions = request.headers.get("webhook-signature", "").split(" ")
        given = [it.removeprefix("v1,") for it in versions if it.startswith("v1,")]
        return any(hmac.compare_digest(it, expected) for it in given)

    def _sign(self, message_id: str, sent_at: str, body: bytes) -> str:
        content = b".".join((message_id.encode(), sent_at.encode(), body))
        digest = hmac.new(self._key, content, hashlib.sha256).digest()
        return base64.b64encode(digest).decode()

    def _refuse(
        self, code: Code, params: Mapping[str, str], response: Response | None = None
    ) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("body", ""),
            params=params,
            response=response or self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = f"gw_{secrets.token_hex(8)}"
        return Submission(
            recipients=_recipients(params),
            text=params["body"],
            params=params,
            response=json_response(self.success_status, {"message_id": message_id}),
            message_id=message_id,
        )


def _read_params(request: Request) -> dict[str, str]:
    """Read both kinds of the standard body as the form has it."""
    if not request.headers.get("content-type", "").startswith("application/json"):
        return read_form(request)
    try:
        document = read_json(request)
    except ValueError:
        return {}
    if not isinstance(document, dict):
        return {}
    dlt = document.pop("dlt", None)
    if isinstance(dlt, dict):
        document |= {f"dlt_{name}": value for name, value in dlt.items()}
    return {
        name: "" if value is None else str(value) for name, value in document.items()
    }


def _first_error(params: Mapping[str, str]) -> Code | None:
    if not _E164.fullmatch(params.get("to", "")):
        return "recipient"
    fits = all(
        pattern.fullmatch(params.get(name, "")) for name, pattern in _FIELDS.items()
    )
    dlt = [bool(params.get(f"dlt_{name}_id")) for name in ("entity", "template")]
    return None if fits and len(set(dlt)) == 1 else "content"


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("to")
    return (to,) if to else ()
