"""The gateway's wire format, where no rule interferes."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.webhook import DEFAULT_SECRET
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

STANDARD: dict[str, Any] = {
    "id": "MDEyMzQ1Njc4OWFi",
    "to": PHONE,
    "country": "IN",
    "channel": "sms",
    "locale": "en",
    "dlt": None,
    "body": "482913 is your code.",
    "code": "482913",
    "expires_in": 300,
    "sender": None,
}
FORM = "application/x-www-form-urlencoded"


def send(
    simulator: Simulator,
    document: object,
    *,
    secret: str = DEFAULT_SECRET,
    seconds_ago: int = 0,
    webhook_id: str = STANDARD["id"],
    as_form: bool = False,
) -> requests.Response:
    if as_form and isinstance(document, dict):
        body = urlencode(document).encode()
    else:
        body = json.dumps(document).encode()
    sent_at = str(int(time.time()) - seconds_ago)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{webhook_id}.{sent_at}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    return requests.post(
        f"{simulator.url}/gateway",
        data=body,
        headers={
            "Content-Type": FORM if as_form else "application/json",
            "webhook-id": webhook_id,
            "webhook-timestamp": sent_at,
            "webhook-signature": f"v1,{signature.decode()}",
        },
        timeout=TIMEOUT_SECONDS,
    )


def test_the_gateway_accepts_the_standard_body(simulator: Simulator) -> None:
    response = send(simulator, STANDARD)

    (message,) = simulator.messages(to=PHONE)
    assert response.status_code == 202
    assert response.json() == {"message_id": message.id}
    assert message.text == "482913 is your code."


def test_the_gateway_accepts_it_as_a_form(simulator: Simulator) -> None:
    form = {name: value for name, value in STANDARD.items() if value is not None}

    assert send(simulator, form, as_form=True).status_code == 202
    assert simulator.messages(to=PHONE)[0].params["code"] == "482913"


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "whsec_" + "A" * 32},
        {"seconds_ago": 302},
        {"seconds_ago": -302},
    ],
)
def test_the_gateway_refuses_what_is_not_signed_now(
    simulator: Simulator, changes: dict[str, Any]
) -> None:
    assert send(simulator, STANDARD, **changes).status_code == 401
    assert [it.outcome for it in simulator.messages()] == ["refused"]


def test_the_gateway_refuses_what_is_not_signed_at_all(simulator: Simulator) -> None:
    response = requests.post(
        f"{simulator.url}/gateway", json=STANDARD, timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == 401


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"to": "9876543210"}, "recipient"),
        ({"to": None}, "recipient"),
        ({"id": "another-id"}, "content"),
        ({"country": "in"}, "content"),
        ({"channel": "pigeon"}, "content"),
        ({"locale": ""}, "content"),
        ({"body": ""}, "content"),
        ({"code": "12"}, "content"),
        ({"expires_in": 0}, "content"),
        ({"sender": "Bad_Sender"}, "content"),
        ({"dlt": {"entity_id": "1"}}, "content"),
    ],
)
def test_the_gateway_refuses_a_body_that_is_not_standard(
    simulator: Simulator, changes: dict[str, Any], word: str
) -> None:
    response = send(simulator, STANDARD | changes)

    assert response.json() == {"class": word}
    assert [it.code for it in simulator.messages()] == [word]


@pytest.mark.parametrize("document", [[], "text", None])
def test_the_gateway_refuses_what_is_no_object(
    simulator: Simulator, document: object
) -> None:
    assert send(simulator, document).status_code == 400


def test_the_gateway_takes_posts_only(simulator: Simulator) -> None:
    response = requests.get(f"{simulator.url}/gateway", timeout=TIMEOUT_SECONDS)

    assert response.status_code == 405
