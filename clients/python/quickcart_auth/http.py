"""HTTP to the auth service: bounded in time and size, never redirected.

http.client gives its timeout to each address of a host and to each gap between bytes.
Here one deadline covers connecting, TLS, and the whole answer; only the look-up of the
name cannot be interrupted. Proxies of the environment are not used.
"""

import http.client
import io
import ipaddress
import json
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast
from urllib.parse import urlsplit

from quickcart_auth.forks import reset_after_fork

# A key set is about 1 KiB, an answer to introspection less.
_MAX_BODY_BYTES = 64 * 1024
_TIMEOUT_SECONDS = 2.0

# Whatever stands between may forget a silent connection without a word.
_IDLE_SECONDS = 30.0
_MAX_IDLE = 32

_JSON = frozenset({"application/json", "application/jwk-set+json"})


_log = logging.getLogger("quickcart_auth")


class FetchFailed(Exception):
    """No usable answer; the text is a word or two for logs.

    ``status`` is the HTTP status of an answer that was none of success.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object, and the Cache-Control it came with; empty where there was none."""

    content: dict[str, Any]
    cache_control: str = ""


class _TimedReader(io.RawIOBase):
    """A socket's bytes until a moment, then ``TimeoutError``."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer that has to be read until a moment (monotonic)."""

    def __init__(
        self, sock: socket.socket, *args: Any, until: float, **options: Any
    ) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock, until))


class _Connection(http.client.HTTPConnection):
    """One connection; ``until`` (monotonic) is set before every request."""

    until = 0.0
    used_at = 0.0

    def __init__(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port)
        self._tls = context

    def connect(self) -> None:
        last: OSError = OSError("no address")
        for family, kind, proto, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            sock = socket.socket(family, kind, proto)
            try:
                sock.settimeout(_left(self.until))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._tls is not None:
                    sock.settimeout(_left(self.until))
                    sock = self._tls.wrap_socket(sock, server_hostname=self.host)
            except OSError as error:
                sock.close()
                last = error
                continue
            self.sock = sock
            return
        raise last

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request and read all of its answer."""
        # http.client calls it as it would the class.
        bounded = partial(_Response, until=self.until)
        self.response_class = cast("type[http.client.HTTPResponse]", bounded)
        if self.sock is not None:
            self.sock.settimeout(_left(self.until))
        self.request(method, target, body, dict(headers))
        response = self.getresponse()
        content = response.read(_MAX_BODY_BYTES + 1)
        if len(content) > _MAX_BODY_BYTES:
            raise FetchFailed("too large")
        return response, content


class Endpoint:
    """One address of the auth service, with kept connections. Safe between threads.

    https only, save for this machine's own addresses: keys that came over plain HTTP
    could be anybody's. ``allow_http`` trusts the network for them.
    """

    def __init__(
        self,
        url: str,
        *,
        allow_http: bool = False,
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        plain = parts.scheme == "http" and (allow_http or _is_loopback(host))
        if not host or not (parts.scheme == "https" or plain) or "@" in parts.netloc:
            # Without the URL, which may have a password.
            raise ValueError(f"must be an https address without a user: {host!r}")
        self._url = url
        self._host = host
        self._port = parts.port or (80 if plain else 443)
        self._is_plain = plain
        self._timeout_seconds = timeout_seconds
        self._authority = parts.netloc
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._idle: deque[_Connection] = deque(maxlen=_MAX_IDLE)
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Leave the parent's connections alone."""
        self._idle = deque(maxlen=_MAX_IDLE)

    def fetch(
        self,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document:
        """Return the JSON object that is answered with status 200.

        Raises:
            FetchFailed: anything else, a redirect included, or the time is over; it is
                logged as a warning, too, with the address.
        """
        try:
            return self._fetch(method, body, headers)
        except FetchFailed as failed:
            _log.warning("%s: %s", self._url, failed)
            raise

    def _fetch(
        self, method: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Document:
        sent = {
            "Host": self._authority,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **(headers or {}),
        }
        until = time.monotonic() + self._timeout_seconds
        try:
            response, content = self._ask(method, body, sent, until)
        except TimeoutError:
            raise FetchFailed("timeout") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed(type(error).__name__) from None
        return _read(response, content)

    def _ask(
        self, method: str, body: bytes | None, headers: Mapping[str, str], until: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        kept = self._take()
        if kept is not None:
            # Closed by the other side just now, perhaps; to ask twice does no harm.
            with suppress(ConnectionError, http.client.BadStatusLine):
                return self._exchange(kept, method, body, headers, until)
        context = None if self._is_plain else _tls()
        fresh = _Connection(self._host, self._port, context)
        return self._exchange(fresh, method, body, headers, until)

    def _exchange(
        self,
        connection: _Connection,
        method: str,
        body: bytes | None,
        headers: Mapping[str, str],
        until: float,
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection.until = until
        try:
            found = connection.exchange(method, self._target, body, headers)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            connection.used_at = time.monotonic()
            self._idle.append(connection)
        return found

    def _take(self) -> _Connection | None:
        oldest = time.monotonic() - _IDLE_SECONDS
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if connection.used_at > oldest:
                    return connection
                connection.close()
        return None

    def close(self) -> None:
        """Close the kept connections."""
        with suppress(IndexError):
            while True:
                self._idle.pop().close()


def _read(response: http.client.HTTPResponse, content: bytes) -> Document:
    kind = (response.headers.get("Content-Type") or "").partition(";")[0]
    if response.status != http.client.OK:
        raise FetchFailed(f"status {response.status}", response.status)
    if kind.strip().lower() not in _JSON:
        raise FetchFailed("not JSON")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise FetchFailed("not JSON") from None
    if not isinstance(found, dict):
        raise FetchFailed("not an object")
    return Document(found, response.headers.get("Cache-Control") or "")


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def _tls() -> ssl.SSLContext:
    # Loading the authorities takes milliseconds: once, and not before it is needed.
    return ssl.create_default_context()
