"""Plivo's wire format, where no rule interferes."""

import uuid
from typing import Any

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.plivo import DEFAULT_AUTH_ID, DEFAULT_AUTH_TOKEN
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

TEXT = {
    "src": "QuickCart",
    "dst": PHONE.removeprefix("+"),
    "text": "482913 is your code.",
}


def send(
    simulator: Simulator,
    *,
    method: str = "POST",
    account: str = DEFAULT_AUTH_ID,
    token: str = DEFAULT_AUTH_TOKEN,
    **changes: Any,
) -> requests.Response:
    """Send a good text, save for what a test changes; "" leaves a field out."""
    fields = {name: it for name, it in (TEXT | changes).items() if it != ""}
    return requests.request(
        method,
        f"{simulator.url}/v1/Account/{account}/Message/",
        json=fields,
        auth=(DEFAULT_AUTH_ID, token),
        timeout=TIMEOUT_SECONDS,
    )


def test_plivo_accepts_a_text(simulator: Simulator) -> None:
    response = send(simulator)

    (message,) = simulator.messages(to=PHONE)
    document = response.json()
    assert response.status_code == 202
    assert document["message"] == "message(s) queued"
    assert document["message_uuid"] == [message.id]
    assert str(uuid.UUID(message.id)) == message.id
    assert message.text == "482913 is your code."
    assert message.outcome == "accepted"


def test_plivo_keeps_the_address_for_receipts(simulator: Simulator) -> None:
    send(simulator, url="https://auth.example/x", method="POST")

    assert simulator.messages()[0].receipts_url == "https://auth.example/x"


def test_plivo_refuses_a_wrong_token(simulator: Simulator) -> None:
    response = send(simulator, token="wrong")

    assert response.status_code == 401
    assert set(response.json()) == {"api_id", "error"}


def test_plivo_does_not_know_another_account(simulator: Simulator) -> None:
    assert send(simulator, account="MAOTHER").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/Account/{DEFAULT_AUTH_ID}/Message/", 405),
        ("POST", f"/v1/Account/{DEFAULT_AUTH_ID}/Call/", 404),
    ],
)
def test_plivo_knows_no_other_way(
    simulator: Simulator, method: str, path: str, status: int
) -> None:
    response = requests.request(
        method, f"{simulator.url}{path}", timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == status


@pytest.mark.parametrize(
    "change",
    [
        {"src": ""},
        {"src": "+15005550006"},
        {"src": TEXT["dst"]},
        {"dst": ""},
        {"dst": PHONE},
        {"dst": "123"},
        {"text": ""},
        {"text": "x" * 1601},
        {"type": "mms"},
        {"url": "/api/webhooks"},
        {"log": "no"},
        {"message_expiry": 4},
        {"message_expiry": 10_800},
        {"message_expiry": "soon"},
        {"dlt_template_id": "22"},
        {"dlt_template_category": "otp"},
    ],
)
def test_plivo_refuses(simulator: Simulator, change: dict[str, Any]) -> None:
    response = send(simulator, **change)

    (message,) = simulator.messages()
    assert response.status_code == 400
    assert next(iter(change)) in response.json()["error"]
    assert (message.outcome, message.code) == ("refused", "http_400")


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 60_000])
def test_plivo_refuses_what_it_cannot_read(simulator: Simulator, body: str) -> None:
    response = requests.post(
        f"{simulator.url}/v1/Account/{DEFAULT_AUTH_ID}/Message/",
        data=body,
        headers={"Content-Type": "application/json"},
        auth=(DEFAULT_AUTH_ID, DEFAULT_AUTH_TOKEN),
        timeout=TIMEOUT_SECONDS,
    )

    assert response.status_code == 400
