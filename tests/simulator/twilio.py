"""Twilio Programmable Messaging, version 2010-04-01."""

import re
import secrets
import time
from collections.abc import Collection, Mapping

from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.twilio_account import TwilioAccount, error, not_found, outage
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, read_form

_VERSION_PATH = "/2010-04-01/"
# Those are another vendor here.
_CALLS_PATH = re.compile(r"/2010-04-01/Accounts/[^/]+/Calls\b.*")
_MESSAGES_PATH = re.compile(r"/2010-04-01/Accounts/([^/]+)/Messages\.json")
_FEEDBACK_PATH = re.compile(
    r"/2010-04-01/Accounts/([^/]+)/Messages/([^/]+)/Feedback\.json"
)
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
# A number, a short code, or up to 11 characters of which one is a letter.
_SENDER = re.compile(
    r"\+[1-9][0-9]{6,14}|[0-9]{3,8}|(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}"
)
# No underscore in the host's name.
_CALLBACK = re.compile(r"https?://[A-Za-z0-9.:-]+(/.*)?")
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_MAX_BODY_LENGTH = 1600
_MAX_VALIDITY_SECONDS = 36_000

# code -> HTTP status and message, as the REST API answers them. Codes above 30000
# reach most customers in a delivery receipt, but some come at once.
_ERRORS: dict[Code, tuple[int, str]] = {
    # the account
    10001: (403, "Account is not active"),
    20003: (401, "Authenticate"),
    20005: (403, "Account not active"),
    20008: (403, "Resource not accessible with Test Account Credentials"),
    30002: (403, "Account suspended"),
    # the request
    20001: (400, "Invalid parameter value"),
    20004: (405, "Method not allowed"),
    20404: (404, "The requested resource was not found"),
    # Twilio itself
    14107: (429, "SMS send rate limit exceeded"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21611: (
        429,
        "This 'From' number has exceeded the maximum number of queued messages",
    ),
    30001: (429, "Queue overflow"),
    # the recipient
    21211: (400, "Invalid 'To' Phone Number: {masked_to}"),
    21214: (400, "'To' phone number cannot be reached"),
    21217: (400, "Phone number does not appear to be valid"),
    21265: (400, "'To' number cannot be a Short Code"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21614: (400, "'To' number is not a valid mobile number"),
    21635: (400, "'To' number cannot be a landline"),
    # the route
    21408: (
        400,
        (
            "Permission to send an SMS has not been enabled for the region indicated"
            " by the 'To' number: {to}"
        ),
    ),
    21612: (
        400,
        (
            "Message cannot be sent with the current combination of 'To' ({to})"
            " and/or 'From' ({sender}) parameters"
        ),
    ),
    # the sender
    21212: (400, "Invalid 'From' Phone Number: {sender}"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21603: (400, "A 'From' or 'MessagingServiceSid' parameter is required."),
    21606: (
        400,
        (
            "The 'From' phone number provided ({sender}) is not a valid message-capable"
            " Twilio phone number for this destination/account"
        ),
    ),
    21607: (400, "The 'From' number must be your Sandbox number for trial accounts"),
    21659: (
        400,
        "'{sender}' is not a Twilio phone number or Short Code country mismatch",
    ),
    21660: (400, "Mismatch between the 'From' number {sender} and the account"),
    21703: (400, "The Messaging Service contains no phone numbers"),
    21704: (400, "The Messaging Service contains no suitable sender for 'To' {to}"),
    21705: (400, "The Messaging Service Sid {service} is invalid"),
    30018: (400, "Destination carrier requires sender ID pre-registration"),
    30024: (400, "Numeric sender ID not provisioned on carrier"),
    30032: (400, "Toll-Free number has not been verified"),
    30034: (400, "Message from an unregistered number"),
    # trial accounts
    21219: (400, "'To' phone number not verified"),
    21608: (
        400,
        (
            "The number {masked_to} is unverified. Trial accounts cannot send messages"
            " to unverified numbers"
        ),
    ),
    # what is sent
    21602: (400, "Message body is required."),
    21604: (400, "A 'To' phone number is required."),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21618: (400, "The message body could not be sent: it was blocked"),
    21619: (400, "A text message body or media urls must be specified."),
    30007: (400, "Message filtered"),
    # fraud
    30450: (403, "Message blocked by SMS Pumping Protection"),
    60410: (403, "Delivery attempt blocked: suspected fraudulent traffic"),
}

# https://www.twilio.com/docs/iam/test-credentials#test-sms-messages
_MAGIC_TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
_MAGIC_FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}

# Codes in delivery receipts, each with the status it comes with: what the carrier
# reports is "undelivered", what never left Twilio "failed".
_RECEIPTS: dict[Code, str] = {
    21610: "failed",
    30001: "failed",
    30002: "failed",
    30003: "undelivered",
    30004: "undelivered",
    30005: "undelivered",
    30006: "undelivered",
    30007: "undelivered",
    30008: "undelivered",
    30017: "undelivered",
    30018: "undelivered",
    30022: "undelivered",
    30023: "undelivered",
    30024: "undelivered",
    30027: "undelivered",
    30032: "undelivered",
    30034: "undelivered",
    30036: "failed",
    30410: "undelivered",
    30450: "failed",
}
_USUAL_CODE = 30008
# A Messaging Service has this one in its pool.
_POOLED_SENDER = "+15005550006"


class Twilio:
    """Twilio's ``Messages.json`` for one account, and the feedback on messages."""

    name = "twilio"
    success_status = 201
    error_codes: Collection[Code] = _ERRORS.keys()
    receipt_codes: Collection[Code] = _RECEIPTS.keys()

    def __init__(self, account_sid: str, auth_token: str) -> None:
        """Accept this account's credentials and no others."""
        self._account = TwilioAccount(account_sid, auth_token)
        self._awaiting_feedback: set[str] = set()

    def serves(self, path: str) -> bool:
        """Claim the whole API version, save for calls."""
        return path.startswith(_VERSION_PATH) and not _CALLS_PATH.fullmatch(path)

    def receive(self, request: Request) -> Submission | Response:
        """Check credentials, account, method and parameters, in Twilio's order."""
        route = _MESSAGES_PATH.fullmatch(request.path)
        if route is None:
            return self._take_feedback(request)
        if request.method != "POST":
            return self.refusal(20004, {})
        params = read_form(request)
        if not self._account.authenticates(request):
            return self._refuse(20003, params)
        if route[1] != self._account.sid:
            return self._refuse(20404, params, not_found(request.path))
        code = _first_error(params)
        if code is not None:
            return self._refuse(code, params)
        return self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of Twilio's error codes."""
        status, message = _ERRORS[code]
        to = params.get("To", "")
        message = message.format(
            to=to,
            masked_to=f"{to[:-4]}XXXX",
            sender=params.get("From", ""),
            service=params.get("MessagingServiceSid", ""),
        )
        return error(status, code, message)

    def outage(self, status: int) -> Response:
        """Answer with a bare status."""
        return outage(status)

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write a status callback."""
        sid = message.id or ""
        code = (code or _USUAL_CODE) if state == "undelivered" else None
        status = state if code is None else _RECEIPTS[code]
        service = message.params.get("MessagingServiceSid")
        fields = {
            "AccountSid": self._account.sid,
            "ApiVersion": "2010-04-01",
            "From": message.params.get("From", _POOLED_SENDER),
            "To": message.to,
            "MessageSid": sid,
            "MessageStatus": status,
            "SmsSid": sid,
            "SmsStatus": status,
        }
        if service:
            fields["MessagingServiceSid"] = service
        if code is not None:
            fields["ErrorCode"] = str(code)
        if state != "sent":
            fields["RawDlrDoneDate"] = time.strftime("%y%m%d%H%M", time.gmtime())
        return self._account.call_back(url, fields)

    def _take_feedback(self, request: Request) -> Response:
        """Take what became of a message that was created with ProvideFeedback."""
        route = _FEEDBACK_PATH.fullmatch(request.path)
        outcome = read_form(request).get("Outcome", "confirmed")
        if route is None:
            return not_found(request.path)
        if request.method != "POST":
            return self.refusal(20004, {})
        if not self._account.authenticates(request):
            return self.refusal(20003, {})
        if route[1] != self._account.sid or route[2] not in self._awaiting_feedback:
            return not_found(request.path)
        if outcome not in {"confirmed", "unconfirmed"}:
            return self.refusal(20001, {})
        now = _now()
        return json_response(
            self.success_status,
            {
                "account_sid": self._account.sid,
                "message_sid": route[2],
                "outcome": outcome,
                "date_created": now,
                "date_updated": now,
                "uri": request.path,
            },
        )

    def _refuse(
        self, code: int, params: Mapping[str, str], response: Response | None = None
    ) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("Body", ""),
            params=params,
            response=response or self.refusal(code, params),
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        sid = f"SM{secrets.token_hex(16)}"
        if params.get("ProvideFeedback") == "true":
            self._awaiting_feedback.add(sid)
        return Submission(
            recipients=_recipients(params),
            text=params["Body"],
            params=params,
            response=json_response(
                self.success_status, _message(self._account.sid, sid, params)
            ),
            message_id=sid,
            receipts_url=params.get("StatusCallback"),
        )


def _first_error(params: Mapping[str, str]) -> int | None:
    return (
        _missing_error(params)
        or _recipient_error(params["To"])
        or _body_error(params["Body"])
        or _sender_error(params)
        or _option_error(params)
    )


def _missing_error(params: Mapping[str, str]) -> int | None:
    if not params.get("To"):
        return 21604
    if not (params.get("From") or params.get("MessagingServiceSid")):
        return 21603
    return None if params.get("Body") else 21602


def _recipient_error(to: str) -> int | None:
    if to in _MAGIC_TO:
        return _MAGIC_TO[to]
    return None if _E164.fullmatch(to) else 21211


def _body_error(body: str) -> int | None:
    return 21617 if len(body) > _MAX_BODY_LENGTH else None


def _sender_error(params: Mapping[str, str]) -> int | None:
    service, sender = params.get("MessagingServiceSid", ""), params.get("From", "")
    if service and not _MESSAGING_SERVICE.fullmatch(service):
        return 21705
    if not sender:
        return None
    if sender in _MAGIC_FROM:
        return _MAGIC_FROM[sender]
    if not _SENDER.fullmatch(sender):
        return 21212
    return 21266 if sender == params["To"] else None


def _option_error(params: Mapping[str, str]) -> int | None:
    callback = params.get("StatusCallback")
    if callback is not None and not _CALLBACK.fullmatch(callback):
        return 21609
    if params.get("ProvideFeedback", "true") not in {"true", "false"}:
        return 20001
    validity = params.get("ValidityPeriod", "1")
    in_range = (
        validity.isascii()
        and validity.isdecimal()
        and len(validity) <= len(str(_MAX_VALIDITY_SECONDS))
        and 1 <= int(validity) <= _MAX_VALIDITY_SECONDS
    )
    # Twilio documents the range but not the code; this is its general one.
    return None if in_range else 20001


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("To")
    return (to,) if to else ()


def _message(
    account_sid: str, sid: str, params: Mapping[str, str]
) -> dict[str, object]:
    service = params.get("MessagingServiceSid") or None
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{sid}"
    now = _now()
    return {
        "sid": sid,
        "account_sid": account_sid,
        "messaging_service_sid": service,
        "to": params["To"],
        # A Messaging Service picks sender and segments after it has answered.
        "from": params.get("From") or None,
        "body": params["Body"],
        "status": "accepted" if service else "queued",
        "direction": "outbound-api",
        "num_segments": "0" if service else str(count_segments(params["Body"])),
        "num_media": "0",
        "price": None,
        "price_unit": "USD",
        "error_code": None,
        "error_message": None,
        "api_version": "2010-04-01",
        "date_created": now,
        "date_updated": now,
        "date_sent": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def _now() -> str:
    return time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
