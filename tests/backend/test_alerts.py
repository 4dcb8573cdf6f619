"""Alerts, from an event to a receiver on another port."""

import json
import socket
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from backend.composition.alerts import open_alerts
from backend.composition.checked_settings import find_problems
from backend.composition.chores import Chores
from backend.composition.vendors import OpenTransport
from backend.telemetry import Telemetry
from config.config import Settings, load_settings
from config.logging import configure_logging
from services.abuse_events import ConversionJudged, PhoneWasDisabled
from services.alerts import Alerts
from services.sms.standard_webhooks import check_signature
from services.sms.transport import HttpTransport
from services.standard_webhooks import read_secret
from tests.backend.api import PHONE
from tests.backend.conftest import MakeApi, Run
from tests.fakes import Backlog, FakeClock
from tests.services.sms.raw_server import (
    RawServer,
    answering,
    hang,
    http,
    serving,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TAG = "phonetagphonetag"

BLOCKED = ConversionJudged(
    scope="country",
    subject="IN",
    country="IN",
    state="blocked",
    cause="few",
    sent=50,
    typed=2,
    seconds=300,
    shadow=False,
)


def settings_for(url: str, **changes: str) -> Settings:
    environ = {
        "FLASK_ENV": "development",
        "ALERT_WEBHOOK_URL": f"{url}/hook",
        "ALERT_WEBHOOK_SECRET": SECRET,
        **changes,
    }
    return load_settings(env_file=None, environ=environ)


class Service:
    """What tells, logs, counts and posts, with rounds that come when they are told."""

    def __init__(self, settings: Settings, open_transport: OpenTransport) -> None:
        self.clock = FakeClock()
        self.log = BytesIO()
        self.telemetry = Telemetry(configure_logging("info", output=self.log))
        queue = Backlog()
        self.chores = Chores(
            emit=self.telemetry.emit, notes=queue, sends=queue, reports=queue
        )
        self.alerts: Alerts = open_alerts(
            settings,
            chores=self.chores,
            open_transport=open_transport,
            clock=self.clock,
            emit=self.telemetry.emit,
        )

    def round(self) -> None:
        self.chores.rounds["alerts"]()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [
            (it["outcome"], it["level"])
            for it in self.lines
            if it["event"] == "alert_sent"
        ]


@pytest.fixture
def open_transport() -> Iterator[OpenTransport]:
    made: list[HttpTransport] = []

    def open_it(base_url: str) -> HttpTransport:
        # A socket waits in real time.
        transport = HttpTransport(
            base_url, clock=FakeClock(), connect_seconds=0.5, read_seconds=0.5
        )
        made.append(transport)
        return transport

    yield open_it
    for transport in made:
        transport._adapter.close()


def requests_of(server: RawServer) -> list[tuple[str, dict[str, str], bytes]]:
    found = []
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in rest)
        found.append((first, {name.lower(): it for name, it in pairs}, body))
    return found


def test_an_alert_arrives_signed(open_transport: OpenTransport) -> None:
    with serving(http(b"", status="204 No Content")) as server:
        service = Service(settings_for(server.url), open_transport)
        service.alerts.emit(BLOCKED)
        service.round()

    ((line, headers, body),) = requests_of(server)
    assert line == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/json"
    check_signature(read_secret(SECRET), headers, body, now=service.clock.now())
    assert json.loads(body)["data"]["subject"] == "IN"
    assert service.outcomes == [("sent", "info")]


def test_one_error_is_one_line_and_one_alert(open_transport: OpenTransport) -> None:
    with serving(http(b"")) as server:
        service = Service(settings_for(server.url), open_transport)
        for _ in range(3):
            service.alerts.emit(BLOCKED)
        service.round()

    assert len(server.requests) == 1
    told = [it for it in service.lines if it["event"] == "conversion_judged"]
    assert [it["level"] for it in told] == ["error"] * 3
    metrics = service.telemetry.metrics.render().decode()
    for outcome, amount in (("sent", 1), ("muted", 2)):
        labels = f'kind="conversion.blocked",outcome="{outcome}"'
        assert f"alerts_total{{{labels}}} {amount}.0" in metrics


def test_a_receiver_that_is_gone_gets_it_when_it_is_back(
    open_transport: OpenTransport,
) -> None:
    answers = iter([http(b"", status="503 Service Unavailable"), http(b"thanks")])

    def script(sock: socket.socket) -> None:
        while server.read_request(sock):
            sock.sendall(next(answers))

    with RawServer(script) as server:
        service = Service(settings_for(server.url), open_transport)
        service.alerts.emit(BLOCKED)
        service.round()
        service.round()
        service.clock.advance(5)
        service.round()

    (_, before, first), (_, after, second) = requests_of(server)
    assert (first, before["webhook-id"]) == (second, after["webhook-id"])
    assert service.outcomes == [("failed", "warning"), ("sent", "info")]


def test_a_receiver_that_nobody_reaches_harms_nobody(
    open_transport: OpenTransport,
) -> None:
    with serving(http(b"")) as server:
        settings = settings_for(server.url)
    service = Service(settings, open_transport)

    service.alerts.emit(BLOCKED)
    service.round()

    assert service.outcomes == [("failed", "warning")]


def test_a_receiver_that_hangs_is_left_in_time(open_transport: OpenTransport) -> None:
    with answering(hang) as server:
        service = Service(settings_for(server.url), open_transport)
        service.alerts.emit(BLOCKED)
        service.round()

    assert service.outcomes == [("failed", "warning")]


def test_no_redirect_is_followed(open_transport: OpenTransport) -> None:
    with serving(http(b"")) as elsewhere:
        answer = http(
            b"", status="302 Found", headers=(f"Location: {elsewhere.url}/other",)
        )
        with serving(answer) as server:
            service = Service(settings_for(server.url), open_transport)
            service.alerts.emit(BLOCKED)
            service.round()

    assert len(server.requests) == 1
    assert elsewhere.requests == []


def test_the_environment_names_no_proxy(
    open_transport: OpenTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with serving(http(b"")) as server:
        service = Service(settings_for(server.url), open_transport)
        service.alerts.emit(BLOCKED)
        service.round()

    assert service.outcomes == [("sent", "info")]


@pytest.mark.parametrize(("workers", "phones"), [("1", 10), ("4", 2), ("64", 1)])
def test_each_worker_looks_for_its_share_of_ten_phones(
    open_transport: OpenTransport, workers: str, phones: int
) -> None:
    with serving(http(b"")) as server:
        service = Service(settings_for(server.url, WORKERS=workers), open_transport)
        for _ in range(phones):
            service.round()
            assert server.requests == []
            service.alerts.emit(PhoneWasDisabled(TAG, 100))
        service.round()

    ((_, _, body),) = requests_of(server)
    assert json.loads(body)["data"]["phones"] == phones
    assert TAG.encode() not in body


def test_the_service_alerts_whoever_pays_and_answers_first(make_api: MakeApi) -> None:
    with serving(http(b"")) as server:
        api = make_api(
            ALERT_WEBHOOK_URL=f"{server.url}/hook",
            ALERT_WEBHOOK_SECRET=SECRET,
            ALERT_WEBHOOK_ALLOWED_HOSTS="127.0.0.1",
            # Two vendors may both be asked, and take the message.
            PRICE_UNKNOWN="0.5",
            SPEND_GLOBAL="1.2/1h",
        )
        api.start(PHONE)
        assert server.requests == []
        api.settle()
        api.chores.rounds["alerts"]()

    ((_, _, body),) = requests_of(server)
    alert = json.loads(body)
    assert alert["type"] == "money.reached"
    assert (alert["data"]["percent"], alert["data"]["cap"]) == (80, 1.2)
    assert PHONE.lstrip("+") not in body.decode()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("202 Accepted", 0, "The webhook took it."),
        ("401 Unauthorized", 65, "refused it (4xx)"),
        ("500 Internal Server Error", 65, "did not answer with 2xx"),
    ],
)
def test_the_webhook_can_be_tried_out(
    run: Run, status: str, code: int, words: str
) -> None:
    with serving(http(b"", status=status)) as server:
        found, said, problem = run(
            "alert-test",
            ALERT_WEBHOOK_URL=f"{server.url}/hook",
            ALERT_WEBHOOK_SECRET=SECRET,
            ALERT_WEBHOOK_ALLOWED_HOSTS="127.0.0.1",
        )

    assert found == code
    assert words in said + problem
    ((_, _, body),) = requests_of(server)
    assert json.loads(body)["type"] == "test"


def test_a_webhook_that_is_not_there_cannot_be_tried_out(run: Run) -> None:
    code, _, problem = run("alert-test")

    assert code == 78
    assert "ALERT_WEBHOOK_URL: missing" in problem


def test_what_waits_is_posted_at_the_end(open_transport: OpenTransport) -> None:
    with serving(http(b"")) as server:
        service = Service(settings_for(server.url), open_transport)
        service.alerts.emit(BLOCKED)
        service.chores.close()

    assert len(server.requests) == 1


def test_without_a_url_there_are_lines_alone(open_transport: OpenTransport) -> None:
    settings = load_settings(env_file=None, environ={"FLASK_ENV": "development"})
    service = Service(settings, open_transport)

    service.alerts.emit(BLOCKED)

    assert service.chores.rounds == {}
    assert [(it["event"], it["level"]) for it in service.lines] == [
        ("conversion_judged", "error")
    ]


def test_a_private_receiver_must_be_named() -> None:
    refused = find_problems(settings_for("http://127.0.0.1:9"))
    named = find_problems(
        settings_for("http://127.0.0.1:9", ALERT_WEBHOOK_ALLOWED_HOSTS="127.0.0.1")
    )

    assert [it.split(":")[0] for it in refused] == ["ALERT_WEBHOOK_URL"]
    assert named == ()
