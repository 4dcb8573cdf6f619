"""Twilio Programmable Voice, version 2010-04-01: calls with a document given along."""

import re
import secrets
import time
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby
from xml.etree import ElementTree as ET

from tests.simulator.inbox import Code, Message
from tests.simulator.twilio_account import TwilioAccount, error, not_found, outage
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, read_form

_CALLS_PATH = re.compile(r"/2010-04-01/Accounts/([^/]+)/Calls\.json")
_OWN_PATH = re.compile(r"/2010-04-01/Accounts/[^/]+/Calls\b.*")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_CALLBACK = re.compile(r"https?://[A-Za-z0-9.:-]+(/.*)?")
_MAX_TWIML_LENGTH = 4000
_MAX_RING_SECONDS = 600

# https://www.twilio.com/docs/api/errors: code -> HTTP status and message
_ERRORS: dict[Code, tuple[int, str]] = {
    10001: (403, "Account is not active"),
    10004: (400, "Call concurrency limit exceeded"),
    10005: (403, "Voice calling has been disabled for this account"),
    13223: (400, "Dial: Invalid phone number format"),
    13224: (400, "Dial: Twilio does not support calling this number: {to}"),
    13225: (400, "Dial: Call blocked by Twilio: forbidden phone number"),
    13226: (400, "Dial: Invalid country code"),
    13227: (400, "Geo Permission configuration is not permitting call"),
    20001: (400, "Invalid parameter value"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21202: (400, "'To' number is a premium number"),
    21203: (400, "International calling not enabled"),
    21210: (400, "'From' phone number not verified: {sender}"),
    21211: (400, "Invalid 'To' Phone Number: {to}"),
    21212: (400, "Invalid 'From' Phone Number: {sender}"),
    21213: (400, "'From' phone number is required"),
    21214: (400, "'To' phone number cannot be reached"),
    21215: (400, "Account not authorized to call {to}: geo permissions"),
    21216: (400, "Call blocked by Twilio: account not allowed to call {to}"),
    21217: (400, "Phone number does not appear to be valid"),
    21219: (400, "'To' phone number not verified: {to}"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
}

# What a call ends with that nobody hears, by the simulator's word for a code.
_ENDS: Collection[Code] = ("busy", "no-answer", "failed", "canceled")
_USUAL_END = "no-answer"

# https://www.twilio.com/docs/voice/twiml/say/text-speech: with any other pair the
# instruction fails, and nothing is heard.
_VOICES = {
    ("arb", "Polly.Zeina"),
    ("de-DE", "Polly.Vicki"),
    ("en-US", "Polly.Joanna"),
    ("es-US", "Polly.Lupe"),
    ("fr-FR", "Polly.Lea"),
    ("hi-IN", "Polly.Aditi"),
    ("id-ID", "Google.id-ID-Standard-A"),
    ("pt-BR", "Polly.Camila"),
}


class TwilioVoice:
    """Twilio's ``Calls.json`` for one account; a text is what the person hears."""

    name = "twilio_voice"
    success_status = 201
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes = _ENDS

    def __init__(self, account_sid: str, auth_token: str) -> None:
        """Accept this account's credentials and no others."""
        self._account = TwilioAccount(account_sid, auth_token)

    def serves(self, path: str) -> bool:
        """Claim the calls of every account."""
        return _OWN_PATH.fullmatch(path) is not None

    def receive(self, request: Request) -> Submission | Response:
        """Check credentials, account, method and parameters, in Twilio's order."""
        route = _CALLS_PATH.fullmatch(request.path)
        if route is None:
            return not_found(request.path)
        if request.method != "POST":
            return self.refusal(20004, {})
        params = read_form(request)
        if not self._account.authenticates(request):
            return self._refuse(20003, params)
        if route[1] != self._account.sid:
            return self._refuse(20404, params)
        code = _first_error(params)
        return self._refuse(code, params) if code else self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of Twilio's error codes."""
        status, message = _ERRORS[code]
        names = {"to": params.get("To", ""), "sender": params.get("From", "")}
        return error(status, code, message.format(**names))

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return outage(status)

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall | None:
        """Write the one callback of a call whose events nobody chose: its end."""
        if state == "sent":
            return None
        end = "completed" if state == "delivered" else str(code or _USUAL_END)
        fields = {
            "AccountSid": self._account.sid,
            "ApiVersion": "2010-04-01",
            "CallSid": message.id or "",
            "CallStatus": end,
            "CallDuration": "38" if state == "delivered" else "0",
            "CallbackSource": "call-progress-events",
            "Called": message.to,
            "Caller": message.params.get("From", ""),
            "Direction": "outbound-api",
            "Duration": "1" if state == "delivered" else "0",
            "From": message.params.get("From", ""),
            "SequenceNumber": "0",
            "Timestamp": _now(),
            "To": message.to,
        }
        return self._account.call_back(url, fields)

    def _refuse(self, code: int, params: Mapping[str, str]) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=transcribe(params.get("Twiml", "")),
            params=params,
            response=self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        sid = f"CA{secrets.token_hex(16)}"
        uri = f"/2010-04-01/Accounts/{self._account.sid}/Calls/{sid}"
        answer = {
            "sid": sid,
            "account_sid": self._account.sid,
            "to": params["To"],
            "from": params["From"],
            "status": "queued",
            "direction": "outbound-api",
            "answered_by": None,
            "start_time": None,
            "end_time": None,
            "duration": None,
            "price": None,
            "price_unit": "USD",
            "queue_time": "0",
            "api_version": "2010-04-01",
            "date_created": None,
            "date_updated": None,
            "uri": f"{uri}.json",
            "subresource_uris": {"events": f"{uri}/Events.json"},
        }
        return Submission(
            recipients=_recipients(params),
            text=transcribe(params["Twiml"]),
            params=params,
            response=json_response(self.success_status, answer),
            message_id=sid,
            receipts_url=params.get("StatusCallback"),
        )


def transcribe(twiml: str) -> str:
    """Write down what is heard: what is read digit by digit makes one number."""
    try:
        document = ET.fromstring(twiml)  # noqa: S314 - written by our own tests
    except ET.ParseError:
        return ""
    lines = []
    for is_digit, words in groupby(_spoken(document), key=str.isdecimal):
        lines.append(("" if is_digit else " ").join(words))
    return " ".join(lines)


def _spoken(document: ET.Element) -> Iterator[str]:
    for say in document.iter("Say"):
        if (say.get("language"), say.get("voice")) in _VOICES and say.text:
            yield say.text


def _first_error(params: Mapping[str, str]) -> int | None:
    to, sender = params.get("To", ""), params.get("From", "")
    if not to:
        return 21201
    if not sender:
        return 21213
    if not _E164.fullmatch(to):
        return 21211
    if not _E164.fullmatch(sender):
        return 21212
    return _option_error(params)


def _option_error(params: Mapping[str, str]) -> int | None:
    callback = params.get("StatusCallback")
    if callback is not None and not _CALLBACK.fullmatch(callback):
        return 21609
    ring = params.get("Timeout", "60")
    if not (ring.isascii() and ring.isdecimal() and int(ring) <= _MAX_RING_SECONDS):
        return 20001
    # Twilio documents the limits of a document but not the code; this is its general.
    return None if _is_document(params.get("Twiml", "")) else 20001


def _is_document(twiml: str) -> bool:
    if not 0 < len(twiml) <= _MAX_TWIML_LENGTH:
        return False
    try:
        document = ET.fromstring(twiml)  # noqa: S314 - written by our own tests
    except ET.ParseError:
        return False
    return document.tag == "Response" and all(
        child.tag in {"Say", "Pause"} for child in document
    )


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("To")
    return (to,) if to else ()


def _now() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
