"""Meta's WhatsApp Cloud API: the code in an approved authentication template."""

import hmac
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from services.sms.documents import dig, dig_list, dig_text, read_object
from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    ACCOUNT_NUMBER,
    CONTENT,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.languages import nearest
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.receipts import BadSignature, Callback, DeliveryStatus, Receipt
from services.sms.transport import Reply, Transport, json_body
from utils.crypto import same

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes: at once,
# in a receipt, or in both.
_FAILURES: Mapping[int, Failure] = {
    1: TRANSIENT,  # unknown to Meta itself
    2: TRANSIENT,  # service down or overloaded
    3: ACCOUNT,  # capability or permission missing
    4: TRANSIENT,  # too many calls by this app
    10: ACCOUNT,  # permission not given or taken back
    33: ACCOUNT,  # no such phone number id: our settings
    100: TRANSIENT_NUMBER,  # invalid parameter: any, and the number is one
    190: ACCOUNT,  # access token expired or revoked
    200: ACCOUNT,  # permission missing
    368: ACCOUNT,  # blocked for a while: policy violation
    80007: TRANSIENT,  # too many messages by this account
    130429: TRANSIENT,  # too many messages at once
    130472: RECIPIENT,  # this person gets none, by an experiment of Meta's
    130497: ACCOUNT_COUNTRY,  # this account may not write to this country
    131000: TRANSIENT,  # something went wrong
    131005: ACCOUNT,  # access denied
    131008: CONTENT,  # parameter missing
    131009: CONTENT,  # parameter has an invalid value
    131016: TRANSIENT,  # service unavailable
    131021: RECIPIENT,  # to is our own number: anybody may ask for that one
    131026: RECIPIENT,  # not on WhatsApp, or too old a version of it
    # App in development, and the number not on its list: our account's fault, but to
    # learn it costs one call, and numbers on the list do get theirs.
    131030: ACCOUNT_NUMBER,
    131031: ACCOUNT,  # account locked
    131037: ACCOUNT,  # display name of our number not approved
    131042: ACCOUNT,  # no valid method of payment
    131045: ACCOUNT,  # our number is not registered: bad certificate
    131047: CONTENT,  # no template, and the person has not written within 24 hours
    131048: TRANSIENT,  # too many of our messages are reported as spam
    131049: RECIPIENT,  # this person gets enough from businesses, thinks Meta
    131050: RECIPIENT,  # this person wants no marketing of ours
    131051: CONTENT,  # unknown type of message
    131056: TRANSIENT_NUMBER,  # too many from our number to this one
    131057: TRANSIENT,  # account under maintenance
    132000: CONTENT,  # wrong number of parameters for this template
    132001: CONTENT,  # no such template in this language
    132005: CONTENT,  # text too long
    132007: CONTENT,  # characters that are not allowed
    132012: CONTENT,  # parameter in a wrong format
    132015: CONTENT,  # template paused for its quality
    132016: CONTENT,  # template disabled for its quality
    133004: TRANSIENT,  # server unavailable for a while
    133010: ACCOUNT,  # our number is not registered
    135000: CONTENT,  # some parameter is wrong
}

_STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "failed": "undelivered",
}

# Meta answers a wrong phone number id as code 100, which could be anything, with this.
_INVALID, _NO_SUCH_OBJECT = 100, 33

_SIGNATURE = "x-hub-signature-256"
_MAX_CHALLENGE_LENGTH = 100


class WhatsAppProvider:
    """Sends ``template``, of category authentication with a button to copy the code.

    ``languages`` are those that it is approved in; a person who speaks none of them
    gets the first. How long Meta tries to deliver is a property of the template.
    """

    name = "whatsapp"
    channels: frozenset[Channel] = frozenset({"whatsapp"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        access_token: str,
        phone_number_id: str,
        *,
        transport: Transport,
        template: str,
        languages: Sequence[str] = ("en",),
    ) -> None:
        if not languages:
            raise ValueError("a template has at least one language")
        self._headers = {"Authorization": f"Bearer {access_token}"}
        self._path = f"/{phone_number_id}/messages"
        self._transport = transport
        self._template = template
        self._languages = languages

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        reply = self._transport.post(
            self._path,
            json_body(self._write(message)),
            headers=self._headers,
            deadline=deadline,
        )
        return _read(reply)

    def _write(self, message: Message) -> dict[str, object]:
        language = nearest(message.locale, self._languages) or self._languages[0]
        code = [{"type": "text", "text": message.code}]
        return {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.phone.e164.removeprefix("+"),
            "type": "template",
            "template": {
                "name": self._template,
                # Meta writes pt_BR where others write pt-BR.
                "language": {"code": language.replace("-", "_")},
                "components": [
                    {"type": "body", "parameters": code},
                    {
                        "type": "button",
                        "sub_type": "url",
                        "index": "0",
                        "parameters": code,
                    },
                ],
            },
        }


class WhatsAppReceipts:
    """Reads Meta's webhooks, of which only statuses of messages matter here.

    https://developers.facebook.com/docs/graph-api/webhooks/getting-started: signed with
    the app's secret, over the body.
    """

    def __init__(self, app_secret: str) -> None:
        self._secret = app_secret.encode()

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what Meta says, of several messages perhaps; see ``ReceiptReader``."""
        expected = hmac.new(self._secret, callback.body, "sha256").hexdigest()
        if not same(callback.headers.get(_SIGNATURE, ""), f"sha256={expected}"):
            raise BadSignature
        return [
            _read_status(status)
            for entry in dig_list(read_object(callback.body), "entry")
            for change in dig_list(entry, "changes")
            for status in dig_list(change, "value", "statuses")
            if dig_text(status, "id")
        ]


def answer_challenge(query: str, verify_token: str) -> str | None:
    """Return what proves to Meta that the webhook is ours, or None to a stranger.

    Meta asks once, by GET, when the webhook is set up: ``query`` is that request's.
    """
    given = {name: values[0] for name, values in parse_qs(query).items()}
    challenge = given.get("hub.challenge", "")
    if (
        given.get("hub.mode") != "subscribe"
        or not verify_token
        or not same(given.get("hub.verify_token", ""), verify_token)
        # It is sent back as it came, so it must mean nothing to a browser.
        or not (challenge.isascii() and challenge.isalnum())
        or len(challenge) > _MAX_CHALLENGE_LENGTH
    ):
        return None
    return challenge


def _read(reply: Reply) -> Accepted:
    answer = read_object(reply.body)
    message_id = dig_text(answer, "messages", 0, "id")
    if reply.status < HTTPStatus.MULTIPLE_CHOICES and message_id:
        return Accepted(message_id)
    code = read_code(dig(answer, "error", "code"))
    if code == _INVALID and dig(answer, "error", "error_subcode") == _NO_SUCH_OBJECT:
        code = _NO_SUCH_OBJECT
    known = _FAILURES.get(code or 0)
    if known is not None:
        raise error_for(known, str(code))
    raise error_for_status(reply.status, code)


def _read_status(status: Any) -> Receipt:
    message_id = dig_text(status, "id")
    delivery = _STATUSES.get(dig_text(status, "status"), "unknown")
    if delivery != "undelivered":
        return Receipt(message_id, delivery)
    code = read_code(dig(status, "errors", 0, "code"))
    failure = _FAILURES.get(code or 0, TRANSIENT_COUNTRY)
    return Receipt(message_id, delivery, failure, str(code or "failed"))
