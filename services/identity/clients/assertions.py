"""private_key_jwt: a service client proves who it is by what it signs (RFC 7523).

Key ``jti:<22 characters>``, a string, marks an assertion that was used: a keyed MAC of
the client and the assertion's ``jti`` names it, and the request that used it is its
value. TTL: as long as the assertion could be good.
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError

from services.errors import InvalidClient
from services.identity.clients.public_keys import PublicKey
from services.identity.clients.service_clients import ServiceClient, ServiceClients
from services.identity.keys.signing_keys import (
    JWS,
    generate_signing_key,
    read_signing_key,
)
from services.outcomes import ClientOutcome
from services.scripts import Call, Script, ScriptRunner
from utils.clock import Clock
from utils.crypto import from_base64url, mac_text, random_text

_USED = Script.load(Path(__file__).with_name("assertion_used.lua"))

_METHOD: Final = "private_key_jwt"

# RFC 7523 3 lets us refuse an expiry "unreasonably far in the future".
_LIFE_SECONDS = 300
# A little skew between machines is normal; RFC 7519 4.1.4 allows "a few minutes".
_LEEWAY_SECONDS = 30

# No type is asked for (RFC 7523), but one of another kind is another thing's.
_TYPES = frozenset({None, "jwt", "client-authentication+jwt"})
_MAX_JTI = 256
_NAME_BYTES = 16
_OP_BYTES = 6


class Assertions:
    """Checks what clients sign, each once. Safe to share between threads."""

    def __init__(
        self,
        clients: ServiceClients,
        scripts: ScriptRunner,
        *,
        audiences: Collection[str],
        key: bytes,
        clock: Clock,
    ) -> None:
        """``audiences``: what we are called in them; ``key`` names used ones."""
        self._clients = clients
        self._scripts = scripts
        self._audiences = frozenset(audiences)
        self._key = key
        self._clock = clock
        # What an unknown client's signature is checked with: it takes as long.
        nobody = read_signing_key(generate_signing_key("ES256"))
        self._nobody = PublicKey(nobody.kid, nobody.algorithm, nobody.key)

    def check(self, assertion: str) -> ServiceClient:
        """Return the client that signed an assertion which was not used before.

        Raises:
            InvalidClient: malformed, forged, expired, used, or an unknown client's.
            StoreUnavailable: Redis cannot be reached.
        """
        header, claims = _peek(assertion, 0), _peek(assertion, 1)
        client_id = claims.get("sub")
        client = None
        if isinstance(client_id, str):
            client = self._clients.look_up(client_id)
        signed = self._is_signed(assertion, header, client)
        outcome: ClientOutcome
        claim = ""
        if client is None:
            outcome = "unknown"
        elif not signed:
            outcome = "wrong_signature"
        elif self._clients.is_over(client):
            outcome = "expired"
        elif claim := self._wrong_claim(claims, client):
            outcome = "wrong_claims"
        elif not self._take_use(client, claims):
            outcome = "replayed"
        else:
            self._clients.tell_checked(client, _METHOD, "ok")
            return client
        self._clients.tell_checked(client, _METHOD, outcome, claim=claim)
        raise InvalidClient

    def _is_signed(
        self, assertion: str, header: dict[str, Any], client: ServiceClient | None
    ) -> bool:
        kid, kind = header.get("kid"), header.get("typ")
        if not (kind is None or isinstance(kind, str)):
            return False
        fitting = [
            it
            for it in (client.public_keys if client else ())
            if it.algorithm == header.get("alg") and kid in (None, it.kid)
        ]
        found = [_verifies(it, assertion) for it in fitting or [self._nobody]]
        return any(found) and (kind and kind.lower()) in _TYPES

    def _wrong_claim(self, claims: dict[str, Any], client: ServiceClient) -> str:
        """Name the first claim by which it is not for us, or not now; "" if it is."""
        audience, jti = claims.get("aud"), claims.get("jti")
        # One audience: an assertion for several could be handed on by one of them.
        if isinstance(audience, list) and len(audience) == 1:
            audience = audience[0]
        if claims.get("iss") != client.id:
            return "iss"
        if not (isinstance(audience, str) and audience in self._audiences):
            return "aud"
        if not (isinstance(jti, str) and 0 < len(jti) <= _MAX_JTI):
            return "jti"
        return self._wrong_time(claims)

    def _wrong_time(self, claims: dict[str, Any]) -> str:
        now = self._clock.now()
        if not _is_time(claims.get("exp")):
            return "exp"
        for name in ("iat", "nbf"):
            begin = claims.get(name, 0)
            if not (_is_time(begin) and begin <= now + _LEEWAY_SECONDS):
                return name
        end = _end_of(claims)
        if -_LEEWAY_SECONDS < end - now <= _LIFE_SECONDS + _LEEWAY_SECONDS:
            return ""
        return "exp" if end == claims["exp"] else "iat"

    def _take_use(self, client: ServiceClient, claims: dict[str, Any]) -> bool:
        name = mac_text(self._key, client.id, claims["jti"], size=_NAME_BYTES)
        left = _end_of(claims) + _LEEWAY_SECONDS - self._clock.now()
        arguments = {
            "op": random_text(_OP_BYTES),
            "ttl_ms": max(1, math.ceil(left * 1000)),
        }
        reply = self._scripts.run(Call(_USED, [f"jti:{name}"], arguments))
        return bool(reply["fresh"])


def _end_of(claims: dict[str, Any]) -> float:
    """Return until when an assertion is good: for minutes, whatever it says.

    Usual clients sign for an hour and use it at once.
    """
    if "iat" not in claims:
        return float(claims["exp"])
    return float(min(claims["exp"], claims["iat"] + _LIFE_SECONDS))


def _verifies(key: PublicKey, assertion: str) -> bool:
    try:
        jwt.decode(assertion, key.key, registry=JWS)
    except (JoseError, ValueError, TypeError, RecursionError):
        return False
    return True


def _peek(assertion: str, index: int) -> dict[str, Any]:
    """Read a part that nothing vouches for yet; empty where it cannot be read."""
    try:
        found = orjson.loads(from_base64url(assertion.split(".")[index]))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_time(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )
