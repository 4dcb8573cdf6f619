"""Connections: what is known not to have left, and when they are used again."""

import contextlib
import datetime as dt
import select
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.sms import connections
from services.sms.provider import Ambiguous, Scope, Unavailable
from services.sms.transport import HttpTransport
from tests.services.sms.posting import SLACK, WAIT, failure_of, make_transport, post
from tests.services.sms.raw_server import RawServer, hang, http, serving


def wait_until_closed(transport: HttpTransport) -> None:
    """Wait until the end of stream has reached our side of the pooled connection."""
    pools = transport._adapter.poolmanager.pools
    (pool,) = [pools[key] for key in pools.keys()]  # noqa: SIM118
    idle = [connection.sock for connection in pool.pool.queue if connection]
    select.select(idle, [], [], 5.0)


# Nothing has left


def test_a_refused_connection_means_that_nothing_has_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    failure = failure_of(f"http://127.0.0.1:{port}")

    assert isinstance(failure, Unavailable)
    assert (failure.vendor_code, failure.scope) == ("connect", Scope.PROVIDER)


def test_an_unknown_host_means_that_nothing_has_left() -> None:
    failure = failure_of("http://nowhere.invalid")

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "connect"


@pytest.fixture
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that takes no connection and refuses none."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):  # Fill the queue: whoever comes now is not answered.
            filler = stack.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def test_a_connection_that_does_not_come_about_is_given_up(
    black_hole: tuple[str, int],
) -> None:
    started = time.monotonic()
    failure = failure_of(f"http://127.0.0.1:{black_hole[1]}")

    assert isinstance(failure, Unavailable)
    assert time.monotonic() - started < WAIT + SLACK


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """Make every name resolve to these."""
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address)
        for address in addresses
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_many_dead_addresses_take_no_longer_than_one(
    monkeypatch: pytest.MonkeyPatch, black_hole: tuple[str, int]
) -> None:
    resolve_to(monkeypatch, *[black_hole] * 8)

    started = time.monotonic()
    failure = failure_of("http://vendor.test")

    assert isinstance(failure, Unavailable)
    assert time.monotonic() - started < WAIT + SLACK


def test_a_dead_address_leaves_time_for_the_next(
    monkeypatch: pytest.MonkeyPatch, black_hole: tuple[str, int]
) -> None:
    monkeypatch.setattr(connections, "_ADDRESS_SECONDS", 0.1)
    with serving(http(b"{}")) as server:
        resolve_to(monkeypatch, black_hole, ("127.0.0.1", server.port))
        reply = post(make_transport("http://vendor.test"))

    assert reply.status == 200


def test_without_enough_time_nobody_is_asked() -> None:
    with serving(http(b"{}")) as server:
        failure = failure_of(server.url, seconds=0.2)

    assert isinstance(failure, Unavailable)
    assert (failure.vendor_code, failure.scope) == ("deadline", Scope.NUMBER)
    assert server.connections == 0


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that 127.0.0.1 signed for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextlib.contextmanager
def tls_server(certificate: Path) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(http(b"{}"), tls=context) as server:
        yield server


def test_it_speaks_tls_and_keeps_the_connection(certificate: Path) -> None:
    with tls_server(certificate) as server:
        transport = make_transport(
            f"https://localhost:{server.port}", ca_file=str(certificate)
        )
        replies = [post(transport), post(transport)]

    assert [reply.status for reply in replies] == [200, 200]
    assert server.connections == 1


def test_a_certificate_that_nobody_vouches_for_gets_nothing(certificate: Path) -> None:
    with tls_server(certificate) as server:
        failure = failure_of(f"https://localhost:{server.port}")

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "connect"
    assert server.requests == []


def test_a_certificate_for_another_host_gets_nothing(certificate: Path) -> None:
    with tls_server(certificate) as server, pytest.raises(Unavailable):
        post(
            make_transport(f"https://127.0.0.1:{server.port}", ca_file=str(certificate))
        )

    assert server.requests == []


def test_a_handshake_that_hangs_counts_as_connecting() -> None:
    with RawServer(hang) as server:
        started = time.monotonic()
        failure = failure_of(f"https://127.0.0.1:{server.port}")

    assert isinstance(failure, Unavailable)
    assert time.monotonic() - started < WAIT + SLACK


# Connections kept too long


def test_a_connection_closed_meanwhile_is_not_used_again() -> None:
    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(b"{}"))
        sock.shutdown(socket.SHUT_RDWR)

    with RawServer(script) as server:
        transport = make_transport(server.url)
        post(transport)
        wait_until_closed(transport)
        reply = post(transport)

    assert reply.status == 200
    assert server.connections == 2


def test_a_connection_closed_as_it_is_used_may_have_taken_the_message() -> None:
    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(b"{}"))
        server.read_request(sock)
        sock.shutdown(socket.SHUT_RDWR)

    with RawServer(script) as server:
        transport = make_transport(server.url)
        post(transport)
        with pytest.raises(Ambiguous) as caught:
            post(transport)

    assert caught.value.vendor_code == "reset"
    assert len(server.requests) == 2


def test_a_connection_idle_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connections, "_IDLE_SECONDS", 0.0)
    with serving(http(b"{}")) as server:
        transport = make_transport(server.url)
        post(transport)
        post(transport)

    assert server.connections == 2


# What came too late


def test_an_answer_that_is_late_already_is_not_read() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n")
        ours.settimeout(0.001)
        reader = connections._TimedReader(ours)
        time.sleep(0.002)

        with pytest.raises(TimeoutError):
            reader.read(1)
        reader.close()
