"""Connections whose two timeouts are totals, and which say when nothing has left.

urllib3 gives its connect timeout to each address of a host in turn and its read timeout
to each gap between bytes: a vendor with eight dead addresses, or one that drips, would
hold a request for as long as it likes. Here ``connect`` covers all addresses and the
TLS handshake, and ``read`` the whole answer, head and body. Only the look-up of the
name cannot be interrupted; nothing is sent when it took too long.
"""

import http.client
import io
import socket
from functools import cache
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from utils.clock import SystemClock

# A socket waits in real time, whatever clock its owner was given.
_monotonic = SystemClock().monotonic

# No address of a host gets less than this while there is time left: 0.5 s is two round
# trips to the far side of the world.
_ADDRESS_SECONDS = 0.5

# Firewalls and address translators forget a silent connection without a word, and the
# next request on it would hang until its timeout; load balancers commonly close theirs
# at 60 s. A new connection is cheaper than either.
_IDLE_SECONDS = 45.0


class NotConnected(NewConnectionError):
    """No connection, so nothing has left: name, address, refusal, timeout or TLS."""


class _TimedReader(io.RawIOBase):
    """A socket's bytes until a moment, then ``TimeoutError``."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # The reader keeps the descriptor open when http.client closes the socket
        # early, as it does under "Connection: close".
        self._raw = sock.makefile("rb", buffering=0)
        self._until = _monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - _monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """An answer that is read to its end within the socket's timeout."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_TimedReader(sock))


if TYPE_CHECKING:
    _Connection = HTTPConnection
else:
    _Connection = object


class _Timed(_Connection):
    """What the plain and the TLS connection have in common."""

    response_class = _TimedResponse
    _used_at = 0.0

    def connect(self) -> None:
        try:
            super().connect()
        except (OSError, UnicodeError, HTTPError) as error:
            self.close()
            raise NotConnected(self, type(error).__name__) from error

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is not None:
            # The last answer left whatever time it had not used.
            self.sock.settimeout(self.timeout)
        super().request(*args, **options)

    def getresponse(self) -> Any:
        self._used_at = _monotonic()
        return super().getresponse()

    @property
    def is_connected(self) -> bool:
        """Whether the pool may hand this connection out again."""
        return _monotonic() - self._used_at < _IDLE_SECONDS and super().is_connected

    def _new_conn(self) -> socket.socket:
        until = _monotonic() + (self.timeout or 0.0)
        addresses = socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
        for index, (family, kind, proto, _, address) in enumerate(addresses):
            left = until - _monotonic()
            if left <= 0:
                break
            share = max(left / (len(addresses) - index), _ADDRESS_SECONDS)
            sock = socket.socket(family, kind, proto)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(min(left, share))
                sock.connect(address)
            except OSError:
                sock.close()
                continue  # The next address may answer.
            # What the TLS handshake may take; 0 would mean not to wait at all.
            sock.settimeout(max(until - _monotonic(), 0.001))
            return sock
        raise TimeoutError


class _TimedHTTPConnection(_Timed, HTTPConnection):
    pass


class _TimedHTTPSConnection(_Timed, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _TimedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _TimedHTTPSConnection


class TimedAdapter(HTTPAdapter):
    """A requests adapter over such connections, with one TLS context for all.

    ``ca_file`` replaces the certificate authorities that come with requests.
    """

    def __init__(self, *, pool_size: int, ca_file: str) -> None:
        self._tls = _tls_context(ca_file)
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _HTTPPool,
            "https": _HTTPSPool,
        }

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Leave the pool as it is: its TLS context checks certificates already."""


@cache
def _tls_context(ca_file: str) -> SSLContext:
    # Loading the authorities takes 15 ms of CPU: once, not per connection or vendor.
    context = create_urllib3_context()
    context.load_verify_locations(ca_file)
    return context
