"""AWS's wire format, where no rule interferes; each request is signed as AWS's is."""

import json
import time
from typing import Any

import pytest
import requests

from services.sms.aws_signature import Credentials, sign
from tests.simulator import Simulator
from tests.simulator.aws import (
    DEFAULT_ACCESS_KEY_ID,
    DEFAULT_REGION,
    DEFAULT_SECRET_ACCESS_KEY,
)
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

MESSAGE = {
    "DestinationPhoneNumber": PHONE,
    "OriginationIdentity": "pool-1",
    "MessageBody": "482913 is your code.",
    "MessageType": "TRANSACTIONAL",
}


def call(
    simulator: Simulator,
    document: object,
    *,
    operation: str = "SendTextMessage",
    changed: dict[str, str] | None = None,
    body: bytes | None = None,
    now: float | None = None,
    who: dict[str, str] | None = None,
) -> requests.Response:
    """Call as AWS's clients do, save for what a test changes after signing."""
    content = json.dumps(document).encode()
    credentials = Credentials(
        **{
            "access_key_id": DEFAULT_ACCESS_KEY_ID,
            "secret_access_key": DEFAULT_SECRET_ACCESS_KEY,
            "region": DEFAULT_REGION,
            "service": "sms-voice",
            **(who or {}),
        }
    )
    headers = sign(
        credentials,
        method="POST",
        path="/aws/",
        headers={
            "Host": simulator.url.removeprefix("http://"),
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"PinpointSMSVoiceV2.{operation}",
        },
        body=content,
        now=time.time() if now is None else now,
    )
    return requests.post(
        f"{simulator.url}/aws/",
        data=content if body is None else body,
        headers=headers | (changed or {}),
        timeout=TIMEOUT_SECONDS,
    )


def kind_of(response: requests.Response) -> str:
    namespace, _, kind = response.json()["__type"].partition("#")
    assert namespace == "com.amazonaws.pinpointsmsvoicev2"
    return str(kind)


def test_aws_accepts_a_text(simulator: Simulator) -> None:
    response = call(simulator, MESSAGE)

    (message,) = simulator.messages(to=PHONE)
    assert response.status_code == 200
    assert response.json() == {"MessageId": message.id}
    assert message.text == "482913 is your code."
    assert message.outcome == "accepted"


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ({"access_key_id": "AKIAOTHER"}, "UnrecognizedClientException"),
        ({"secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"region": "us-east-1"}, "InvalidSignatureException"),
        ({"service": "sns"}, "InvalidSignatureException"),
    ],
)
def test_aws_refuses_who_is_not_its_own(
    simulator: Simulator, who: dict[str, str], kind: str
) -> None:
    response = call(simulator, MESSAGE, who=who)

    assert response.status_code == 400
    assert kind_of(response) == kind
    assert simulator.messages()[0].code == kind


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"X-Amz-Date": "20150830T123600Z"}, "InvalidSignatureException"),
        ({"X-Amz-Date": "today"}, "InvalidSignatureException"),
        ({"Content-Type": "application/json"}, "InvalidSignatureException"),
        ({"Authorization": ""}, "MissingAuthenticationTokenException"),
        ({"Authorization": "AWS4-HMAC-SHA256 x"}, "IncompleteSignatureException"),
        (
            {
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/x, "
                f"SignedHeaders=host, Signature={'0' * 64}"
            },
            "IncompleteSignatureException",
        ),
    ],
)
def test_aws_refuses_a_header_that_is_not_what_was_signed(
    simulator: Simulator, changed: dict[str, str], kind: str
) -> None:
    assert kind_of(call(simulator, MESSAGE, changed=changed)) == kind


def test_aws_refuses_a_body_that_is_not_what_was_signed(simulator: Simulator) -> None:
    body = json.dumps(MESSAGE | {"DestinationPhoneNumber": "+15005550006"}).encode()

    response = call(simulator, MESSAGE, body=body)

    assert kind_of(response) == "InvalidSignatureException"


@pytest.mark.parametrize("seconds", [-400, 400])
def test_aws_refuses_what_was_signed_at_another_time(
    simulator: Simulator, seconds: int
) -> None:
    response = call(simulator, MESSAGE, now=time.time() + seconds)

    assert kind_of(response) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"DestinationPhoneNumber": ""}, "MISSING_PARAMETER", "DestinationPhoneNumber"),
        ({"OriginationIdentity": ""}, "MISSING_PARAMETER", "OriginationIdentity"),
        ({"MessageBody": ""}, "MISSING_PARAMETER", "MessageBody"),
        ({"MessageBody": "x" * 1601}, "MAXIMUM_SIZE_EXCEEDED", "MessageBody"),
        (
            {"DestinationPhoneNumber": "919876543210"},
            "FIELD_VALIDATION_FAILED",
            "DestinationPhoneNumber",
        ),
        ({"MessageType": "OTP"}, "FIELD_VALIDATION_FAILED", "MessageType"),
        ({"TimeToLive": 4}, "FIELD_VALIDATION_FAILED", "TimeToLive"),
        ({"TimeToLive": 259_201}, "FIELD_VALIDATION_FAILED", "TimeToLive"),
        (
            {"DestinationCountryParameters": {"IN_ENTITY_ID": "1"}},
            "FIELD_VALIDATION_FAILED",
            "DestinationCountryParameters",
        ),
    ],
)
def test_aws_refuses(
    simulator: Simulator, changes: dict[str, Any], reason: str, field: str
) -> None:
    response = call(simulator, MESSAGE | changes)

    assert response.status_code == 400
    assert kind_of(response) == "ValidationException"
    assert response.json()["Reason"] == reason
    assert response.json()["Fields"][0]["Name"] == field
    assert simulator.messages()[0].code == reason


@pytest.mark.parametrize("operation", ["", "SendVoiceMessage"])
def test_aws_does_not_know_another_operation(
    simulator: Simulator, operation: str
) -> None:
    response = call(simulator, MESSAGE, operation=operation)

    assert kind_of(response) == "UnknownOperationException"
    assert simulator.messages() == []


def test_aws_takes_feedback_on_what_was_sent_with_it(simulator: Simulator) -> None:
    sent = call(simulator, MESSAGE | {"MessageFeedbackEnabled": True}).json()
    plain = call(simulator, MESSAGE).json()
    feedback = {"MessageFeedbackStatus": "RECEIVED"}

    statuses = [
        call(simulator, document, operation="PutMessageFeedback").status_code
        for document in (
            sent | feedback,
            plain | feedback,
            sent | {"MessageFeedbackStatus": "READ"},
        )
    ]
    assert statuses == [200, 400, 400]
