"""The service of production: two workers, real Redis, simulated vendors."""

import http.client
import re
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from tests.backend.api import production
from tests.end_to_end.service import Answer, Service
from tests.redis_server import RedisServer
from tests.simulator import Simulator

METRICS_TOKEN = secrets.token_urlsafe(24)
PHONE, OTHER_PHONE = "+919876543210", "+919812345678"


@pytest.fixture(scope="module")
def variables(
    redis_server: RedisServer, running_simulator: Simulator
) -> dict[str, str]:
    return {
        **production(running_simulator, redis_server.url),
        "SECRET_KEY": secrets.token_urlsafe(48),
        "METRICS_TOKEN": METRICS_TOKEN,
        "SENDS_PER_IP": "off",
    }


@pytest.fixture(scope="module")
def running(
    variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    metrics = folder / "metrics"
    metrics.mkdir()
    service = Service(
        folder, variables={**variables, "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    )
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.close()


@pytest.fixture
def service(running: Service, redis_url: str, simulator: Simulator) -> Service:
    """The running service, its store and its vendors emptied."""
    return running


def code_for(simulator: Simulator, phone: str) -> str:
    found = re.search(r"\b\d{6}\b", simulator.messages(to=phone)[-1].text)
    assert found
    return found[0]


def login(service: Service, simulator: Simulator, phone: str) -> Answer:
    sent = service.send(phone)
    assert sent.status == 202, sent.text
    code = code_for(simulator, phone)
    return service.verify(sent.json["verification_id"], phone, code)


def test_a_login_over_twilio(service: Service, simulator: Simulator) -> None:
    won = login(service, simulator, PHONE)

    assert won.status == 200
    assert [it.provider for it in simulator.messages()] == ["twilio"]
    token = won.json["access_token"]
    me = service.call("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})
    assert me.json["user"]["id"] == won.json["user"]["id"]
    assert me.json["user"]["phone"] == "+91********10"


def test_a_login_over_fast2sms_when_twilio_fails(
    service: Service, simulator: Simulator
) -> None:
    simulator.add_rule("status", provider="twilio", status=500)

    won = login(service, simulator, PHONE)

    assert won.status == 200
    assert simulator.messages()[-1].provider == "fast2sms"


def test_both_vendors_down_is_a_503(service: Service, simulator: Simulator) -> None:
    simulator.add_rule("status", status=503)

    answer = service.send(PHONE)

    assert (answer.status, answer.json["code"]) == (503, "delivery_unavailable")
    assert answer.headers["Retry-After"]


def test_the_token_verifies_with_a_stock_library_from_the_jwks_url(
    service: Service, simulator: Simulator
) -> None:
    token = login(service, simulator, PHONE).json["access_token"]

    keys = jwt.PyJWKClient(f"{service.url}/.well-known/jwks.json")
    found = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256"],
        audience="quickcart",
        issuer="https://auth.shop.example",
        options={"require": ["iss", "aud", "sub", "exp", "iat", "jti"]},
    )

    assert found["header"]["typ"] == "at+jwt"
    assert found["payload"]["exp"] - found["payload"]["iat"] == 600
    assert abs(found["payload"]["iat"] - time.time()) < 60


def test_metrics_are_those_of_all_workers(service: Service, tmp_path: Path) -> None:
    def count() -> float:
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        metrics = service.call("GET", "/metrics", headers=headers)
        assert metrics.status == 200
        labels = 'method="GET",route="/livez",status="200"'
        found = re.search(rf"http_requests_total{{{labels}}} (\S+)", metrics.text)
        return float(found[1]) if found else 0.0

    before = count()
    for _ in range(60):
        assert service.call("GET", "/livez").status == 200

    assert count() - before == 60


def test_both_workers_served(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def workers() -> int:
        folders = tmp_path_factory.getbasetemp().glob("service*/metrics")
        # Of the service that runs now, where another one of this module ran before.
        newest = max(folders, key=lambda it: it.stat().st_mtime)
        return len(list(newest.glob("counter_*.db")))

    # The second one may still be starting.
    for _ in range(1_000):
        service.call("GET", "/livez")
        if workers() >= 2:
            break

    # More, where a test before this one had some of them replaced.
    assert workers() >= 2


def test_a_body_without_a_length_is_bounded_too(service: Service) -> None:
    body = b'{"phone": "' + b"9" * 5_000 + b'"}'
    # In one piece: the service answers, and closes, before it has read all of it.
    request = (
        b"POST /api/send-otp HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + f"{len(body):x}\r\n".encode()
        + body
        + b"\r\n0\r\n\r\n"
    )

    with (
        socket.create_connection(("127.0.0.1", service.port), timeout=10) as client,
        http.client.HTTPResponse(client) as response,
    ):
        client.sendall(request)
        response.begin()
        answer = response.read().decode()

    assert response.status == 413
    assert '"payload_too_large"' in answer


def test_a_body_in_chunks_is_read(service: Service, simulator: Simulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
    connection.request(
        "POST",
        "/api/send-otp",
        iter([b'{"phone": ', f'"{PHONE}"}}'.encode()]),
        {"Content-Type": "application/json", "Transfer-Encoding": "chunked"},
        encode_chunked=True,
    )
    response = connection.getresponse()
    response.read()
    connection.close()

    assert response.status == 202


def test_a_signal_ends_it_well_and_soon(
    variables: dict[str, str], tmp_path: Path
) -> None:
    service = Service(tmp_path, variables=variables)
    try:
        service.wait_until_ready()
        began = time.monotonic()

        code = service.terminate()

        assert code == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in service.stderr.text
    finally:
        service.close()


def test_bad_settings_are_all_named_and_no_secret_is(tmp_path: Path) -> None:
    secret = "changeme-but-nobody-did"
    service = Service(
        tmp_path,
        variables={
            "SECRET_KEY": secret,
            "FLASK_DEBUG": "true",
            "STOREFRONT_ORIGINS": "*",
            "TEST_NUMBERS": "+15550100000:246802",
            "TWILIO_ACCOUNT_SID": "ACsecret",
            "TWILIO_AUTH_TOKEN": "twilio-secret",
            "ALLOWED_COUNTRIES": "IN, ZZ",
            "CODE_TTL_SECONDS": "3600",
        },
    )

    assert service.wait() == 78

    for name in (
        "SECRET_KEY",
        "SUBJECT_KEY",
        "FLASK_DEBUG",
        "STOREFRONT_ORIGINS",
        "TEST_NUMBERS",
        "TWILIO_ACCOUNT_SID",
        "ALLOWED_COUNTRIES",
        "CODE_TTL_SECONDS",
        "REDIS_URL",
        "TOKEN_ISSUER",
    ):
        assert f"\n  {name}: " in service.stderr.text
    for value in (secret, "ACsecret", "twilio-secret", "246802"):
        assert value not in service.stderr.text + service.stdout.text
    assert "Traceback" not in service.stderr.text


def test_production_is_what_it_is_unless_told_otherwise(tmp_path: Path) -> None:
    service = Service(tmp_path, variables={})

    assert service.wait() == 78
    assert "required in production" in service.stderr.text


def test_a_port_that_is_taken_is_named(
    service: Service, variables: dict[str, str], tmp_path: Path
) -> None:
    second = Service(tmp_path, variables={**variables, "PORT": str(service.port)})

    assert second.wait() == 78
    assert "PORT: cannot listen on 127.0.0.1" in second.stderr.text
