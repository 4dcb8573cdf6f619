"""AWS End User Messaging SMS (sms-voice, version 2), and its events."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import orjson

from services.sms.aws_signature import Credentials, sign
from services.sms.documents import dig, dig_text, read_amount, read_object
from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    UNCLEAR,
    error_for,
    error_for_status,
    read_word,
)
from services.sms.provider import Accepted, Channel, Failure, Message, ProviderFailure
from services.sms.receipts import (
    Callback,
    DeliveryStatus,
    Receipt,
    check_token,
    with_price,
)
from services.sms.transport import Body, Reply, Transport
from utils.clock import Clock

# https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/: SendTextMessage,
# "Errors". A kind of exception (__type) may give a Reason, which says more.
_FAILURES: dict[str, Failure] = {
    # kinds
    "AccessDeniedException": ACCOUNT,  # the user may not send
    "ExpiredTokenException": ACCOUNT,
    "IncompleteSignatureException": ACCOUNT,
    "InternalServerException": TRANSIENT,
    "InvalidSignatureException": ACCOUNT,  # wrong secret, or our clock is off
    "MissingAuthenticationTokenException": ACCOUNT,
    "OptInRequired": ACCOUNT,  # the account has not subscribed to the service
    "ResourceNotFoundException": ACCOUNT_COUNTRY,  # no such sender in this region
    "ServiceQuotaExceededException": ACCOUNT,
    "ServiceUnavailableException": TRANSIENT,
    "ThrottlingException": TRANSIENT,
    "UnknownOperationException": ACCOUNT,  # the address in our settings is wrong
    "UnrecognizedClientException": ACCOUNT,  # no such access key
    # AccessDeniedException and ServiceQuotaExceededException
    "ACCOUNT_DISABLED": ACCOUNT,
    "INSUFFICIENT_ACCOUNT_REPUTATION": ACCOUNT,
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": ACCOUNT,
    # ConflictException
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": FRAUD,
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": FRAUD,
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": ACCOUNT,  # still in the sandbox
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": OPTED_OUT,
    "MESSAGE_TYPE_MISMATCH": ACCOUNT_COUNTRY,  # the sender is for promotion only
    "NUMBER_CAPABILITIES_MISMATCH": ACCOUNT_COUNTRY,  # the sender has no texts
    "RESOURCE_NOT_ACTIVE": ACCOUNT_COUNTRY,  # the sender is not ready yet
    # ValidationException
    "CHANNEL_NOT_ENABLED": ACCOUNT,
    "COUNTRY_CODE_MISMATCH": ACCOUNT_COUNTRY,  # the sender is another country's
    "COUNTRY_NOT_ENABLED": ACCOUNT_COUNTRY,
    "DESTINATION_COUNTRY_BLOCKED": ACCOUNT_COUNTRY,
    "FIELD_VALIDATION_FAILED": UNCLEAR,
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": ACCOUNT_COUNTRY,
    "INVALID_ARN": ACCOUNT_COUNTRY,  # the sender's
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": ACCOUNT_COUNTRY,
    "INVALID_PARAMETER": UNCLEAR,
    "MAXIMUM_SIZE_EXCEEDED": CONTENT,
    "MISSING_PARAMETER": CONTENT,  # India: the DLT ids
    "PRICE_OVER_THRESHOLD": ACCOUNT_COUNTRY,
    "RESOURCE_NOT_ACCESSIBLE": ACCOUNT_COUNTRY,  # the sender is another account's
    "SENDER_ID_NOT_REGISTERED": ACCOUNT_COUNTRY,
    "SENDER_ID_NOT_SUPPORTED": ACCOUNT_COUNTRY,
    "SENDER_ID_REQUIRES_REGISTRATION": ACCOUNT_COUNTRY,
}

# What a ValidationException means that says no more than which field it is about.
_FIELDS: dict[str, Failure] = {
    "DestinationPhoneNumber": RECIPIENT,
    "MessageBody": CONTENT,
    "OriginationIdentity": ACCOUNT_COUNTRY,
    "ConfigurationSetName": ACCOUNT,
}
_REASONS_OF_A_FIELD = frozenset({"FIELD_VALIDATION_FAILED", "INVALID_PARAMETER"})

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
_RECEIPTS: dict[str, Failure] = {
    "TEXT_BLOCKED": RECIPIENT,  # the phone or its carrier blocks texts to it
    "TEXT_CARRIER_BLOCKED": CONTENT,
    "TEXT_CARRIER_UNREACHABLE": TRANSIENT_COUNTRY,
    "TEXT_INVALID": RECIPIENT,  # not a number in use
    "TEXT_INVALID_MESSAGE": CONTENT,
    "TEXT_PROTECT_BLOCKED": FRAUD,
    "TEXT_SPAM": CONTENT,
    "TEXT_TTL_EXPIRED": TRANSIENT_COUNTRY,
    "TEXT_UNREACHABLE": ABSENT,
}
_STATUSES: dict[str, DeliveryStatus] = {
    "TEXT_QUEUED": "accepted",
    "TEXT_PENDING": "sent",
    "TEXT_SENT": "sent",
    # The carrier has it; in some countries that is all that is ever said.
    "TEXT_SUCCESSFUL": "sent",
    "TEXT_DELIVERED": "delivered",
    "TEXT_UNKNOWN": "unknown",
}

_SERVICE = "sms-voice"
_TARGET = "PinpointSMSVoiceV2"
_CONTENT_TYPE = "application/x-amz-json-1.0"

# SendTextMessage, "TimeToLive".
_MIN_TTL_SECONDS, _MAX_TTL_SECONDS = 5, 259_200

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
# has prices without a currency: AWS charges in US dollars.
_CURRENCY = "USD"


class AwsProvider:
    """Sends through AWS, from ``sender``: a number, a sender id or a pool.

    ``clock`` is to tell the true time, which AWS compares a signature with. Events
    come from what ``configuration_set`` names, or from EventBridge.
    """

    name = "aws"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        access_key_id: str,
        secret_access_key: str,
        *,
        region: str,
        sender: str,
        transport: Transport,
        clock: Clock,
        configuration_set: str | None = None,
    ) -> None:
        self._credentials = Credentials(
            access_key_id, secret_access_key, region, _SERVICE
        )
        self._sender = sender
        self._transport = transport
        self._clock = clock
        self._configuration_set = configuration_set
        address = urlsplit(transport.base_url)
        self._host, self._path = address.netloc, f"{address.path}/"

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        request: dict[str, Any] = {
            "DestinationPhoneNumber": message.phone.e164,
            "OriginationIdentity": message.sender or self._sender,
            "MessageBody": message.text,
            "MessageType": "TRANSACTIONAL",
            "TimeToLive": message.ttl_within(_MIN_TTL_SECONDS, _MAX_TTL_SECONDS),
            # Or a conversion could not be reported.
            "MessageFeedbackEnabled": True,
        }
        if self._configuration_set:
            request["ConfigurationSetName"] = self._configuration_set
        if message.dlt:
            request["DestinationCountryParameters"] = {
                "IN_ENTITY_ID": message.dlt.entity_id,
                "IN_TEMPLATE_ID": message.dlt.template_id,
            }
        reply = self._call("SendTextMessage", request, deadline)
        message_id = dig_text(read_object(reply.body), "MessageId")
        if not message_id:
            raise error_for_status(reply.status)
        return Accepted(message_id)

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """Say whether the code came back; see ``ReportsConversion``."""
        status = "RECEIVED" if converted else "FAILED"
        self._call(
            "PutMessageFeedback",
            {"MessageId": message_id, "MessageFeedbackStatus": status},
            deadline,
        )

    def _call(
        self, operation: str, request: Mapping[str, Any], deadline: float
    ) -> Reply:
        body = Body(orjson.dumps(request), _CONTENT_TYPE)
        headers = sign(
            self._credentials,
            method="POST",
            path=self._path,
            headers={
                "Content-Type": body.content_type,
                "Host": self._host,
                "X-Amz-Target": f"{_TARGET}.{operation}",
            },
            body=body.content,
            now=self._clock.now(),
        )
        reply = self._transport.post("/", body, headers=headers, deadline=deadline)
        if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _failure_for(reply)
        return reply


def _failure_for(reply: Reply) -> ProviderFailure:
    answer = read_object(reply.body)
    # "com.amazonaws.pinpointsmsvoicev2#ThrottlingException", or the last part alone.
    kind = read_word(dig_text(answer, "__type").rpartition("#")[2])
    reason = read_word(dig(answer, "Reason"))
    known = _FAILURES.get(reason or "") or _FAILURES.get(kind or "")
    if reason is None or reason in _REASONS_OF_A_FIELD:
        known = _FIELDS.get(dig_text(answer, "Fields", 0, "Name")) or known
    code = reason or kind
    return (
        error_for(known, str(code)) if known else error_for_status(reply.status, code)
    )


class AwsReceipts:
    """Reads AWS's events; the path is secret, for an API destination does not sign.

    They come in the envelope of EventBridge (``detail``), or bare. SNS is not for this:
    a subscription waits for its subscriber to confirm it, which nothing here does.
    """

    def __init__(self, *, token: str) -> None:
        self._token = token

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the event says; see ``ReceiptReader.read``."""
        check_token(callback, self._token)
        event = _unwrap(read_object(callback.body))
        receipt = _read_event(event)
        price = _read_price(event)
        return [with_price(receipt, price, _CURRENCY)] if receipt else []


def _read_event(event: Mapping[str, Any]) -> Receipt | None:
    message_id = dig_text(event, "messageId")
    kind = dig_text(event, "eventType")
    if not message_id:
        return None
    failure = _RECEIPTS.get(kind)
    if failure is not None:
        return Receipt(message_id, "undelivered", failure, kind)
    status = _STATUSES.get(kind)
    return Receipt(message_id, status) if status else None


def _read_price(event: Mapping[str, Any]) -> float | None:
    """Add AWS's own price and what the carrier takes on top, both of all parts."""
    price = read_amount(event.get("totalMessagePrice"))
    fee = read_amount(event.get("totalCarrierFee")) or 0.0
    return None if price is None else price + fee


def _unwrap(document: dict[str, Any]) -> dict[str, Any]:
    detail = document.get("detail")
    return detail if isinstance(detail, dict) else document
