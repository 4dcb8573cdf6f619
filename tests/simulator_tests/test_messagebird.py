"""MessageBird's wire format, where no rule interferes."""

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.messagebird import DEFAULT_ACCESS_KEY
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

MESSAGE = {
    "originator": "QuickCart",
    "recipients": PHONE.removeprefix("+"),
    "body": "482913 is your code.",
}
KEY = {"Authorization": f"AccessKey {DEFAULT_ACCESS_KEY}"}


def send(simulator: Simulator, **params: str) -> requests.Response:
    """Send a good text, save for what a test changes; "" leaves a field out."""
    fields = {name: value for name, value in (MESSAGE | params).items() if value}
    return requests.post(
        f"{simulator.url}/messages", data=fields, headers=KEY, timeout=TIMEOUT_SECONDS
    )


def convert(simulator: Simulator, document: object) -> requests.Response:
    return requests.post(
        f"{simulator.url}/conversions",
        json=document,
        headers=KEY,
        timeout=TIMEOUT_SECONDS,
    )


def test_messagebird_accepts_a_text(simulator: Simulator) -> None:
    response = send(simulator)

    (message,) = simulator.messages(to=PHONE)
    (item,) = response.json()["recipients"]["items"]
    assert response.status_code == 201
    assert response.json()["id"] == message.id
    assert (item["recipient"], item["status"]) == (919876543210, "sent")
    assert message.text == "482913 is your code."
    assert message.outcome == "accepted"


@pytest.mark.parametrize("path", ["/messages", "/conversions"])
def test_messagebird_refuses_a_wrong_key(simulator: Simulator, path: str) -> None:
    response = requests.post(
        f"{simulator.url}{path}",
        data=MESSAGE,
        headers={"Authorization": "AccessKey wrong"},
        timeout=TIMEOUT_SECONDS,
    )

    assert response.status_code == 401
    assert response.json()["errors"][0]["code"] == 2


@pytest.mark.parametrize(
    ("params", "code", "parameter"),
    [
        ({"originator": ""}, 9, "originator"),
        ({"body": ""}, 9, "body"),
        ({"recipients": ""}, 9, "recipients"),
        ({"recipients": PHONE}, 9, "recipients"),
        ({"recipients": "123"}, 9, "recipients"),
        ({"originator": "Quick-Cart"}, 10, "originator"),
        ({"originator": "QuickCartShop"}, 10, "originator"),
        ({"body": "x" * 1378}, 10, "body"),
        ({"datacoding": "gsm"}, 10, "datacoding"),
        ({"validity": "0"}, 10, "validity"),
        ({"validity": "soon"}, 10, "validity"),
        ({"reference": "x" * 129}, 10, "reference"),
        ({"reportUrl": "/api/webhooks"}, 10, "reportUrl"),
    ],
)
def test_messagebird_refuses(
    simulator: Simulator, params: dict[str, str], code: int, parameter: str
) -> None:
    response = send(simulator, **params)

    (error,) = response.json()["errors"]
    assert response.status_code == 422
    assert (error["code"], error["parameter"]) == (code, parameter)
    assert simulator.messages()[0].code == code


@pytest.mark.parametrize(("reference", "asked"), [("1", True), ("", False)])
def test_messagebird_reports_only_what_has_a_reference(
    simulator: Simulator, reference: str, *, asked: bool
) -> None:
    send(simulator, reportUrl="https://auth.example/x", reference=reference)

    (message,) = simulator.messages()
    assert (message.receipts_url is not None) is asked


def test_messagebird_takes_only_post(simulator: Simulator) -> None:
    response = requests.get(f"{simulator.url}/messages", timeout=TIMEOUT_SECONDS)

    assert response.status_code == 404
    assert simulator.messages() == []


def test_messagebird_hears_of_conversions_of_its_own_messages(
    simulator: Simulator,
) -> None:
    message_id = send(simulator).json()["id"]
    report = {"service": "sms", "id": message_id, "success": True}

    assert convert(simulator, report).status_code == 201
    assert convert(simulator, report | {"id": "other"}).status_code == 404
    assert convert(simulator, report | {"service": "fax"}).status_code == 422
    assert convert(simulator, report | {"success": "yes"}).status_code == 422
    assert convert(simulator, []).status_code == 422
