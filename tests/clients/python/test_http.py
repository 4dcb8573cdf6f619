"""The kit's HTTP: bounded in time and size, JSON alone, and never redirected."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from quickcart_auth import Introspection, InvalidToken, KeysUnavailable, Verifier
from quickcart_auth import http as kit_http
from quickcart_auth.http import Endpoint, FetchFailed
from tests.clients.python.certificates import self_signed
from tests.clients.python.kit import NOW, PEM
from tests.corpus.forge import Forge
from tests.corpus.good import AUDIENCE, ISSUER, SUBJECT, good_access
from tests.redis_server import free_port
from tests.services.sms.raw_server import RawServer, hang, http, reset

ACCESS = good_access(PEM, now=NOW)
JSON = ("Content-Type: application/json",)


@contextmanager
def answering(*answers: bytes) -> Iterator[RawServer]:
    """Give the requests these answers in turn, the last one again and again."""
    left = list(answers)

    def script(sock: socket.socket) -> None:
        while request := sock.recv(65_536):
            server.requests.append(request)
            sock.sendall(left.pop(0) if len(left) > 1 else left[0])

    with RawServer(script) as server:
        yield server


def failure_of(url: str, seconds: float = 5) -> str:
    with (
        closing(Endpoint(url, timeout_seconds=seconds)) as endpoint,
        pytest.raises(FetchFailed) as failed,
    ):
        endpoint.fetch()
    return str(failed.value)


def test_a_json_object_is_read_with_what_is_said_of_its_age() -> None:
    headers = ("Content-Type: application/JSON; charset=utf-8", "Cache-Control: a=1")
    with (
        answering(http(b'{"keys": []}', headers=headers)) as server,
        closing(Endpoint(f"{server.url}/keys?a=b")) as endpoint,
    ):
        found = endpoint.fetch()
        host = f"Host: 127.0.0.1:{server.port}"

    assert (found.content, found.cache_control) == ({"keys": []}, "a=1")
    assert server.requests[0].startswith(b"GET /keys?a=b HTTP/1.1\r\n")
    lines = server.requests[0].decode().split("\r\n")
    assert [it for it in lines if it.startswith("Host:")] == [host]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"{}", status="500 No", headers=JSON), "status 500"),
        (http(b"{}", status="204 None", headers=JSON), "status 204"),
        (http(b"{}", headers=("Content-Type: text/html",)), "not JSON"),
        (http(b"{}"), "not JSON"),
        (http(b"{", headers=JSON), "not JSON"),
        (http(b"\xff", headers=JSON), "not JSON"),
        (http(b"[" * 50_000, headers=JSON), "not JSON"),
        (http(b"[]", headers=JSON), "not an object"),
        (http(b" " * 65_537, headers=JSON), "too large"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000, "LineTooLong"),
        (b"no HTTP at all\r\n\r\n", "BadStatusLine"),
    ],
    ids=range(11),
)
def test_anything_else_is_no_document(answer: bytes, why: str) -> None:
    with answering(answer) as server:
        assert failure_of(server.url) == why


def test_a_failure_is_logged_with_its_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering(http(b"{}", status="401 No", headers=JSON)) as server:
        url = f"{server.url}/keys"
        failure_of(url)

    logged = [(it.name, it.levelname, it.getMessage()) for it in caplog.records]
    said = f"{url}: status 401"
    assert logged == [("quickcart_auth", "WARNING", said)]


def test_a_redirect_is_not_followed() -> None:
    with answering(http(b'{"keys": []}', headers=JSON)) as other:
        location = (f"Location: {other.url}/keys", *JSON)
        for status in ("301 Moved", "302 Found", "307 Other", "308 Moved"):
            with answering(http(b"{}", status=status, headers=location)) as server:
                assert failure_of(server.url) == f"status {status[:3]}"

        assert other.connections == 0


def test_a_verifier_whose_keys_are_redirected_has_none() -> None:
    location = ("Location: https://evil.example/jwks.json",)
    with answering(http(b"", status="302 Found", headers=location)) as server:
        verifier = Verifier(ISSUER, AUDIENCE, base_url=server.url)

        with pytest.raises(KeysUnavailable, match="302"):
            verifier.verify(good_access(PEM, now=NOW))
        verifier.close()


def test_what_is_no_token_is_refused_without_a_request() -> None:
    verifier = Verifier(ISSUER, AUDIENCE, base_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(InvalidToken):
        verifier.verify("x" * 100_000)


def test_the_service_is_reached_at_its_base_address() -> None:
    keys = json.dumps({"keys": [Forge.of(ACCESS, PEM).jwk]}).encode()
    answer = json.dumps({"active": True, "sub": SUBJECT}).encode()
    with answering(http(keys, headers=JSON), http(answer, headers=JSON)) as server:
        verifier = Verifier(
            ISSUER,
            AUDIENCE,
            base_url=f"{server.url}/auth/",
            introspection=Introspection("svc-orders", "secret"),
            clock=lambda: NOW,
        )
        assert verifier.verify(ACCESS, live=True).subject == SUBJECT
        verifier.close()

    lines = [it.partition(b" HTTP")[0] for it in server.requests if b" HTTP" in it]
    assert lines == [
        b"GET /auth/.well-known/jwks.json",
        b"POST /auth/api/token/introspect",
    ]


def test_plain_http_is_for_who_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As http://auth:5000 inside a compose network."""
    with answering(http(b"{}", headers=JSON)) as server:
        there = ("127.0.0.1", server.port)
        address = (socket.AF_INET, socket.SOCK_STREAM, 6, "", there)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address])
        url = f"http://auth:{server.port}"

        with pytest.raises(ValueError, match="https"):
            Endpoint(url)
        with closing(Endpoint(url, allow_http=True)) as endpoint:
            assert endpoint.fetch().content == {}


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="without a user") as refused:
        Endpoint("https://user:hunter2@auth.shop.example")

    assert "hunter2" not in str(refused.value)


def test_a_server_that_says_nothing_is_left_in_time() -> None:
    with RawServer(hang) as server:
        assert failure_of(server.url, 0.05) == "timeout"


def test_a_server_that_drips_is_left_in_time() -> None:
    """Each gap is short; only the whole takes too long."""
    pause = threading.Event()

    def drip(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n")
        while not pause.wait(0.01):
            sock.sendall(b"X: x\r\n")

    with RawServer(drip) as server:
        assert failure_of(server.url, 0.1) == "timeout"
        pause.set()


def test_nobody_there_is_a_failure() -> None:
    assert failure_of(f"http://127.0.0.1:{free_port()}") == "ConnectionRefusedError"


def test_a_connection_is_used_again() -> None:
    with answering(http(b"{}", headers=JSON)) as server:
        endpoint = Endpoint(server.url)
        for _ in range(3):
            endpoint.fetch()
        endpoint.close()

    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_connection_that_was_closed_meanwhile_is_made_anew() -> None:
    def script(sock: socket.socket) -> None:
        sock.recv(65_536)
        sock.sendall(http(b"{}", headers=JSON))
        reset(sock)

    with RawServer(script) as server:
        endpoint = Endpoint(server.url)
        for _ in range(3):
            assert endpoint.fetch().content == {}
        endpoint.close()

    assert server.connections == 3


def test_a_childs_requests_go_over_connections_of_its_own() -> None:
    with answering(http(b"{}", headers=JSON)) as server:
        endpoint = Endpoint(server.url)
        endpoint.fetch()
        parents = endpoint._idle
        endpoint.after_fork()
        endpoint.fetch()
        endpoint.close()
        parents.pop().close()

    assert server.connections == 2


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[ssl.SSLContext, Path]]:
    """A server's TLS, and the certificate that has to be trusted for it."""
    path = tmp_path / "certificate.pem"
    path.write_bytes(self_signed("localhost"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    kit_http._tls.cache_clear()
    yield context, path
    kit_http._tls.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls: tuple[ssl.SSLContext, Path],
) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1)

    with RawServer(serve, tls=tls[0]) as server:
        found = failure_of(f"https://localhost:{server.port}")

    assert found == "SSLCertVerificationError"


def test_a_certificate_that_is_trusted_is_for_its_host_alone(
    tls: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tls[1]))

    def serve(sock: socket.socket) -> None:
        while sock.recv(65_536):
            sock.sendall(http(b"{}", headers=JSON))

    with RawServer(serve, tls=tls[0]) as server:
        with closing(Endpoint(f"https://localhost:{server.port}")) as endpoint:
            assert endpoint.fetch().content == {}
        found = failure_of(f"https://127.0.0.1:{server.port}")

    assert found == "SSLCertVerificationError"
