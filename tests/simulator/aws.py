"""AWS End User Messaging SMS (sms-voice, version 2) for one access key.

Its real path is the host's root; here it is ``/aws/``.
"""

import json
import re
import time
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from tests.simulator.aws_signature import Signatures
from tests.simulator.inbox import Code, Message
from tests.simulator.segments import count_segments
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import (
    Request,
    Response,
    flatten_json,
    json_response,
    phrase_of,
)

DEFAULT_REGION = "eu-west-1"
DEFAULT_ACCESS_KEY_ID = "AKIASIMULATOR"
DEFAULT_SECRET_ACCESS_KEY = "simulator/aws+secret"

_PATH = "/aws/"
_SEND = "PinpointSMSVoiceV2.SendTextMessage"
_FEEDBACK = "PinpointSMSVoiceV2.PutMessageFeedback"
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TTL = re.compile(r"[0-9]{1,6}")
_MAX_TTL_SECONDS = 259_200
_MAX_BODY_LENGTH = 1600
_MESSAGE_TYPES = {"TRANSACTIONAL", "PROMOTIONAL"}
_INDIAN_IDS = {"IN_ENTITY_ID", "IN_TEMPLATE_ID"}

# kind of exception -> HTTP status
_KINDS: dict[Code, int] = {
    "AccessDeniedException": 400,
    "ExpiredTokenException": 400,
    "IncompleteSignatureException": 400,
    "InternalServerException": 500,
    "InvalidSignatureException": 400,
    "MissingAuthenticationTokenException": 400,
    "OptInRequired": 403,
    "ResourceNotFoundException": 400,
    "ServiceQuotaExceededException": 400,
    "ServiceUnavailableException": 503,
    "ThrottlingException": 400,
    "UnknownOperationException": 400,
    "UnrecognizedClientException": 400,
}

# reason -> the kind of exception that gives it
_REASONS: dict[Code, str] = {
    "ACCOUNT_DISABLED": "AccessDeniedException",
    "INSUFFICIENT_ACCOUNT_REPUTATION": "AccessDeniedException",
    "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT": "ServiceQuotaExceededException",
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": "ConflictException",
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": "ConflictException",
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": "ConflictException",
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": "ConflictException",
    "MESSAGE_TYPE_MISMATCH": "ConflictException",
    "NUMBER_CAPABILITIES_MISMATCH": "ConflictException",
    "RESOURCE_NOT_ACTIVE": "ConflictException",
    "CHANNEL_NOT_ENABLED": "ValidationException",
    "COUNTRY_CODE_MISMATCH": "ValidationException",
    "COUNTRY_NOT_ENABLED": "ValidationException",
    "DESTINATION_COUNTRY_BLOCKED": "ValidationException",
    "FIELD_VALIDATION_FAILED": "ValidationException",
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": "ValidationException",
    "INVALID_ARN": "ValidationException",
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": "ValidationException",
    "INVALID_PARAMETER": "ValidationException",
    "MAXIMUM_SIZE_EXCEEDED": "ValidationException",
    "MISSING_PARAMETER": "ValidationException",
    "PRICE_OVER_THRESHOLD": "ValidationException",
    "RESOURCE_NOT_ACCESSIBLE": "ValidationException",
    "SENDER_ID_NOT_REGISTERED": "ValidationException",
    "SENDER_ID_NOT_SUPPORTED": "ValidationException",
    "SENDER_ID_REQUIRES_REGISTRATION": "ValidationException",
}

# eventType -> messageStatusDescription, of texts that did not arrive
_EVENTS: dict[Code, str] = {
    "TEXT_BLOCKED": "Phone is blocking messages",
    "TEXT_CARRIER_BLOCKED": "Phone carrier has blocked this message",
    "TEXT_CARRIER_UNREACHABLE": "Phone carrier is currently unreachable",
    "TEXT_INVALID": "Phone number is invalid",
    "TEXT_INVALID_MESSAGE": "Message is invalid",
    "TEXT_PROTECT_BLOCKED": "Message was blocked by the protect configuration",
    "TEXT_SPAM": "Message was taken for spam",
    "TEXT_TTL_EXPIRED": "Message expired",
    "TEXT_UNREACHABLE": "Phone is currently unreachable",
}
_USUAL_EVENT = "TEXT_CARRIER_UNREACHABLE"
_ARRIVALS = {
    "TEXT_SUCCESSFUL": "Message has been accepted by phone carrier",
    "TEXT_DELIVERED": "Message has been accepted by phone",
}


class Aws:
    """AWS for one access key in one region."""

    name = "aws"
    success_status = 200
    error_codes: Collection[Code] = [*_KINDS, *_REASONS]
    receipt_codes: Collection[Code] = _EVENTS.keys()

    def __init__(
        self,
        access_key_id: str = DEFAULT_ACCESS_KEY_ID,
        secret_access_key: str = DEFAULT_SECRET_ACCESS_KEY,
        region: str = DEFAULT_REGION,
    ) -> None:
        """Accept what this key signs for this region."""
        self._signatures = Signatures(access_key_id, secret_access_key, region)
        self._region = region
        # Whose feedback may be given.
        self._accepted: set[str] = set()

    def serves(self, path: str) -> bool:
        """Claim what stands for AWS's host."""
        return path.startswith(_PATH)

    def receive(self, request: Request) -> Submission | Response:
        """Check the signature, then the parameters."""
        if request.path != _PATH or request.method != "POST":
            return _error("UnknownOperationException")
        params = flatten_json(request)
        code = self._signatures.error_of(request)
        operation = request.headers.get("x-amz-target")
        if operation == _FEEDBACK:
            return _error(code) if code else self._take_feedback(params)
        if operation != _SEND:
            return _error("UnknownOperationException")
        if code:
            return self._refuse(params, _error(code), code)
        code, field = _first_error(params)
        if code:
            return self._refuse(params, _error(code, field), code)
        return self._accept(params)

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with one of AWS's exceptions, or with one of their reasons."""
        return _error(code)

    def outage(self, status: int) -> Response:
        """Answer with a bare status, as AWS's front ends do."""
        return json_response(status, {"message": phrase_of(status)})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall:
        """Write an event as EventBridge's API destinations send it, unsigned."""
        match state:
            case "sent":
                kind: Code = "TEXT_SUCCESSFUL"
            case "delivered":
                kind = "TEXT_DELIVERED"
            case "undelivered":
                kind = _USUAL_EVENT if code is None else code
        description = _ARRIVALS.get(str(kind)) or _EVENTS[kind]
        now = time.time()
        event = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Text Message Delivery Status Updated",
            "source": "aws.sms-voice",
            "account": "123456789012",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            "region": self._region,
            "resources": [],
            "detail": {
                "eventType": kind,
                "eventVersion": "1.0",
                "eventTimestamp": int(now * 1000),
                "isFinal": state != "sent",
                "originationPhoneNumber": message.params.get("OriginationIdentity"),
                "destinationPhoneNumber": message.to,
                "messageId": message.id,
                "messageRequestTimestamp": int(message.received_at * 1000),
                "messageType": "TRANSACTIONAL",
                "messageStatus": str(kind).removeprefix("TEXT_"),
                "messageStatusDescription": description,
                "totalMessageParts": count_segments(message.text),
                "totalMessagePrice": 0.00581,
                "totalCarrierFee": 0.003,
            },
        }
        headers = (("Content-Type", "application/json; charset=utf-8"),)
        return ReceiptCall("POST", url, json.dumps(event).encode(), headers)

    def _take_feedback(self, params: Mapping[str, str]) -> Response:
        if params.get("MessageId") not in self._accepted:
            return _error("ResourceNotFoundException")
        status = params.get("MessageFeedbackStatus", "")
        if status not in {"RECEIVED", "FAILED"}:
            return _error("FIELD_VALIDATION_FAILED", "MessageFeedbackStatus")
        return json_response(200, dict(params))

    def _refuse(
        self, params: Mapping[str, str], response: Response, code: Code
    ) -> Submission:
        return Submission(
            recipients=_recipients(params),
            text=params.get("MessageBody", ""),
            params=params,
            response=response,
            code=code,
        )

    def _accept(self, params: Mapping[str, str]) -> Submission:
        message_id = str(uuid.uuid4())
        if params.get("MessageFeedbackEnabled") == "True":
            self._accepted.add(message_id)
        return Submission(
            recipients=_recipients(params),
            text=params["MessageBody"],
            params=params,
            response=json_response(self.success_status, {"MessageId": message_id}),
            message_id=message_id,
        )


def _first_error(params: Mapping[str, str]) -> tuple[Code | None, str | None]:
    for name in ("DestinationPhoneNumber", "MessageBody", "OriginationIdentity"):
        # AWS would pick an identity; which one it is should not be left to chance.
        if not params.get(name):
            return "MISSING_PARAMETER", name
    if len(params["MessageBody"]) > _MAX_BODY_LENGTH:
        return "MAXIMUM_SIZE_EXCEEDED", "MessageBody"
    ttl = params.get("TimeToLive", "5")
    checks = {
        "DestinationPhoneNumber": _E164.fullmatch(params["DestinationPhoneNumber"]),
        "MessageType": params.get("MessageType") in _MESSAGE_TYPES,
        "TimeToLive": _TTL.fullmatch(ttl) and 5 <= int(ttl) <= _MAX_TTL_SECONDS,
        "DestinationCountryParameters": _indian_ids(params) in (set(), _INDIAN_IDS),
    }
    for name, good in checks.items():
        if not good:
            return "FIELD_VALIDATION_FAILED", name
    return None, None


def _indian_ids(params: Mapping[str, str]) -> set[str]:
    prefix = "DestinationCountryParameters."
    return {it.removeprefix(prefix) for it in params if it.startswith(prefix)}


def _recipients(params: Mapping[str, str]) -> tuple[str, ...]:
    to = params.get("DestinationPhoneNumber")
    return (to,) if to else ()


def _error(code: Code, field: str | None = None) -> Response:
    kind = _REASONS.get(code, str(code))
    document: dict[str, Any] = {
        "__type": f"com.amazonaws.pinpointsmsvoicev2#{kind}",
        "Message": f"The request failed: {code}",
    }
    if code in _REASONS:
        document["Reason"] = code
    if field:
        document["Fields"] = [{"Name": field, "Message": "is not valid"}]
    return json_response(_KINDS.get(kind, 400), document)
