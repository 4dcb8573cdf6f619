"""Whether a token is still alive: the auth service is asked (RFC 7662)."""

import base64
import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode

from quickcart_auth.claims import read_texts
from quickcart_auth.errors import IntrospectionUnavailable, InvalidCredentials
from quickcart_auth.forks import reset_after_fork
from quickcart_auth.http import Document, Endpoint, FetchFailed

_log = logging.getLogger("quickcart_auth")

# About 2 MB of answers.
_MAX_ANSWERS = 10_000
# RFC 6749 5.2, RFC 6750 3.1: the client is not known, or has not the scope.
_REFUSED = frozenset({401, 403})
# With the auth service gone, not every request should wait for its 2 s.
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Introspection:
    """Who asks: a service client of scope ``token:introspect``.

    ``cache_seconds`` is how old an answer may be. When the service cannot be asked a
    token is refused, unless ``on_failure`` says to go by its signature alone: then a
    person who was frozen gets in, for as long as the token lasts.
    """

    client_id: str
    client_secret: str = field(repr=False)
    cache_seconds: float = 5.0
    on_failure: Literal["refuse", "accept_offline"] = "refuse"


@dataclass(frozen=True, slots=True)
class Liveness:
    """What the service says of a token: whose it is, and the roles of now.

    Each is None where it does not say.
    """

    active: bool
    subject: str | None
    roles: tuple[str, ...] | None


class Introspector:
    """Asks, and keeps what was answered for a few seconds. Safe between threads.

    Answers are kept by the token's SHA-256, which is of no use to whoever reads memory.
    """

    def __init__(
        self,
        settings: Introspection,
        endpoint: Endpoint,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._cache_seconds = settings.cache_seconds
        self._refuses = settings.on_failure == "refuse"
        self._headers = {
            "Authorization": _basic(settings.client_id, settings.client_secret),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        self._monotonic = monotonic
        # In the order of their ends, as all are kept for as long.
        self._answers: dict[bytes, tuple[float, Liveness]] = {}
        self._resumes = 0.0
        self._is_refused = False
        self._lock = threading.Lock()
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the parent's lock."""
        self._lock = threading.Lock()

    def ask(self, token: str) -> Liveness | None:
        """Return what the service says, or None to go by the signature alone.

        Raises:
            IntrospectionUnavailable: it does not say.
            InvalidCredentials: it refuses us, whatever ``on_failure`` says: it would be
                so for ever.
        """
        name = hashlib.sha256(token.encode()).digest()
        kept = self._answers.get(name)
        if kept is not None and self._monotonic() < kept[0]:
            return kept[1]
        try:
            answer = self._fetch(token)
        except FetchFailed as error:
            if self._is_refused:
                raise InvalidCredentials("client refused") from None
            if self._refuses:
                raise IntrospectionUnavailable(str(error)) from None
            return None
        self._keep(name, answer)
        return answer

    def close(self) -> None:
        """Close the connections that are kept."""
        self._endpoint.close()

    def _fetch(self, token: str) -> Liveness:
        if self._monotonic() < self._resumes:
            raise FetchFailed("failed a moment ago")
        body = urlencode({"token": token, "token_type_hint": "access_token"}).encode()
        try:
            answer = _read(self._endpoint.fetch("POST", body, self._headers))
        except FetchFailed as error:
            self._is_refused = error.status in _REFUSED
            if self._is_refused:
                _log.error("the auth service refuses the client's id, secret or scope")
            self._resumes = self._monotonic() + _PAUSE_SECONDS
            raise
        self._is_refused = False
        return answer

    def _keep(self, name: bytes, answer: Liveness) -> None:
        until = self._monotonic() + self._cache_seconds
        with self._lock:
            self._answers.pop(name, None)
            while len(self._answers) >= _MAX_ANSWERS:
                del self._answers[next(iter(self._answers))]
            self._answers[name] = (until, answer)


def _read(document: Document) -> Liveness:
    active = document.content.get("active")
    subject, listed = document.content.get("sub"), document.content.get("roles")
    roles = read_texts(listed)
    if not isinstance(active, bool) or not isinstance(subject, str | None):
        raise FetchFailed("not an answer")
    if roles is None and listed is not None:
        raise FetchFailed("not an answer")
    return Liveness(active, subject, roles)


def _basic(client_id: str, secret: str) -> str:
    # RFC 6749 2.3.1: both are form-encoded first.
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
