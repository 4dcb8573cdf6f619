"""HTTP as such: connections, pieces, and what is not a request."""

import pytest

from tests.simulator import Simulator
from tests.simulator_tests.clients import connected


def test_one_connection_serves_many_requests_in_order(simulator: Simulator) -> None:
    simulator.add_rule("wait", seconds=0.05, times=1)
    send = b"POST /dev/bulkV2 HTTP/1.1\r\n\r\n"
    health = b"GET /_simulator/health HTTP/1.1\r\nConnection: close\r\n\r\n"

    with connected(simulator) as connection:
        connection.sendall(send + health)
        answers = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answers.startswith(b"HTTP/1.1 401")
    assert b"HTTP/1.1 200" in answers


def test_a_request_may_arrive_in_pieces(simulator: Simulator) -> None:
    request = b"GET /_simulator/health HTTP/1.0\r\nContent-Length: 2\r\n\r\nok"

    with connected(simulator) as connection:
        for byte in request:
            connection.sendall(bytes([byte]))
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nX: " + b"x" * 20_000, 431),
        (b"GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n", 404),
    ],
)
def test_requests_it_cannot_take_are_refused(
    simulator: Simulator, request_bytes: bytes, status: int
) -> None:
    with connected(simulator) as connection:
        connection.sendall(request_bytes)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(f"HTTP/1.1 {status}".encode())
