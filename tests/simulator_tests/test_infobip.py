"""Infobip's wire format, where no rule interferes."""

import copy
from typing import Any

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.infobip import DEFAULT_API_KEY
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

MESSAGE: dict[str, Any] = {
    "sender": "QuickCart",
    "destinations": [{"to": PHONE.removeprefix("+")}],
    "content": {"text": "482913 is your code."},
}


def send(
    simulator: Simulator, *, key: str = DEFAULT_API_KEY, **changes: Any
) -> requests.Response:
    """Send a good text, save for what a test changes."""
    return requests.post(
        f"{simulator.url}/sms/3/messages",
        json={"messages": [copy.deepcopy(MESSAGE) | changes]},
        headers={"Authorization": f"App {key}"},
        timeout=TIMEOUT_SECONDS,
    )


def test_infobip_accepts_a_text(simulator: Simulator) -> None:
    response = send(simulator)

    (message,) = simulator.messages(to=PHONE)
    (answered,) = response.json()["messages"]
    assert response.status_code == 200
    assert answered["messageId"] == message.id
    assert answered["status"]["groupName"] == "PENDING"
    assert message.text == "482913 is your code."
    assert message.outcome == "accepted"


def test_infobip_keeps_the_address_for_reports(simulator: Simulator) -> None:
    send(simulator, webhooks={"delivery": {"url": "https://auth.example/x"}})

    (message,) = simulator.messages()
    assert message.receipts_url == "https://auth.example/x"


def test_infobip_refuses_a_wrong_key(simulator: Simulator) -> None:
    response = send(simulator, key="wrong")

    exception = response.json()["requestError"]["serviceException"]
    assert response.status_code == 401
    assert exception["messageId"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": ""},
        {"content": {}},
        {"options": {"validityPeriod": {"amount": 0}}},
        {"options": {"validityPeriod": {"amount": "soon"}}},
        {"options": {"validityPeriod": {"amount": 5, "timeUnit": "seconds"}}},
        {"options": {"validityPeriod": {"amount": 3, "timeUnit": "DAYS"}}},
        {"options": {"regional": {"indiaDlt": {"contentTemplateId": "1"}}}},
        {"webhooks": {"delivery": {"url": "/api/webhooks"}}},
    ],
)
def test_infobip_refuses_a_request_that_is_not_one(
    simulator: Simulator, changes: dict[str, Any]
) -> None:
    response = send(simulator, **changes)

    assert response.status_code == 400
    assert simulator.messages()[0].code == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"destinations": []}, 51),
        ({"destinations": [{"to": PHONE}]}, 52),
        ({"destinations": [{"to": "123"}]}, 52),
        ({"sender": "+15005550006"}, 11),
    ],
)
def test_infobip_rejects_under_200(
    simulator: Simulator, changes: dict[str, Any], code: int
) -> None:
    response = send(simulator, **changes)

    (answered,) = response.json()["messages"]
    assert response.status_code == 200
    assert answered["status"]["groupName"] == "REJECTED"
    assert answered["status"]["id"] == code
    assert simulator.messages()[0].outcome == "refused"


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 60_000])
def test_infobip_refuses_what_it_cannot_read(simulator: Simulator, body: str) -> None:
    response = requests.post(
        f"{simulator.url}/sms/3/messages",
        data=body,
        headers={
            "Authorization": f"App {DEFAULT_API_KEY}",
            "Content-Type": "application/json",
        },
        timeout=TIMEOUT_SECONDS,
    )

    assert response.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/sms/3/messages", 405), ("POST", "/sms/2/text/advanced", 404)],
)
def test_infobip_knows_no_other_way(
    simulator: Simulator, method: str, path: str, status: int
) -> None:
    response = requests.request(
        method, f"{simulator.url}{path}", timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == status
