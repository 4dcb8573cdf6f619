"""WhatsApp: what Meta refuses."""

from copy import deepcopy
from typing import Any

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.whatsapp import DEFAULT_ACCESS_TOKEN, DEFAULT_PHONE_NUMBER_ID
from tests.simulator_tests.clients import TIMEOUT_SECONDS

CODE = [{"type": "text", "text": "482913"}]
GOOD: dict[str, Any] = {
    "messaging_product": "whatsapp",
    "to": "919876543210",
    "type": "template",
    "template": {
        "name": "otp_login",
        "language": {"code": "pt_BR"},
        "components": [
            {"type": "body", "parameters": CODE},
            {"type": "button", "sub_type": "url", "index": "0", "parameters": CODE},
        ],
    },
}


def post(
    simulator: Simulator,
    document: object,
    *,
    number: str = DEFAULT_PHONE_NUMBER_ID,
    token: str = DEFAULT_ACCESS_TOKEN,
) -> requests.Response:
    return requests.post(
        f"{simulator.url}/v23.0/{number}/messages",
        json=document,
        headers={"Authorization": f"Bearer {token}"},
        timeout=TIMEOUT_SECONDS,
    )


def with_template(**changes: object) -> dict[str, Any]:
    document = deepcopy(GOOD)
    document["template"] |= changes
    return document


def test_a_message_in_an_approved_language_is_accepted(simulator: Simulator) -> None:
    response = post(simulator, GOOD)

    (message,) = simulator.messages(to="+919876543210", provider="whatsapp")
    assert response.status_code == 200
    assert response.json()["messages"][0]["id"] == message.id
    assert message.text == "*482913* is your verification code."


@pytest.mark.parametrize(
    ("document", "status", "code"),
    [
        (None, 400, 100),
        ([], 400, 100),
        ({**GOOD, "messaging_product": "sms"}, 400, 100),
        ({**GOOD, "to": ""}, 400, 131008),
        ({**GOOD, "to": "+919876543210"}, 400, 131009),
        ({**GOOD, "type": "text"}, 400, 131047),
        (with_template(name="other"), 404, 132001),
        (with_template(language={"code": "pt-BR"}), 404, 132001),
        (with_template(components=GOOD["template"]["components"][:1]), 400, 132000),
        (with_template(components=[]), 400, 132000),
    ],
)
def test_meta_refuses(
    simulator: Simulator, document: object, status: int, code: int
) -> None:
    response = post(simulator, document)

    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert simulator.messages()[0].outcome == "refused"


def test_meta_refuses_strangers_and_unknown_numbers(simulator: Simulator) -> None:
    stranger = post(simulator, GOOD, token="wrong")
    unknown = post(simulator, GOOD, number="99")

    assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, 190)
    assert unknown.json()["error"]["error_subcode"] == 33
