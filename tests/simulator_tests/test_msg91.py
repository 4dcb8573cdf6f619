"""MSG91's wire format, where no rule interferes."""

from typing import Any

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.msg91 import DEFAULT_AUTH_KEY, DEFAULT_TEMPLATE_ID
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

OTP = {
    "template_id": DEFAULT_TEMPLATE_ID,
    "mobile": PHONE.removeprefix("+"),
    "otp": "482913",
    "otp_expiry": "5",
}
FLOW: dict[str, Any] = {
    "template_id": DEFAULT_TEMPLATE_ID,
    "short_url": "0",
    "recipients": [{"mobiles": PHONE.removeprefix("+"), "var1": "482913"}],
}


def send_otp(
    simulator: Simulator, *, key: str = DEFAULT_AUTH_KEY, **changes: str
) -> requests.Response:
    """Send a good code, save for what a test changes; "" leaves a field out."""
    return requests.post(
        f"{simulator.url}/api/v5/otp",
        params={name: it for name, it in (OTP | changes).items() if it},
        headers={"authkey": key},
        timeout=TIMEOUT_SECONDS,
    )


def send_flow(simulator: Simulator, document: Any) -> requests.Response:
    return requests.post(
        f"{simulator.url}/api/v5/flow",
        json=document,
        headers={"authkey": DEFAULT_AUTH_KEY},
        timeout=TIMEOUT_SECONDS,
    )


def test_msg91_accepts_a_code(simulator: Simulator) -> None:
    response = send_otp(simulator)

    (message,) = simulator.messages(to=PHONE)
    assert response.status_code == 200
    assert response.json() == {"type": "success", "request_id": message.id}
    assert message.text == "482913 5"
    assert message.outcome == "accepted"


def test_msg91_accepts_a_flow(simulator: Simulator) -> None:
    response = send_flow(simulator, FLOW)

    (message,) = simulator.messages(to=PHONE)
    assert response.json() == {"type": "success", "message": message.id}
    assert message.text == "482913 5"


@pytest.mark.parametrize(("key", "code"), [("wrong", "207"), ("", "106")])
def test_msg91_refuses_a_wrong_key_under_200(
    simulator: Simulator, key: str, code: str
) -> None:
    response = send_otp(simulator, key=key)

    assert response.status_code == 200
    assert response.json()["type"] == "error"
    assert response.json()["code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template_id": ""}, 400),
        ({"template_id": "another"}, 400),
        ({"mobile": ""}, 202),
        ({"mobile": PHONE}, 202),
        ({"mobile": "123"}, 202),
        ({"sender": "no such sender"}, 203),
        ({"otp": ""}, 102),
        ({"otp": "12x456"}, 102),
        ({"otp_expiry": "0"}, 102),
        ({"otp_expiry": "1441"}, 102),
        ({"otp_expiry": "soon"}, 102),
    ],
)
def test_msg91_refuses(simulator: Simulator, change: dict[str, str], code: int) -> None:
    response = send_otp(simulator, **change)

    (message,) = simulator.messages()
    assert response.status_code == 200
    assert response.json()["code"] == str(code)
    assert (message.outcome, message.code) == ("refused", code)


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        FLOW | {"recipients": []},
        FLOW | {"recipients": [{"mobiles": "919876543210"}]},
        FLOW | {"recipients": FLOW["recipients"] * 2},
        FLOW | {"template_id": "another"},
    ],
)
def test_msg91_refuses_a_flow_that_is_none(
    simulator: Simulator, document: object
) -> None:
    assert send_flow(simulator, document).json()["type"] == "error"
    assert simulator.messages()[0].outcome == "refused"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v5/otp", 405), ("POST", "/api/v5/otp/verify", 404)],
)
def test_msg91_knows_no_other_way(
    simulator: Simulator, method: str, path: str, status: int
) -> None:
    response = requests.request(
        method, f"{simulator.url}{path}", timeout=TIMEOUT_SECONDS
    )

    assert response.status_code == status
