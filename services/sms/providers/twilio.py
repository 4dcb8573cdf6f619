"""Twilio Programmable Messaging, through Twilio's own client over our transport."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    error_for,
    read_code,
)
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.providers.twilio_client import (
    COMMON_FAILURES,
    TwilioClient,
)
from services.sms.providers.twilio_signature import SignedForms
from services.sms.receipts import Callback, DeliveryStatus, Receipt
from services.sms.transport import Transport

# https://www.twilio.com/docs/api/errors: one row per code that a message can meet, at
# once or in a receipt. 30xxx usually come in one, and with a Messaging Service others
# too, because it picks the sender after it has answered.
_FAILURES: Mapping[int, Failure] = {
    **COMMON_FAILURES,
    14107: TRANSIENT_NUMBER,  # too many between these two numbers
    21265: RECIPIENT,  # To is a short code
    21266: RECIPIENT,  # To is our own From: anybody may ask for that one
    21408: ACCOUNT_COUNTRY,  # sending to this region is not switched on
    21602: CONTENT,  # no body
    21606: ACCOUNT_COUNTRY,  # From cannot send there
    21607: ACCOUNT,  # trial account: From is not its own
    21608: ACCOUNT,  # trial account: To is not verified
    21610: OPTED_OUT,  # answered STOP: not to be circumvented by another route
    21611: TRANSIENT,  # the queue of From is full
    21612: TRANSIENT_NUMBER,  # no route from From to this To
    21614: RECIPIENT,  # not a mobile
    21617: CONTENT,  # body too long
    21618: CONTENT,  # body blocked
    21619: CONTENT,  # no body
    21635: RECIPIENT,  # landline
    21659: ACCOUNT_COUNTRY,  # From is not ours, or not for this country
    21660: ACCOUNT_COUNTRY,  # From belongs to another account
    21703: ACCOUNT_COUNTRY,  # the Messaging Service has no sender
    21704: ACCOUNT_COUNTRY,  # the Messaging Service has no sender for this country
    21705: ACCOUNT_COUNTRY,  # no such Messaging Service
    30001: TRANSIENT,  # queue overflow
    30002: ACCOUNT,  # account suspended
    30003: ABSENT,  # handset off or out of reach
    30004: RECIPIENT,  # blocked by the recipient or the carrier
    30005: RECIPIENT,  # number unknown or no longer in use
    30006: RECIPIENT,  # landline, or a carrier that cannot be reached
    30007: CONTENT,  # filtered
    30008: TRANSIENT_COUNTRY,  # unknown error at the carrier
    30017: TRANSIENT_COUNTRY,  # carrier congested
    30018: ACCOUNT_COUNTRY,  # sender id not registered
    30022: TRANSIENT_COUNTRY,  # US A2P: rate exceeded
    30023: TRANSIENT_COUNTRY,  # US A2P: daily cap of the campaign
    30024: ACCOUNT_COUNTRY,  # numeric sender not provisioned at the carrier
    30027: TRANSIENT_COUNTRY,  # US A2P: daily cap of the brand
    30032: ACCOUNT_COUNTRY,  # toll-free number not verified
    30034: ACCOUNT_COUNTRY,  # US A2P: number not registered
    30036: TRANSIENT_COUNTRY,  # our ValidityPeriod ran out in the queue of From
    30410: TRANSIENT_COUNTRY,  # timeout at the carrier
    30450: FRAUD,  # SMS Pumping Protection
    60410: FRAUD,  # Fraud Guard blocks the prefix
}

# Statuses of a message that was created and will not be sent.
_DEAD = frozenset({"failed", "undelivered", "canceled"})

# https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; a
# carrier may give no receipt, and then "sent" is the last.
_STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "undelivered",
    "canceled": "undelivered",
}

# Twilio takes 1 to 36000 and recommends more than 5.
_MIN_VALIDITY_SECONDS, _MAX_VALIDITY_SECONDS = 6, 36_000


class TwilioProvider:
    """Sends through Twilio, from ``sender`` or from a Messaging Service.

    With both, ``sender`` is to be one of the service's pool; a message's own sender
    goes without the service. Risk checks and retention stay as the account has them.
    """

    name = "twilio"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        sender: str | None = None,
        messaging_service_sid: str | None = None,
        status_callback: str | None = None,
    ) -> None:
        if not (sender or messaging_service_sid):
            raise ValueError("Twilio needs a sender or a Messaging Service")
        self._client = TwilioClient(
            account_sid,
            auth_token,
            transport=transport,
            failures=_FAILURES,
        )
        self._sender = _given(from_=sender, messaging_service_sid=messaging_service_sid)
        self._callback = _given(status_callback=status_callback)

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        return self._client.ask(partial(self._create, message), deadline)

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """Give Twilio its Feedback; see ``ReportsConversion``."""
        outcome = "confirmed" if converted else "unconfirmed"
        self._client.ask(
            lambda account: account.messages(message_id).feedback.create(
                outcome=outcome
            ),
            deadline,
        )

    def _create(self, message: Message, account: Any) -> Accepted:
        created = account.messages.create(
            to=message.phone.e164,
            body=message.text,
            validity_period=message.ttl_within(
                _MIN_VALIDITY_SECONDS, _MAX_VALIDITY_SECONDS
            ),
            # Without it Twilio takes no Feedback.
            provide_feedback=True,
            **(_given(from_=message.sender) or self._sender),
            **self._callback,
        )
        if created.status in _DEAD or created.error_code:
            raise error_for(*_explain(created.error_code, created.status))
        if not isinstance(created.sid, str):
            raise error_for(AMBIGUOUS, "unreadable")
        return Accepted(created.sid)


class TwilioReceipts:
    """Reads Twilio's status callbacks.

    https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
    """

    def __init__(self, auth_token: str) -> None:
        self._forms = SignedForms(auth_token)

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what Twilio says; see ``ReceiptReader.read``."""
        form = self._forms.read(callback)
        message_id, word = form.get("MessageSid"), form.get("MessageStatus", "")
        if not message_id:
            return ()
        status = _STATUSES.get(word, "unknown")
        if status != "undelivered":
            return (Receipt(message_id, status),)
        failure, vendor_code = _explain(form.get("ErrorCode"), word)
        return (Receipt(message_id, status, failure, vendor_code),)


def _explain(error_code: object, status: str) -> tuple[Failure, str]:
    """Return what became of a dead message, and Twilio's code or status for it."""
    code = read_code(error_code)
    word = status if status in _STATUSES else "unknown"
    return _FAILURES.get(code or 0, TRANSIENT_COUNTRY), str(code or word)


def _given(**options: str | None) -> dict[str, str]:
    return {name: value for name, value in options.items() if value}
