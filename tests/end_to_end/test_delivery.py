"""Every vendor and channel, with receipts that come back over HTTP."""

import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.backend.api import production
from tests.backend.every_vendor import AMERICAN, TEXTING, every_vendor, phone_of
from tests.end_to_end.service import REPOSITORY, Answer, Service
from tests.redis_server import RedisServer, free_port
from tests.simulator import Simulator
from tests.simulator.inbox import Code, Message

METRICS_TOKEN = secrets.token_urlsafe(24)

# What a vendor of texts says of a number that can get none.
DEAD: dict[str, Code] = {"twilio": 21211, "webhook": "recipient"}


class Running(NamedTuple):
    """The service, and where it wants its receipts: address, and secret, by vendor."""

    service: Service
    addresses: dict[str, str]


@pytest.fixture(scope="module")
def running(
    redis_server: RedisServer,
    running_simulator: Simulator,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    """All vendors configured at once; two workers."""
    folder, port = tmp_path_factory.mktemp("delivery"), free_port()
    variables = {
        **production(running_simulator, redis_server.url),
        **every_vendor(running_simulator),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "METRICS_TOKEN": METRICS_TOKEN,
        "SENDS_PER_IP": "off",
        "PHONES_PER_IP": "off",
        "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}",
        "WHATSAPP_WAIT": "3",
    }
    service = Service(folder, variables=variables, port=port)
    try:
        addresses = addresses_of(folder, variables)
        service.wait_until_ready()
        yield Running(service, addresses)
    finally:
        service.close()


def addresses_of(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    """Ask the command line what to paste into the vendors' dashboards."""
    done = subprocess.run(
        [sys.executable, "-m", "backend.cli", "webhooks"],
        cwd=folder,
        env={"PYTHONPATH": str(REPOSITORY), **variables},
        capture_output=True,
        check=True,
        timeout=30,
    )
    return dict(re.findall(r"^(\w+) +(http\S+)$", done.stdout.decode(), re.MULTILINE))


@pytest.fixture
def service(running: Running, redis_url: str, simulator: Simulator) -> Service:
    """The running service, its store and its vendors emptied, its dashboards filled."""
    for vendor, address in running.addresses.items():
        simulator.set_receipt_url(vendor, address)
    return running.service


def code_in(message: Message) -> str:
    found = re.search(r"\b\d{6}\b", message.text)
    assert found, message.text
    return found[0]


def last_to(simulator: Simulator, phone: str) -> Message:
    return simulator.messages(to=phone)[-1]


def delivery(status: str, channel: str = "sms", attempt: int = 1) -> dict[str, Any]:
    return {"status": status, "channel": channel, "attempt": attempt}


def accepted(answer: Answer, channel: str = "sms") -> str:
    """Find that a message was accepted; return the verification's id."""
    assert answer.status == 202, answer.text
    assert answer.json["delivery"] == delivery("accepted", channel)
    return str(answer.json["verification_id"])


def assert_logs_in(
    service: Service, simulator: Simulator, phone: str, verification: str
) -> None:
    """Type the code of the last message."""
    code = code_in(last_to(simulator, phone))
    won = service.verify(verification, phone, code)
    assert won.status == 200, won.text
    assert won.json["user"]["phone"] == phone


def assert_delivered(
    service: Service,
    simulator: Simulator,
    phone: str,
    verification: str,
    channel: str = "sms",
) -> None:
    """Follow the one message to a phone until it is there, never backwards."""
    seen = service.follow(verification, delivery("delivered", channel))

    steps = [delivery(it, channel) for it in ("accepted", "sent", "delivered")]
    assert [it for it in steps if it in seen] == seen
    simulator.wait_for_receipts()
    receipts = simulator.receipts(message_id=last_to(simulator, phone).id)
    assert receipts
    assert {it.http_status for it in receipts} == {204}


@pytest.mark.parametrize("vendor", sorted({*TEXTING} - {"twilio_verify"}))
def test_a_login_by_every_vendor_of_texts(
    service: Service, simulator: Simulator, vendor: str
) -> None:
    phone = phone_of(vendor)

    verification = accepted(service.send(phone))

    assert_delivered(service, simulator, phone, verification)
    assert [it.provider for it in simulator.messages()] == [vendor]
    assert_logs_in(service, simulator, phone, verification)


def test_a_login_by_twilio_verify_which_has_no_receipts(
    service: Service, simulator: Simulator
) -> None:
    phone = phone_of("twilio_verify")

    verification = accepted(service.send(phone))

    assert [it.provider for it in simulator.messages()] == ["twilio_verify"]
    assert_logs_in(service, simulator, phone, verification)


@pytest.mark.parametrize("vendor", ["whatsapp", "webhook"])
def test_a_login_by_whatsapp(
    service: Service, simulator: Simulator, vendor: str
) -> None:
    phone = phone_of(vendor)

    verification = accepted(service.send(phone, channel="whatsapp"), "whatsapp")

    assert_delivered(service, simulator, phone, verification, "whatsapp")
    assert [it.provider for it in simulator.messages()] == [vendor]
    assert_logs_in(service, simulator, phone, verification)


@pytest.mark.parametrize(
    ("texts", "calls"), [("twilio", "twilio_voice"), ("webhook", "webhook")]
)
def test_a_login_by_a_call_where_no_text_arrives(
    service: Service, simulator: Simulator, texts: str, calls: str
) -> None:
    phone = phone_of(calls)
    simulator.add_rule("error", provider=texts, code=DEAD[texts], times=1)

    refused = service.send(phone)
    assert (refused.status, refused.json["code"]) == (422, "recipient_unreachable")
    assert not refused.json["next"]["sms"]["allowed"]
    assert refused.json["next"]["voice"] == {"allowed": True, "retry_in": 0}

    verification = accepted(service.send(phone, channel="voice"), "voice")

    assert_delivered(service, simulator, phone, verification, "voice")
    assert [it.provider for it in simulator.messages()] == [texts, calls]
    assert_logs_in(service, simulator, phone, verification)


def test_a_status_follows_a_message_step_by_step(
    service: Service, simulator: Simulator
) -> None:
    simulator.add_rule("receipt_missing")
    verification = accepted(service.send(AMERICAN))
    message_id = last_to(simulator, AMERICAN).id or ""

    simulator.send_receipt(message_id, "sent")
    service.follow(verification, delivery("sent"))
    (posted,) = simulator.send_receipt(message_id, "delivered")

    assert posted.http_status == 204
    assert service.follow(verification, delivery("delivered"))


def test_whatsapp_that_never_arrives_becomes_a_text_with_the_same_code(
    service: Service, simulator: Simulator
) -> None:
    simulator.add_rule("outage", provider="whatsapp")
    verification = accepted(service.send(AMERICAN, channel="whatsapp"), "whatsapp")

    seen = service.follow(verification, delivery("delivered", "sms", 2))

    chat, text = simulator.messages(to=AMERICAN)
    assert (chat.provider, text.provider) == ("whatsapp", "twilio")
    assert not chat.reached_phone
    assert code_in(chat) == code_in(text)
    assert seen[0] == delivery("accepted", "whatsapp")
    assert_logs_in(service, simulator, AMERICAN, verification)


def test_a_text_that_the_carrier_loses_goes_by_the_next_vendor(
    service: Service, simulator: Simulator
) -> None:
    simulator.add_rule("undelivered", provider="twilio", code=30007)
    verification = accepted(service.send(AMERICAN))

    service.follow(verification, delivery("delivered", "sms", 2))

    lost, arrived = simulator.messages(to=AMERICAN)
    assert (lost.provider, arrived.provider) == ("twilio", "vonage")
    assert code_in(lost) == code_in(arrived)
    assert_logs_in(service, simulator, AMERICAN, verification)


def test_a_stop_is_remembered(service: Service, simulator: Simulator) -> None:
    simulator.add_rule("error", provider="twilio", code=21610, times=1)

    refusals = [service.send(AMERICAN) for _ in range(3)]

    assert [it.json["code"] for it in refusals] == ["recipient_unreachable"] * 3
    assert all("STOP" in it.json["detail"] for it in refusals)
    assert len(simulator.messages()) == 1
    other = service.send(AMERICAN, channel="whatsapp")
    assert_logs_in(service, simulator, AMERICAN, accepted(other, "whatsapp"))


def test_a_receipt_that_nobody_signed_is_refused_and_counted_by_all_workers(
    service: Service,
) -> None:
    def count() -> float:
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        metrics = service.call("GET", "/metrics", headers=headers).text
        samples = re.findall(r"^sms_receipts_total{(.*)} (\S+)$", metrics, re.MULTILINE)
        return sum(float(value) for labels, value in samples if '"forged"' in labels)

    before = count()
    for _ in range(10):
        answer = service.call("POST", "/api/webhooks/twilio", {"MessageSid": "SM1"})
        assert (answer.status, answer.json["code"]) == (403, "invalid_signature")

    assert count() - before == 10


def test_neither_numbers_nor_secret_addresses_are_logged(
    service: Service, simulator: Simulator, running: Running
) -> None:
    paths = [address.rsplit("/", 2)[1:] for address in running.addresses.values()]
    secret_of = {vendor: it for vendor, it in paths if vendor != "webhooks"}
    assert secret_of.keys() >= {"fast2sms", "msg91", "infobip", "messagebird", "aws"}

    for vendor in secret_of:
        verification = accepted(service.send(phone_of(vendor)))
        service.follow(verification, delivery("delivered"))
        service.stdout.wait_for(rf'"{vendor}".*"outcome":"moved"')

    written = service.stdout.text + service.stderr.text
    for vendor, secret in secret_of.items():
        assert secret not in written
        assert phone_of(vendor)[1:] not in written
