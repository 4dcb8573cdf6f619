"""A server of bare sockets, for answers that no HTTP library would give."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Self

Script = Callable[[socket.socket], None]


class RawServer:
    """Runs ``script`` on every connection, each in its own thread."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def read_request(self, sock: socket.socket) -> bytes:
        """Read one request to its end; empty when the client hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = sock.recv(65536)
            if not chunk:
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(body) < length:
            chunk = sock.recv(65536)
            if not chunk:
                return b""
            body += chunk
        self.requests.append(head + b"\r\n\r\n" + body)
        return body

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join()

    def _start(self, step: Callable[[], None]) -> None:
        thread = threading.Thread(target=step, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                self._start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
                self._open.append(sock)
            self._script(sock)


def http(
    body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = ()
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(sock: socket.socket) -> None:
    """Hang up rudely: the other side gets ECONNRESET."""
    sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
    )
    sock.close()


@contextlib.contextmanager
def serving(answer: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """Answer every request, on as many connections as there are."""

    def script(sock: socket.socket) -> None:
        while server.read_request(sock):
            sock.sendall(answer)

    with RawServer(script, tls=tls) as server:
        yield server


@contextlib.contextmanager
def answering(script: Script) -> Iterator[RawServer]:
    """Run ``script`` on each connection once its request has come."""

    def read_first(sock: socket.socket) -> None:
        server.read_request(sock)
        script(sock)

    with RawServer(read_first) as server:
        yield server


def hang(sock: socket.socket) -> None:
    sock.recv(1)
