"""One vendor's HTTP: keep-alive, bounded in time and size, and honest about failure.

A failed call is ``Unavailable`` when the request certainly did not leave, which is so
only when no connection came about, and ``Ambiguous`` otherwise. That includes a pooled
connection that the vendor closes just as it is used again: an empty end of stream looks
the same whether the request was read or not (RFC 9110 9.2.2), so it may have left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import IncompleteRead
from typing import Protocol, cast
from urllib.parse import urlencode

import orjson
import requests
from requests.auth import HTTPBasicAuth
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPResponse, Timeout
from urllib3.exceptions import HTTPError, MaxRetryError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from services.sms.connections import NotConnected, TimedAdapter
from services.sms.provider import (
    Ambiguous,
    ProviderFailure,
    Reason,
    Scope,
    Unavailable,
)
from utils.clock import Clock

# With less than this left there is no point in asking: a TLS handshake and an answer
# take longer, and a question asked in vain may still send the message.
MINIMUM_SECONDS = 0.3

# What stands for a vendor's code when there was no time to ask.
NOT_ASKED = "deadline"

# The vendors answer in about 1 KiB.
_MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer, whatever its status."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, and what kind it is."""

    content: bytes
    content_type: str


def form_body(fields: Mapping[str, str]) -> Body:
    """Write a form (application/x-www-form-urlencoded)."""
    return Body(urlencode(fields).encode("ascii"), "application/x-www-form-urlencoded")


def json_body(document: object) -> Body:
    """Write JSON."""
    return Body(orjson.dumps(document), "application/json")


class Transport(Protocol):
    """One vendor's HTTP."""

    @property
    def base_url(self) -> str:
        """Where the vendor is, without a slash at the end."""
        ...

    def post(
        self,
        path_or_url: str,
        body: Body,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        deadline: float,
    ) -> Reply:
        """Post and read the answer, all before ``deadline`` (monotonic seconds).

        ``auth`` is a user name and a password (RFC 7617).

        Raises:
            Unavailable: nothing has left (``connect``), or no time is (``deadline``).
            Ambiguous: it may have, and no complete answer came (``timeout``,
                ``reset``, ``incomplete``, ``too_large``).
        """
        ...


class HttpTransport:
    """POSTs to one vendor. Safe to share between threads.

    ``read_seconds`` bounds the whole answer, not each gap in it. ``ca_file`` replaces
    the certificate authorities that come with requests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        clock: Clock,
        connect_seconds: float = 2.0,
        read_seconds: float = 5.0,
        pool_size: int = 256,
        ca_file: str | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        # Not a Session: the adapter alone keeps no cookies, follows no redirects (a
        # Session reads their bodies without a bound), and reads no environment.
        self._adapter = TimedAdapter(
            pool_size=pool_size, ca_file=ca_file or DEFAULT_CA_BUNDLE_PATH
        )

    def post(
        self,
        path_or_url: str,
        body: Body,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        deadline: float,
    ) -> Reply:
        """Post and read the answer; see ``Transport.post``."""
        left = deadline - self._clock.monotonic()
        if left < MINIMUM_SECONDS:
            # Not the vendor's fault: held against nobody.
            raise Unavailable(Reason.TRANSIENT, Scope.NUMBER, NOT_ASKED)
        request = self._prepare(path_or_url, body, headers, auth)
        timeout = Timeout(
            connect=min(self._connect_seconds, left),
            read=min(self._read_seconds, left),
            total=left,
        )
        try:
            return self._exchange(request, timeout)
        except (requests.RequestException, HTTPError, OSError) as error:
            failure = _failure_for(error)
        # Outside the except clause: the error above carries the request, and with it
        # the phone number and the code.
        raise failure

    def _exchange(self, request: requests.PreparedRequest, timeout: Timeout) -> Reply:
        # requests hands urllib3's own kind of timeout on; its stubs do not say so.
        response = self._adapter.send(request, timeout=cast("float", timeout))
        return Reply(status=response.status_code, body=_read_body(response.raw))

    def _prepare(
        self,
        path_or_url: str,
        body: Body,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
    ) -> requests.PreparedRequest:
        """Fill a prepared request by hand, which is most of requests' cost saved."""
        request = requests.PreparedRequest()
        request.method = "POST"
        request.url = (
            path_or_url
            if path_or_url.startswith(("http://", "https://"))
            else f"{self.base_url}{path_or_url}"
        )
        request.body = body.content
        request.headers = CaseInsensitiveDict(headers or {})
        request.headers["Content-Type"] = body.content_type
        request.headers["Content-Length"] = str(len(body.content))
        # A compressed answer of 64 KiB could be of any size.
        request.headers["Accept-Encoding"] = "identity"
        if auth is not None:
            HTTPBasicAuth(*auth)(request)
        return request


def _read_body(raw: HTTPResponse) -> bytes:
    body = b""
    # Until nothing comes: only then does urllib3 say that there should have been more.
    while chunk := raw.read(_MAX_BODY_BYTES + 1 - len(body), decode_content=False):
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            raw.close()
            raise Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, "too_large")
    return body


def _failure_for(error: Exception) -> ProviderFailure:
    # requests wraps what urllib3 raised, which wraps what happened.
    cause = error.args[0] if error.args else error
    if isinstance(cause, MaxRetryError) and isinstance(cause.reason, NotConnected):
        return Unavailable(Reason.TRANSIENT, Scope.PROVIDER, "connect")
    return Ambiguous(Reason.AMBIGUOUS, Scope.PROVIDER, _what_happened(error))


def _what_happened(error: Exception) -> str:
    if isinstance(error, requests.Timeout | Urllib3Timeout | TimeoutError):
        return "timeout"
    if any(isinstance(part, IncompleteRead) for part in error.args):
        return "incomplete"
    return "reset"
