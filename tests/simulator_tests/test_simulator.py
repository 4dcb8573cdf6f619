"""The simulator itself: control over HTTP, starting and stopping."""

import itertools
import subprocess
import sys
import time

import pytest
import requests

from tests.simulator import Simulator
from tests.simulator.inbox import Inbox, Message
from tests.simulator_tests.clients import (
    PHONE,
    TIMEOUT_SECONDS,
    Fast2SmsClient,
    TwilioClient,
    connected,
)


class ControlClient:
    """Talks to ``/_simulator/``."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/_simulator"

    def ask(
        self, method: str, path: str, document: object = None, **params: str
    ) -> requests.Response:
        return requests.request(
            method,
            f"{self._url}/{path}",
            json=document,
            params=params,
            timeout=TIMEOUT_SECONDS,
        )


@pytest.fixture
def control(simulator: Simulator) -> ControlClient:
    return ControlClient(simulator.url)


def test_messages_show_what_the_phone_and_the_vendor_saw(
    control: ControlClient, twilio: TwilioClient
) -> None:
    sid = twilio.send(Body="482913 is your code.").json()["sid"]

    (message,) = control.ask("GET", "messages").json()["messages"]
    assert message.pop("received_at") == pytest.approx(time.time(), abs=5)
    assert message == {
        "id": sid,
        "provider": "twilio",
        "to": PHONE,
        "text": "482913 is your code.",
        "params": {
            "To": PHONE,
            "From": "+15005550006",
            "Body": "482913 is your code.",
        },
        "outcome": "accepted",
        "code": None,
        "http_status": 201,
        "rule": None,
        "receipts_url": None,
        "reached_phone": True,
    }


def test_messages_are_found_by_number_and_provider(
    control: ControlClient,
    simulator: Simulator,
    twilio: TwilioClient,
    fast2sms: Fast2SmsClient,
) -> None:
    twilio.send()
    fast2sms.send()
    twilio.send(To="+918765432109")

    def count(**params: str) -> int:
        return len(control.ask("GET", "messages", **params).json()["messages"])

    assert count() == 3
    assert count(to=PHONE) == 2
    assert count(provider="twilio") == 2
    assert count(to=PHONE, provider="fast2sms") == 1
    assert len(simulator.messages(to=PHONE, provider="fast2sms")) == 1


def test_a_plus_in_a_filter_need_not_be_escaped(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    twilio.send()

    answer = requests.get(
        f"{simulator.url}/_simulator/messages?to={PHONE}", timeout=TIMEOUT_SECONDS
    ).json()

    assert len(answer["messages"]) == 1


def test_an_unknown_filter_is_refused(control: ControlClient) -> None:
    answer = control.ask("GET", "messages", number=PHONE)

    assert answer.status_code == 422
    assert "number" in answer.json()["error"]


def test_messages_can_be_cleared(control: ControlClient, twilio: TwilioClient) -> None:
    twilio.send()

    assert control.ask("DELETE", "messages").status_code == 204
    assert control.ask("GET", "messages").json() == {"messages": []}


def test_rules_are_added_and_cleared_over_http(
    control: ControlClient, twilio: TwilioClient
) -> None:
    added = control.ask("POST", "rules", {"action": "status", "status": 500})
    failed = twilio.send()
    (rule,) = control.ask("GET", "rules").json()["rules"]
    cleared = control.ask("DELETE", "rules")
    sent = twilio.send()

    assert (added.status_code, cleared.status_code) == (201, 204)
    assert (failed.status_code, sent.status_code) == (500, 201)
    assert rule["id"] == added.json()["id"]
    assert (rule["matched"], rule["taken"], rule["spent"]) == (1, 1, False)


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"action": "hang", "colour": "red"}, "colour"),
        ({"action": "explode"}, "action"),
        ({"action": ["hang"]}, "action"),
        ({"action": "hang", "seconds": "1"}, "seconds"),
        ({"provider": "twilio"}, "action"),
        ([], ""),
    ],
)
def test_an_unknown_rule_is_refused_over_http(
    control: ControlClient, document: object, field: str
) -> None:
    answer = control.ask("POST", "rules", document)

    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert answer.json()["error"]


def test_a_rule_that_is_not_json_is_refused(simulator: Simulator) -> None:
    answer = requests.post(
        f"{simulator.url}/_simulator/rules", data="{", timeout=TIMEOUT_SECONDS
    )

    assert answer.status_code == 400


def test_health_passes(control: ControlClient) -> None:
    assert control.ask("GET", "health").json()["status"] == "pass"


def test_control_has_no_other_paths_or_methods(control: ControlClient) -> None:
    assert control.ask("GET", "secrets").status_code == 404
    assert control.ask("PATCH", "rules").status_code == 405


def test_clear_forgets_rules_and_messages(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("status", status=500)
    twilio.send()

    simulator.clear()

    assert simulator.messages() == []
    assert twilio.send().status_code == 201


def test_credentials_can_be_set() -> None:
    with Simulator(account_sid="AC1", auth_token="t", fast2sms_key="k") as simulator:
        assert TwilioClient(simulator).send().status_code == 201
        assert Fast2SmsClient(simulator).send(key="k").status_code == 200
        assert Fast2SmsClient(simulator).send(key="simulator-key").status_code == 401


def test_latency_delays_vendors_but_not_control() -> None:
    with Simulator(latency_seconds=0.1) as simulator:
        sent = TwilioClient(simulator).send()
        health = ControlClient(simulator.url).ask("GET", "health")

    assert sent.elapsed.total_seconds() >= 0.1
    assert health.elapsed.total_seconds() < 0.1


def test_it_closes_at_once_while_clients_wait() -> None:
    with Simulator() as simulator:
        simulator.add_rule("hang")
        with connected(simulator) as hanging, connected(simulator):
            hanging.sendall(b"POST /dev/bulkV2 HTTP/1.1\r\n\r\n")
            while not simulator.messages():
                time.sleep(0.001)
            began = time.monotonic()
            simulator.close()
            seconds = time.monotonic() - began

    assert seconds < 0.5
    assert len(simulator.messages()) == 1


def test_it_can_go_away_and_come_back(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.close()
    with pytest.raises(requests.ConnectionError):
        twilio.send()
    simulator.start()

    assert twilio.send().status_code == 201
    assert len(simulator.messages()) == 1


def test_a_port_that_is_taken_is_an_error(simulator: Simulator) -> None:
    taken = int(simulator.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        Simulator(port=taken).start()


def test_a_port_that_cannot_be_is_an_error() -> None:
    with pytest.raises(OverflowError):
        Simulator(port=65_536).start()


def test_the_process_says_where_it_listens() -> None:
    command = [sys.executable, "-m", "tests.simulator", "--fast2sms-key", "k"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("listening on ").strip()
        health = ControlClient(url).ask("GET", "health")
        process.terminate()

    assert health.status_code == 200
    assert process.returncode == 0


def test_the_inbox_keeps_only_the_newest() -> None:
    inbox = Inbox(capacity=3)
    for number, to in enumerate(itertools.islice(itertools.cycle("ab"), 5)):
        inbox.add(
            Message(
                id=str(number),
                provider="twilio",
                to=to,
                text="",
                params={},
                outcome="accepted",
                code=None,
                http_status=201,
                rule=None,
                received_at=0.0,
            )
        )

    assert [m.id for m in inbox.find()] == ["2", "3", "4"]
    assert [m.id for m in inbox.find(to="a")] == ["2", "4"]
    assert [m.id for m in inbox.find(to="b")] == ["3"]
