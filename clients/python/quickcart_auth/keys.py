"""The auth service's public keys: fetched once, renewed while they are still good."""

import logging
import re
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import jwt

from quickcart_auth.errors import KeysUnavailable
from quickcart_auth.forks import reset_after_fork
from quickcart_auth.http import Document

_log = logging.getLogger("quickcart_auth")

Fetch = Callable[[], Document]

KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

# What the service says of itself; within bounds, so that neither a mistake there makes
# a fetch of every request nor a withdrawn key is trusted for long.
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})", re.ASCII)
_MAX_AGE_SECONDS = 300.0
_MIN_SECONDS, _MOST_SECONDS = 60.0, 3_600.0
# Renewed when this share of their age is over, so that no request waits for it.
_RENEW_AT = 0.8

_RETRY_SECONDS = 5.0
_FIRST_RETRY_SECONDS = 1.0
# Through an outage of the auth service, its tokens of 10 minutes matter less and less.
_STALE_SECONDS = 86_400.0
# A stranger's key ids must not make us ask more often.
_UNKNOWN_SECONDS = 30.0
_WAIT_SECONDS = 2.0

# NIST SP 800-131A: RSA of 2048 bits or more.
_MIN_RSA_BITS = 2048
_MAX_HEADERS = 64


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys by their ids, and by the headers of tokens that they were found to sign.

    A service writes the same header on every token: the second of a kind need not be
    taken apart to find its key.
    """

    by_id: dict[str, jwt.PyJWK]
    by_header: dict[str, jwt.PyJWK] = field(default_factory=dict)

    def remember(self, header: str, key: jwt.PyJWK) -> None:
        """Note the header of a token whose signature was good."""
        if len(self.by_header) < _MAX_HEADERS:
            self.by_header[header] = key


class _Flight:
    """One fetch under way."""

    def __init__(self) -> None:
        self.is_late = False
        self.is_awaited = False
        self._done = threading.Event()

    def wait(self, seconds: float) -> None:
        """Wait for its end, unless somebody has waited in vain before."""
        if not self.is_late and not self._done.wait(seconds):
            self.is_late = True

    def end(self) -> None:
        self._done.set()


class Keys:
    """The current keys. Safe to share between threads, and across a fork.

    Fetches run in threads of their own; requests wait for one, 2 s at most, only when
    there are no keys yet or nothing was asked for longer than the keys' age. For a key
    id that is not known a single one waits.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        algorithms: Collection[str],
        monotonic: Callable[[], float] = time.monotonic,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._fetch = fetch
        self._algorithms = frozenset(algorithms)
        self._monotonic = monotonic
        self._wait_seconds = wait_seconds
        self._set = KeySet({})
        self._failure = "not fetched yet"
        # When to ask again, until when the keys are good without having asked, until
        # when in any case, and when an unknown id may make us ask.
        self._due = self._fresh_until = self._stale_until = monotonic()
        self._unknown_due = self._due
        self._lock = threading.Lock()
        self._flight: _Flight | None = None
        reset_after_fork(self)

    def after_fork(self) -> None:
        """Forget the parent's lock and its fetch."""
        self._lock = threading.Lock()
        self._flight = None

    def current(self) -> KeySet:
        """Return the keys.

        Raises:
            KeysUnavailable: there are none.
        """
        now = self._monotonic()
        if now < self._due and self._set.by_id:
            return self._set
        with self._lock:
            if self._flight is None and now >= self._due:
                self._start()
            flight = self._flight
        if flight is not None and now >= self._fresh_until:
            flight.wait(self._wait_seconds)
        if not self._set.by_id or now >= self._stale_until:
            raise KeysUnavailable(self._failure)
        return self._set

    def renewed(self) -> KeySet:
        """Return the keys after another look for one that is not known.

        At most one look in 30 s, which one request waits for. All others get the keys
        that are known: invented key ids must not hold every thread while the auth
        service is slow.
        """
        now = self._monotonic()
        with self._lock:
            if self._flight is None and now >= self._unknown_due:
                self._unknown_due = now + _UNKNOWN_SECONDS
                self._start()
            flight = self._flight
            is_first = flight is not None and not flight.is_awaited
            if flight is not None:
                flight.is_awaited = True
        if flight is not None and is_first:
            flight.wait(self._wait_seconds)
        return self._set

    def _start(self) -> None:
        """Begin a fetch; the lock is held."""
        flight = self._flight = _Flight()
        thread = threading.Thread(
            target=self._run, args=(flight,), name="quickcart-auth-keys", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # No more threads, or the process is about to end.
            self._failed("no thread", flight)

    def _run(self, flight: _Flight) -> None:
        try:
            document = self._fetch()
            found = read_keys(document.content, self._algorithms)
        except Exception as error:  # noqa: BLE001 - whatever it is, the keys stay
            with self._lock:
                self._failed(str(error) or type(error).__name__, flight)
            return
        age = max_age(document.cache_control)
        with self._lock:
            now = self._monotonic()
            self._set = found
            self._due = now + age * _RENEW_AT
            self._fresh_until = now + age
            self._stale_until = now + _STALE_SECONDS
            self._land(flight)

    def _failed(self, why: str, flight: _Flight) -> None:
        _log.warning("keys not renewed: %s", why)
        self._failure = why
        self._due = self._monotonic()
        if self._set.by_id:
            self._due += _RETRY_SECONDS
            # It was asked: no request need wait for the next attempt.
            self._fresh_until = self._stale_until
        else:
            self._due += _FIRST_RETRY_SECONDS
        self._land(flight)

    def _land(self, flight: _Flight) -> None:
        # After a fork, a flight of the parent's is nobody's.
        if self._flight is flight:
            self._flight = None
        flight.end()


def max_age(cache_control: str) -> float:
    """Return for how many seconds keys are kept, by their Cache-Control (RFC 9111)."""
    found = _MAX_AGE.search(cache_control)
    seconds = float(found[1]) if found else _MAX_AGE_SECONDS
    return min(max(seconds, _MIN_SECONDS), _MOST_SECONDS)


def read_keys(document: dict[str, Any], algorithms: Collection[str]) -> KeySet:
    """Return the keys of a JWKS (RFC 7517) that may be used here, parsed.

    Raises:
        ValueError: there is none.
    """
    listed = document.get("keys")
    keys: dict[str, jwt.PyJWK] = {}
    for jwk in listed if isinstance(listed, list) else ():
        key = _read_key(jwk, algorithms)
        if key is not None:
            keys.setdefault(jwk["kid"], key)
    if not keys:
        raise ValueError("no usable keys")
    return KeySet(keys)


def _read_key(jwk: object, algorithms: Collection[str]) -> jwt.PyJWK | None:
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return None
    kid = jwk.get("kid")
    if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
        return None
    try:
        key = jwt.PyJWK(jwk)
    except (jwt.PyJWTError, TypeError, ValueError, AttributeError):
        return None  # Of a kind that is newer than we are.
    is_weak = getattr(key.key, "key_size", _MIN_RSA_BITS) < _MIN_RSA_BITS
    if key.algorithm_name not in algorithms or (is_weak and key.key_type == "RSA"):
        return None
    return key
