"""Fast2SMS's wire format, where no rule interferes."""

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator_tests.clients import (
    NATIONAL,
    PHONE,
    TIMEOUT_SECONDS,
    Fast2SmsClient,
)

DLT = {"route": "dlt", "sender_id": "QCKART", "message": "181234"}
QUICK = {"route": "q", "message": "Your code", "language": "english"}


@pytest.mark.parametrize("as_json", [False, True])
def test_fast2sms_accepts_a_code(
    simulator: Simulator, fast2sms: Fast2SmsClient, *, as_json: bool
) -> None:
    fast2sms.as_json = as_json
    response = fast2sms.send()

    (message,) = simulator.messages(to=PHONE)
    assert response.status_code == 200
    assert response.json() == {
        "return": True,
        "request_id": message.id,
        "message": ["Message sent successfully"],
    }
    assert message.text == "Your OTP: 482913"
    assert message.outcome == "accepted"


@pytest.mark.parametrize(
    ("params", "text"),
    [
        (
            DLT | {"variables_values": "482913|5"},
            "482913 5",
        ),
        (QUICK, "Your code"),
        (QUICK | {"message": "आपका कोड", "language": "unicode"}, "आपका कोड"),
    ],
)
def test_fast2sms_has_other_routes(
    simulator: Simulator,
    fast2sms: Fast2SmsClient,
    params: dict[str, str],
    text: str,
) -> None:
    response = fast2sms.send(**params)

    assert response.status_code == 200
    assert [message.text for message in simulator.messages()] == [text]


def test_fast2sms_refuses_a_wrong_key(fast2sms: Fast2SmsClient) -> None:
    response = fast2sms.send(key="wrong")

    assert response.status_code == 401
    assert response.json() == {
        "return": False,
        "status_code": 412,
        "message": "Invalid Authentication, Check Authorization Key",
    }


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"route": ""}, 403),
        ({"route": "post"}, 408),
        ({"numbers": ""}, 405),
        ({"numbers": "5876543210"}, 411),
        ({"numbers": "+919876543210"}, 411),
        ({"numbers": f"{NATIONAL},123"}, 411),
        ({"variables_values": ""}, 402),
        ({"variables_values": "48291x"}, 997),
        ({"variables_values": "482913|5"}, 997),
        (DLT | {"sender_id": ""}, 401),
        (DLT | {"sender_id": "QuickCart"}, 406),
        (DLT | {"message": ""}, 402),
        (DLT | {"message": "Your code is 482913"}, 424),
        (QUICK | {"message": ""}, 402),
        (QUICK | {"language": ""}, 404),
        (QUICK | {"language": "hindi"}, 410),
        (QUICK | {"message": "आपका कोड"}, 417),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_fast2sms_refuses(
    fast2sms: Fast2SmsClient, params: dict[str, str], code: int, *, as_json: bool
) -> None:
    fast2sms.as_json = as_json
    response = fast2sms.send(**params)

    assert response.status_code == 400
    assert response.json()["return"] is False
    assert response.json()["status_code"] == code


@pytest.mark.parametrize("body", ["", "[]", "{", "[" * 60_000])
def test_fast2sms_misses_the_route_in_a_body_it_cannot_read(
    simulator: Simulator, body: str
) -> None:
    response = requests.post(
        f"{simulator.url}/dev/bulkV2",
        data=body,
        headers={
            "authorization": simulator.fast2sms_key,
            "content-type": "application/json",
        },
        timeout=TIMEOUT_SECONDS,
    )

    assert response.json()["status_code"] == 403


def test_fast2sms_sends_to_several_numbers_at_once(
    simulator: Simulator, fast2sms: Fast2SmsClient
) -> None:
    fast2sms.send(numbers=f"{NATIONAL},9876543211")

    recipients = [message.to for message in simulator.messages()]
    assert recipients == ["+919876543210", "+919876543211"]


def test_fast2sms_shows_the_wallet(fast2sms: Fast2SmsClient) -> None:
    assert fast2sms.post("/dev/wallet").json() == {"return": True, "wallet": "500.00"}
    assert fast2sms.post("/dev/wallet", key="wrong").status_code == 401


def test_fast2sms_takes_no_secrets_in_a_url(simulator: Simulator) -> None:
    response = requests.get(
        f"{simulator.url}/dev/bulkV2",
        params={"authorization": simulator.fast2sms_key},
        timeout=TIMEOUT_SECONDS,
    )

    assert response.status_code == 405
    assert "message" in response.json()
    assert simulator.messages() == []


def test_fast2sms_does_not_know_another_path(fast2sms: Fast2SmsClient) -> None:
    assert fast2sms.post("/dev/bulk").status_code == 404
