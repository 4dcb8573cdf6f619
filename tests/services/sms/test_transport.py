"""The transport: what it sends, how long it waits, and what it says of a failure."""

import itertools
import socket
import threading
import time

import pytest

from services.sms.provider import Ambiguous
from services.sms.transport import HttpTransport, Reply, form_body
from tests.services.sms.posting import (
    CLOCK,
    FORM,
    SLACK,
    WAIT,
    failure_of,
    make_transport,
    post,
)
from tests.services.sms.raw_server import (
    Script,
    answering,
    hang,
    http,
    reset,
    serving,
)

# What is sent and read


def test_a_form_is_posted_and_the_answer_comes_back() -> None:
    with serving(http(b'{"ok":1}', status="201 Created")) as server:
        reply = make_transport(server.url + "/").post(
            "/send",
            form_body({"To": "+49 1", "Body": "ä&b"}),
            headers={"X-Key": "k"},
            auth=("AC0", "token"),
            deadline=CLOCK.monotonic() + 5,
        )

    assert reply == Reply(status=201, body=b'{"ok":1}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /send HTTP/1.1"
    assert "Content-Type: application/x-www-form-urlencoded" in lines
    assert "Accept-Encoding: identity" in lines
    assert "X-Key: k" in lines
    assert "Authorization: Basic QUMwOnRva2Vu" in lines
    assert body == b"To=%2B49+1&Body=%C3%A4%26b"


def test_a_full_url_is_taken_as_it_is() -> None:
    with serving(http(b"{}")) as server:
        make_transport("http://elsewhere.invalid").post(
            f"{server.url}/full", FORM, deadline=CLOCK.monotonic() + 5
        )

    assert server.requests[0].startswith(b"POST /full ")


def test_connections_are_kept_and_cookies_are_not() -> None:
    with serving(http(b"{}", headers=("Set-Cookie: a=b; Path=/",))) as server:
        transport = make_transport(server.url)
        for _ in range(3):
            post(transport)

    assert server.connections == 1
    assert b"Cookie" not in b"".join(server.requests)


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with serving(http(b"{}")) as server:
        reply = post(make_transport(server.url))

    assert reply.status == 200


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with serving(
        http(b"", status="307 Temporary", headers=("Location: /b",))
    ) as server:
        reply = post(make_transport(server.url))

    assert reply.status == 307
    assert len(server.requests) == 1


def test_a_chunked_answer_is_read() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(head + b"2\r\n{}\r\n0\r\n\r\n") as server:
        transport = make_transport(server.url)
        replies = [post(transport), post(transport)]

    assert [reply.body for reply in replies] == [b"{}", b"{}"]
    assert server.connections == 1


def test_an_answer_that_ends_with_the_connection_is_read() -> None:
    def script(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}")
        sock.close()

    with answering(script) as server:
        reply = post(make_transport(server.url))

    assert reply.body == b"{}"


def test_threads_share_it() -> None:
    statuses: list[int] = []
    with serving(http(b"{}")) as server:
        transport = make_transport(server.url)

        def send() -> None:
            statuses.extend(post(transport).status for _ in range(10))

        threads = [threading.Thread(target=send) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert statuses == [200] * 160
    assert server.connections <= 16


# It may have left


def drip_head(sock: socket.socket) -> None:
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nX: "):
        sock.sendall(bytes([byte]))
        time.sleep(WAIT / 8)


def drip_body(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        sock.sendall(b" ")
        time.sleep(WAIT / 8)


def half_an_answer(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
    sock.shutdown(socket.SHUT_RDWR)


def half_a_chunk(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{")
    sock.shutdown(socket.SHUT_RDWR)


def no_answer(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)


def no_http(sock: socket.socket) -> None:
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


def too_much(sock: socket.socket) -> None:
    sock.sendall(http(b" " * (64 * 1024 + 1)))


def too_much_in_chunks(sock: socket.socket) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        sock.sendall(b"400\r\n" + b" " * 1024 + b"\r\n")


@pytest.mark.parametrize(
    ("script", "vendor_code"),
    [
        (hang, "timeout"),
        (drip_head, "timeout"),
        (drip_body, "timeout"),
        (half_an_answer, "incomplete"),
        (half_a_chunk, "incomplete"),
        (no_answer, "reset"),
        (reset, "reset"),
        (no_http, "reset"),
        (too_much, "too_large"),
        (too_much_in_chunks, "too_large"),
    ],
)
def test_without_a_complete_answer_it_may_have_left(
    script: Script, vendor_code: str
) -> None:
    with answering(script) as server:
        started = time.monotonic()
        failure = failure_of(server.url)
        seconds = time.monotonic() - started

    assert isinstance(failure, Ambiguous)
    assert failure.vendor_code == vendor_code
    assert seconds < WAIT + SLACK


def test_an_answer_of_exactly_64_kib_is_read() -> None:
    with serving(http(b" " * 64 * 1024)) as server:
        reply = post(make_transport(server.url))

    assert len(reply.body) == 64 * 1024


@pytest.mark.parametrize("script", [hang, drip_head, drip_body])
def test_the_deadline_holds_where_it_comes_before_the_timeouts(script: Script) -> None:
    with answering(script) as server:
        transport = HttpTransport(server.url, clock=CLOCK)
        started = time.monotonic()
        with pytest.raises(Ambiguous):
            post(transport, seconds=WAIT)
        seconds = time.monotonic() - started

    assert seconds < WAIT + SLACK


# What a failure carries


def test_no_failure_carries_the_number_or_the_code() -> None:
    with answering(hang) as server:
        failures = [
            failure_of(server.url),
            failure_of("http://127.0.0.1:1"),
        ]

    for failure in failures:
        assert failure.__cause__ is None
        assert failure.__context__ is None
        assert "98765" not in repr(vars(failure))
