"""Whether a token is good, and what it says: offline, by the service's public keys."""

import json
import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import jwt

from quickcart_auth.claims import is_time, read_identity, read_receipt
from quickcart_auth.errors import InvalidToken
from quickcart_auth.http import Document, Endpoint
from quickcart_auth.identity import Identity, Receipt
from quickcart_auth.introspection import Introspection, Introspector
from quickcart_auth.keys import KEY_ID, Keys, KeySet

# RFC 9068 2.1. It lets others accept "application/at+jwt" too; our service writes this
# spelling alone, so whatever else calls itself so is not its token.
_ACCESS = "at+jwt"
_VERIFICATION = "verification+jwt"
_VERIFICATION_AUDIENCE = "/verification"

_JWKS_PATH = "/.well-known/jwks.json"
_INTROSPECTION_PATH = "/api/token/introspect"

# RFC 8725 3.1: none of them takes a public key for a shared secret.
_ALLOWED = frozenset({"ES256", "EdDSA", "RS256"})

_MAX_BYTES = 8 * 1024
# No padding, no white space, three parts (RFC 7515 2, 7.1); PyJWT lets padding pass.
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)

# Nothing that changes how a token is read is ours (RFC 7515 4.1.11, RFC 7797), and keys
# that it brings along are nobody's.
_REFUSED = frozenset({"crit", "b64", "zip", "enc", "jku", "jwk", "x5u", "x5c"})

_JWS = jwt.PyJWS()

_log = logging.getLogger("quickcart_auth")


class Verifier:
    """Checks the tokens of one issuer for one audience.

    Make one and keep it: it holds the keys. Safe to share between threads, and made
    before a fork it works after it. ``clock`` and ``fetch`` are for tests.
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        base_url: str | None = None,
        allow_http: bool = False,
        algorithms: Collection[str] = ("ES256", "EdDSA", "RS256"),
        leeway_seconds: float = 30,
        introspection: Introspection | None = None,
        clock: Callable[[], float] = time.time,
        fetch: Callable[[], Document] | None = None,
    ) -> None:
        """``issuer`` is the service's TOKEN_ISSUER, ``audience`` who we are to it.

        ``base_url`` is where the service is reached, if not at its issuer's address.
        With ``allow_http`` that may be plain http on any machine: then whoever is on
        that network can hand out keys, and reads the client's secret.

        Nothing is fetched before the first token.

        Raises:
            ValueError: an address is not https, or an algorithm is none of the three.
        """
        if not issuer or not audience:
            raise ValueError("issuer and audience must be given")
        if not algorithms or not _ALLOWED.issuperset(algorithms):
            raise ValueError(f"algorithms must be of {', '.join(sorted(_ALLOWED))}")
        self._issuer = issuer
        self._audience = audience
        self._leeway_seconds = leeway_seconds
        self._clock = clock
        base = (base_url or issuer).rstrip("/")
        self._endpoint = Endpoint(base + _JWKS_PATH, allow_http=allow_http)
        self._keys = Keys(fetch or self._endpoint.fetch, algorithms=algorithms)
        self._introspector = None
        if introspection is not None:
            endpoint = Endpoint(base + _INTROSPECTION_PATH, allow_http=allow_http)
            self._introspector = Introspector(introspection, endpoint)

    @property
    def can_ask(self) -> bool:
        """Whether ``live`` may be asked for."""
        return self._introspector is not None

    def verify(
        self, token: str, *, live: bool = False, allow_service: bool = False
    ) -> Identity:
        """Return who an access token is about.

        With ``live`` the auth service is asked too: a person frozen or logged out a
        moment ago is refused, and the roles are those of now. With ``allow_service``
        tokens of services are taken as well, which speak for no person.

        Raises:
            InvalidToken: malformed, forged, expired, for others, or of another kind.
            KeysUnavailable: there are no keys to check it by.
            IntrospectionUnavailable: the auth service cannot be asked, or
                (InvalidCredentials) does not take the client.
            ValueError: ``live`` without an ``introspection``.
        """
        with _refusals_logged():
            return self._verify(token, live=live, allow_service=allow_service)

    def _verify(self, token: str, *, live: bool, allow_service: bool) -> Identity:
        claims = self._claims(token, _ACCESS, self._audience)
        identity = read_identity(claims, allow_service=allow_service)
        if not live:
            return identity
        if self._introspector is None:
            raise ValueError("live needs an introspection")
        answer = self._introspector.ask(token)
        if answer is None:
            return identity
        if not answer.active or answer.subject != identity.subject:
            raise InvalidToken("inactive")
        return (
            identity if answer.roles is None else replace(identity, roles=answer.roles)
        )

    def verify_receipt(
        self,
        token: str,
        *,
        phone: str | None = None,
        max_age_seconds: float | None = None,
    ) -> Receipt:
        """Return which phone a verification token says was verified.

        ``phone`` (E.164) is the one it has to be; ``max_age_seconds`` is how long ago
        that may be.

        Raises:
            InvalidToken: malformed, forged, expired, for others, of another kind, of
                another phone or too old.
            KeysUnavailable: there are no keys to check it by.
        """
        audience = self._audience + _VERIFICATION_AUDIENCE
        with _refusals_logged():
            receipt = read_receipt(self._claims(token, _VERIFICATION, audience))
            if phone is not None and receipt.phone != phone:
                raise InvalidToken("phone")
            age = self.seconds_since(receipt.verified_at)
            if max_age_seconds is not None and age > max_age_seconds:
                raise InvalidToken("age")
        return receipt

    def seconds_since(self, moment: float) -> float:
        """Return how long ago a moment (Unix seconds) is by the verifier's clock."""
        return self._clock() - moment

    def close(self) -> None:
        """Close the connections that are kept."""
        self._endpoint.close()
        if self._introspector is not None:
            self._introspector.close()

    def _claims(self, token: str, kind: str, audience: str) -> dict[str, Any]:
        """Return the claims of a token of this kind whose signature and times hold."""
        if not _is_compact(token):
            raise InvalidToken("malformed")
        keys = self._keys.current()
        start = token[: token.index(".")]
        key = keys.by_header.get(start)
        if is_new := key is None:
            keys, key = self._find(token, keys)
        try:
            found = _JWS.decode_complete(token, key, algorithms=[key.algorithm_name])
            claims = json.loads(found["payload"].decode())
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("signature") from None
        header = found["header"]
        if header.get("typ") != kind:
            raise InvalidToken("type")
        if not _REFUSED.isdisjoint(header):
            raise InvalidToken("header")
        if not isinstance(claims, dict):
            raise InvalidToken("claims")
        if is_new:
            keys.remember(start, key)
        self._check(claims, audience)
        return claims

    def _find(self, token: str, keys: KeySet) -> tuple[KeySet, jwt.PyJWK]:
        """Return the key that a token names; keys that it brings along do not count."""
        try:
            header = _JWS.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise InvalidToken("malformed") from None
        kid = header.get("kid")
        if not isinstance(kid, str) or not KEY_ID.fullmatch(kid):
            raise InvalidToken("key id")
        if kid not in keys.by_id:
            keys = self._keys.renewed()
        key = keys.by_id.get(kid)
        if key is None:
            raise InvalidToken("unknown key")
        return keys, key

    def _check(self, claims: dict[str, Any], audience: str) -> None:
        # Equality, of text alone: a list would be for others too (RFC 8725 3.9).
        if claims.get("iss") != self._issuer:
            raise InvalidToken("issuer")
        if claims.get("aud") != audience:
            raise InvalidToken("audience")
        now = self._clock()
        expires, issued = _time(claims.get("exp")), _time(claims.get("iat"))
        begins = _time(claims.get("nbf", issued))
        if expires + self._leeway_seconds <= now:
            raise InvalidToken("expired")
        if max(issued, begins) - self._leeway_seconds > now:
            raise InvalidToken("not yet valid")


@contextmanager
def _refusals_logged() -> Iterator[None]:
    """Log why a token is refused, which its bearer is not told; never the token."""
    try:
        yield
    except InvalidToken as refused:
        _log.info("token refused: %s", refused.reason)
        raise


def _is_compact(token: object) -> bool:
    # Length first: the pattern must not run over a megabyte.
    return (
        isinstance(token, str)
        and len(token) <= _MAX_BYTES
        and _COMPACT.fullmatch(token) is not None
    )


def _time(value: object) -> int:
    if not is_time(value):
        raise InvalidToken("times")
    return value
