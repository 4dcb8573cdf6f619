"""Twilio's calls: what the vendor refuses, and what the person hears."""

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.twilio_voice import transcribe
from tests.simulator_tests.clients import PHONE, SENDER, TIMEOUT_SECONDS

SAY = '<Say language="en-US" voice="Polly.Joanna">{}</Say>'
TWIML = f"<Response>{SAY.format('Hello')}{SAY.format(4)}{SAY.format(8)}</Response>"


def call(
    simulator: Simulator,
    *,
    method: str = "POST",
    account_sid: str | None = None,
    auth_token: str | None = None,
    path: str = "Calls.json",
    **params: str,
) -> requests.Response:
    sid = account_sid or simulator.account_sid
    fields = {"To": PHONE, "From": SENDER, "Twiml": TWIML} | params
    return requests.request(
        method,
        f"{simulator.url}/2010-04-01/Accounts/{sid}/{path}",
        data={name: value for name, value in fields.items() if value},
        auth=(simulator.account_sid, auth_token or simulator.auth_token),
        timeout=TIMEOUT_SECONDS,
    )


def test_a_call_is_queued_and_heard(simulator: Simulator) -> None:
    response = call(simulator, StatusCallback="https://auth.example/x")

    (message,) = simulator.messages(provider="twilio_voice")
    assert response.status_code == 201
    assert response.json()["status"] == "queued"
    assert response.json()["sid"] == message.id
    assert message.text == "Hello 48"
    assert message.receipts_url == "https://auth.example/x"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"To": ""}, 21201),
        ({"From": ""}, 21213),
        ({"To": "9876543210"}, 21211),
        ({"From": "QuickCart"}, 21212),
        ({"Twiml": ""}, 20001),
        ({"Twiml": "hello"}, 20001),
        ({"Twiml": "<Response><Dial>+1</Dial></Response>"}, 20001),
        ({"Twiml": f"<Response>{SAY.format('x' * 4000)}</Response>"}, 20001),
        ({"Timeout": "601"}, 20001),
        ({"Timeout": "soon"}, 20001),
        ({"StatusCallback": "https://auth_server.example/x"}, 21609),
    ],
)
def test_twilio_refuses_a_call(
    simulator: Simulator, params: dict[str, str], code: int
) -> None:
    response = call(simulator, **params)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert simulator.messages()[0].outcome == "refused"


def test_twilio_refuses_strangers_and_other_paths(simulator: Simulator) -> None:
    refused = [
        call(simulator, auth_token="wrong"),
        call(simulator, account_sid="AC" + "9" * 32),
        call(simulator, method="PUT"),
        call(simulator, path="Calls/CA1.json"),
    ]

    assert [it.status_code for it in refused] == [401, 404, 405, 404]


@pytest.mark.parametrize(
    "attributes",
    ["", 'language="en-US"', 'language="hi-IN" voice="Polly.Joanna"'],
)
def test_a_voice_that_does_not_speak_the_language_is_silent(attributes: str) -> None:
    assert transcribe(f"<Response><Say {attributes}>Hello</Say></Response>") == ""
