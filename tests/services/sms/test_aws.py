"""AWS alone: its parameters, its two kinds of error, its events and its feedback."""

import json
import socket
from dataclasses import replace
from typing import Any

import pytest

from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    UNCLEAR,
)
from services.sms.provider import (
    Dlt,
    Failure,
    ProviderFailure,
    ReportsConversion,
    Unavailable,
)
from services.sms.providers import aws
from services.sms.providers.aws import AwsReceipts
from services.sms.receipts import BadSignature, Callback, Receipt
from tests.services.sms.contract.aws import BASE_PATH, SENDER, VENDOR, make
from tests.services.sms.contract.vendor import failure_from, failure_of, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.simulator import Simulator
from tests.simulator.aws import Aws
from tests.simulator.vendor import State

TOKEN = "secret-token"
URL = f"https://auth.example/api/webhooks/aws/{TOKEN}"


def read(document: object, *, token: str = TOKEN) -> list[Receipt]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    callback = Callback("POST", URL, "", {}, body, token)
    return list(AwsReceipts(token=TOKEN).read(callback))


def event(kind: str) -> dict[str, Any]:
    return {
        "eventType": kind,
        "messageId": "1",
        "destinationPhoneNumber": INDIAN.e164,
        "something": {"new": []},
    }


def receipt_from_simulator(
    simulator: Simulator, state: State, code: str | None = None
) -> tuple[str, Receipt]:
    message_id = send(make(make_transport(simulator.url + BASE_PATH)))
    (message,) = simulator.messages()
    call = Aws().receipt(message, state, code, URL)
    assert (call.method, call.url) == ("POST", URL)
    (receipt,) = read(call.body)
    return message_id, receipt


# Sending


def test_aws_is_asked_for_no_more_than_the_code_lives(simulator: Simulator) -> None:
    provider = make(make_transport(simulator.url + BASE_PATH))
    for ttl_seconds in (120, 1, 900_000):
        send(provider, ttl_seconds=ttl_seconds)

    sent = [message.params for message in simulator.messages()]
    assert [params["TimeToLive"] for params in sent] == ["120", "5", "259200"]
    assert sent[0] == {
        "DestinationPhoneNumber": INDIAN.e164,
        "OriginationIdentity": SENDER,
        "MessageBody": "123456 is your QuickCart code.",
        "MessageType": "TRANSACTIONAL",
        "TimeToLive": "120",
        "MessageFeedbackEnabled": "True",
    }


def test_aws_gets_the_country_s_sender_the_dlt_ids_and_the_configuration_set(
    simulator: Simulator,
) -> None:
    transport = make_transport(simulator.url + BASE_PATH)
    message = replace(message_to(INDIAN), sender="QKCART", dlt=Dlt("1101", "22"))

    make(transport, configuration_set="logins").send(message, CLOCK.monotonic() + 5.0)

    (arrived,) = simulator.messages()
    assert arrived.params["OriginationIdentity"] == "QKCART"
    assert arrived.params["DestinationCountryParameters.IN_ENTITY_ID"] == "1101"
    assert arrived.params["DestinationCountryParameters.IN_TEMPLATE_ID"] == "22"
    assert arrived.params["ConfigurationSetName"] == "logins"


def test_an_unknown_access_key_is_an_account_error(simulator: Simulator) -> None:
    transport = make_transport(simulator.url + BASE_PATH)

    failure = failure_of(make(transport, access_key_id="AKIAOTHER"))

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "UnrecognizedClientException"


@pytest.mark.parametrize(
    ("answer", "expected", "vendor_code"),
    [
        (
            {"__type": "ThrottlingException"},
            aws._FAILURES["ThrottlingException"],
            "ThrottlingException",
        ),
        (
            {"__type": "a#AccessDeniedException", "Reason": "SOMETHING_NEW"},
            ACCOUNT,
            "SOMETHING_NEW",
        ),
        (
            {"__type": 5, "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"},
            OPTED_OUT,
            "DESTINATION_PHONE_NUMBER_OPTED_OUT",
        ),
        (
            {
                "__type": "a#ValidationException",
                "Reason": "SENDER_ID_NOT_REGISTERED",
                "Fields": [{"Name": "DestinationPhoneNumber"}],
            },
            ACCOUNT_COUNTRY,
            "SENDER_ID_NOT_REGISTERED",
        ),
        (
            {
                "__type": "a#ConflictException",
                "Reason": "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
                "Fields": [{"Name": "DestinationPhoneNumber"}],
            },
            FRAUD,
            "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        ),
        ({"__type": "a#+919876543210"}, UNCLEAR, "http_400"),
        ({"Reason": ["x"], "Fields": {}}, UNCLEAR, "http_400"),
    ],
)
def test_the_reason_says_more_than_the_kind(
    simulator: Simulator, answer: object, expected: Failure, vendor_code: str
) -> None:
    failure = failure_from(VENDOR, answer, status="400 Bad Request")

    assert Failure(failure.reason, failure.scope) == expected
    assert failure.vendor_code == vendor_code


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("DestinationPhoneNumber", RECIPIENT),
        ("MessageBody", CONTENT),
        ("OriginationIdentity", ACCOUNT_COUNTRY),
        ("ConfigurationSetName", ACCOUNT),
        ("TimeToLive", UNCLEAR),
    ],
)
@pytest.mark.parametrize("reason", ["FIELD_VALIDATION_FAILED", "INVALID_PARAMETER"])
def test_a_wrong_field_says_whose_fault_it_is(
    simulator: Simulator, field: str, expected: Failure, reason: str
) -> None:
    answer = {
        "__type": "ValidationException",
        "Reason": reason,
        "Fields": [{"Name": field, "Message": "+919876543210"}],
    }
    failure = failure_from(VENDOR, answer, status="400 Bad Request")

    assert Failure(failure.reason, failure.scope) == expected
    assert failure.vendor_code == reason


def test_a_wrong_field_counts_where_there_is_no_reason(simulator: Simulator) -> None:
    answer = {
        "__type": "ValidationException",
        "Fields": [{"Name": "DestinationPhoneNumber"}],
    }
    failure = failure_from(VENDOR, answer, status="400 Bad Request")

    assert Failure(failure.reason, failure.scope) == RECIPIENT


# Events


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("TEXT_QUEUED", "accepted"),
        ("TEXT_PENDING", "sent"),
        ("TEXT_SENT", "sent"),
        ("TEXT_SUCCESSFUL", "sent"),
        ("TEXT_DELIVERED", "delivered"),
        ("TEXT_UNKNOWN", "unknown"),
    ],
)
def test_an_event_says_how_far_a_message_came(kind: str, expected: str) -> None:
    (receipt,) = read(event(kind))

    assert (receipt.message_id, receipt.status) == ("1", expected)
    assert receipt.failure is None


@pytest.mark.parametrize("kind", aws._RECEIPTS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda it: it,
        lambda it: {"version": "0", "source": "aws.sms-voice", "detail": it},
    ],
    ids=["bare", "eventbridge"],
)
def test_a_labelled_event_is_its_reason_in_any_envelope(kind: str, wrap: Any) -> None:
    expected = Receipt("1", "undelivered", aws._RECEIPTS[kind], kind)

    assert read(wrap(event(kind))) == [expected]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff",
        b"[" * 9999,
        [],
        {},
        {"detail": []},
        {"Type": "SubscriptionConfirmation", "Message": "You have chosen"},
        {"eventType": "TEXT_DELIVERED"},
        {"eventType": "TEXT_DELIVERED", "messageId": 5},
        {"eventType": ["TEXT_DELIVERED"], "messageId": "1"},
        {"eventType": "TEXT_NEW", "messageId": "1"},
        {"eventType": "VOICE_COMPLETED", "messageId": "1"},
    ],
)
def test_what_is_no_event_of_a_text_says_nothing(document: object) -> None:
    assert read(document) == []


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "x"])
def test_an_event_without_the_secret_path_is_nobody_s(token: str) -> None:
    with pytest.raises(BadSignature):
        read(event("TEXT_DELIVERED"), token=token)


@pytest.mark.parametrize("state", ["sent", "delivered"])
def test_the_simulator_s_events_are_read(simulator: Simulator, state: State) -> None:
    message_id, receipt = receipt_from_simulator(simulator, state)

    assert receipt == Receipt(message_id, state, price=0.00581 + 0.003, currency="USD")


@pytest.mark.parametrize("code", [None, *Aws.receipt_codes])
def test_every_event_of_the_simulator_has_a_label(
    simulator: Simulator, code: str | None
) -> None:
    message_id, receipt = receipt_from_simulator(simulator, "undelivered", code)

    kind = code or "TEXT_CARRIER_UNREACHABLE"
    assert receipt == Receipt(
        message_id,
        "undelivered",
        aws._RECEIPTS[kind],
        kind,
        price=0.00581 + 0.003,
        currency="USD",
    )


# Feedback


@pytest.mark.parametrize(
    ("converted", "status"), [(True, "RECEIVED"), (False, "FAILED")]
)
def test_aws_is_told_whether_the_code_came_back(
    status: str, *, converted: bool
) -> None:
    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(b"{}"))

    with RawServer(script) as server:
        provider = make(make_transport(server.url, wait_seconds=5.0))
        provider.report_conversion(
            "1", converted=converted, deadline=CLOCK.monotonic() + 5.0
        )

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert b"PinpointSMSVoiceV2.PutMessageFeedback" in head
    assert json.loads(body) == {"MessageId": "1", "MessageFeedbackStatus": status}


def test_the_simulator_takes_the_feedback_on_a_message_that_it_sent(
    simulator: Simulator,
) -> None:
    provider = make(make_transport(simulator.url + BASE_PATH))
    deadline = CLOCK.monotonic() + 5.0

    assert isinstance(provider, ReportsConversion)
    provider.report_conversion(send(provider), converted=True, deadline=deadline)
    with pytest.raises(ProviderFailure, match="ResourceNotFoundException"):
        provider.report_conversion("other", converted=True, deadline=deadline)


@pytest.mark.parametrize(
    ("told", "price"),
    [
        ({"totalMessagePrice": 0.06087, "totalCarrierFee": 0.0}, 0.06087),
        ({"totalMessagePrice": 0.00581, "totalCarrierFee": 0.003}, 0.00881),
        ({"totalMessagePrice": 0.06087}, 0.06087),
        ({"totalCarrierFee": 0.003}, None),
        ({"totalMessagePrice": -1}, None),
        ({"totalMessagePrice": {"amount": 1}}, None),
    ],
    ids=str,
)
def test_a_price_is_aws_s_own_and_the_carrier_s_together(
    told: dict[str, Any], price: float | None
) -> None:
    (receipt,) = read({**event("TEXT_DELIVERED"), **told})

    assert receipt.price == (None if price is None else pytest.approx(price))
    assert receipt.currency == ("" if price is None else "USD")
