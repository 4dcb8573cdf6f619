"""Vonage's wire format, where no rule interferes."""

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.vonage import DEFAULT_API_KEY, DEFAULT_API_SECRET
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

TEXT = {
    "from": "QuickCart",
    "to": PHONE.removeprefix("+"),
    "text": "482913 is your code.",
}
CONVERSION = {
    "api_key": DEFAULT_API_KEY,
    "api_secret": DEFAULT_API_SECRET,
    "message-id": "0C",
    "delivered": "true",
    "timestamp": "2023-11-14 22:13:20",
}


def post(
    simulator: Simulator,
    path: str,
    fields: dict[str, str],
    *,
    secret: str = DEFAULT_API_SECRET,
) -> requests.Response:
    return requests.post(
        f"{simulator.url}{path}",
        data=fields,
        auth=(DEFAULT_API_KEY, secret),
        timeout=TIMEOUT_SECONDS,
    )


def test_vonage_accepts_a_text(simulator: Simulator) -> None:
    response = post(simulator, "/sms/json", TEXT)

    (message,) = simulator.messages(to=PHONE)
    (part,) = response.json()["messages"]
    assert response.status_code == 200
    assert response.json()["message-count"] == "1"
    assert (part["status"], part["message-id"]) == ("0", message.id)
    assert message.text == "482913 is your code."
    assert message.outcome == "accepted"


def test_vonage_answers_for_each_part(simulator: Simulator) -> None:
    response = post(simulator, "/sms/json", TEXT | {"text": "x" * 161})

    assert response.json()["message-count"] == "2"
    first, second = response.json()["messages"]
    assert first["message-id"] != second["message-id"]


def test_vonage_keeps_the_address_for_receipts(simulator: Simulator) -> None:
    post(simulator, "/sms/json", TEXT | {"callback": "https://auth.example/x"})

    assert simulator.messages()[0].receipts_url == "https://auth.example/x"


def test_vonage_refuses_a_wrong_secret_under_200(simulator: Simulator) -> None:
    response = post(simulator, "/sms/json", TEXT, secret="wrong")

    assert response.status_code == 200
    assert response.json() == {
        "message-count": "1",
        "messages": [{"status": "4", "error-text": "Bad Credentials"}],
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"from": ""}, 2),
        ({"to": ""}, 2),
        ({"text": ""}, 2),
        ({"type": "utf8"}, 3),
        ({"ttl": "19999"}, 3),
        ({"ttl": "604800001"}, 3),
        ({"ttl": "9" * 5000}, 3),
        ({"ttl": "soon"}, 3),
        ({"client-ref": "x" * 101}, 3),
        ({"entity-id": "none"}, 3),
        ({"from": "+15005550006"}, 15),
        ({"to": PHONE}, 6),
        ({"to": "123"}, 6),
        ({"text": "x" * 3201}, 12),
        ({"callback": "/api/webhooks"}, 23),
        ({"callback": "https://auth.example/".ljust(101, "x")}, 23),
    ],
)
def test_vonage_refuses(
    simulator: Simulator, change: dict[str, str], code: int
) -> None:
    response = post(simulator, "/sms/json", TEXT | change)

    (part,) = response.json()["messages"]
    assert response.status_code == 200
    assert part["status"] == str(code)
    assert "message-id" not in part
    (message,) = simulator.messages()
    assert (message.outcome, message.code) == ("refused", code)


def test_vonage_takes_no_secrets_in_a_url(simulator: Simulator) -> None:
    response = requests.get(
        f"{simulator.url}/sms/json", params=TEXT, timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == 405
    assert simulator.messages() == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"delivered": "false"}, 200),
        ({"delivered": "yes"}, 423),
        ({"message-id": ""}, 423),
        ({"timestamp": "1700000000"}, 423),
    ],
)
def test_vonage_takes_conversions(
    simulator: Simulator, change: dict[str, str], status: int
) -> None:
    response = post(simulator, "/conversions/sms", CONVERSION | change)

    assert response.status_code == status


def test_vonage_takes_no_conversions_from_others(simulator: Simulator) -> None:
    # The conversion API, unlike the others, wants them among the fields.
    response = post(simulator, "/conversions/sms", CONVERSION | {"api_secret": "wrong"})

    assert response.status_code == 401
