"""Twilio Verify: what the vendor refuses, and how a verification ends."""

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.twilio_verify import DEFAULT_VERIFY_SERVICE
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS


def post(
    simulator: Simulator,
    path: str = "Verifications",
    *,
    service: str = DEFAULT_VERIFY_SERVICE,
    auth_token: str | None = None,
    **params: str,
) -> requests.Response:
    return requests.post(
        f"{simulator.url}/v2/Services/{service}/{path}",
        data={name: value for name, value in params.items() if value},
        auth=(simulator.account_sid, auth_token or simulator.auth_token),
        timeout=TIMEOUT_SECONDS,
    )


def start(simulator: Simulator, **changes: str) -> requests.Response:
    fields = {"To": PHONE, "Channel": "sms", "CustomCode": "482913"} | changes
    return post(simulator, **fields)


def test_a_verification_is_shared_until_it_ends(simulator: Simulator) -> None:
    first, second = start(simulator).json(), start(simulator).json()
    path = f"Verifications/{first['sid']}"

    ended = post(simulator, path, Status="approved")
    again = post(simulator, path, Status="approved")
    third = start(simulator).json()

    assert first["sid"] == second["sid"] != third["sid"]
    assert first["status"] == "pending"
    assert (ended.status_code, ended.json()["status"]) == (200, "approved")
    assert (again.status_code, again.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"To": "9876543210"}, 400, 60200),
        ({"Channel": "call"}, 400, 60200),
        ({"CustomCode": ""}, 400, 60200),
        ({"CustomCode": "123"}, 400, 60200),
        ({"Locale": "en-IN"}, 404, 20404),
    ],
)
def test_verify_refuses(
    simulator: Simulator, changes: dict[str, str], status: int, code: int
) -> None:
    response = start(simulator, **changes)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert simulator.messages()[0].outcome == "refused"


def test_verify_knows_its_account_its_service_and_its_verifications(
    simulator: Simulator,
) -> None:
    sid = start(simulator).json()["sid"]
    refused = [
        post(simulator, To=PHONE, auth_token="wrong"),
        post(simulator, To=PHONE, service="VA" + "9" * 32),
        post(simulator, f"Verifications/{sid}", Status="approved", auth_token="wrong"),
        post(simulator, "Verifications/VE1", Status="approved"),
        post(simulator, f"Verifications/{sid}", Status="pending"),
        post(simulator, "VerificationCheck"),
    ]

    assert [it.status_code for it in refused] == [401, 404, 401, 404, 400, 404]
