"""Access tokens (RFC 9068) and verification tokens: what other services check."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol, OKPKey, RSAKey

from services.errors import InvalidToken
from services.identity.keys.signing_keys import JWS, SigningKey, SigningKeys
from services.identity.people.records import Session, shows_phone
from utils.clock import Clock
from utils.crypto import random_text

_ACCESS = "at+jwt"
_VERIFICATION = "verification+jwt"
_ID_BYTES = 16

# RFC 8725 3.10: a key id is hostile until it is found. Ours are thumbprints.
_KID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
# Ours are below 1 KiB; what is longer is not parsed.
_MAX_CHARACTERS = 8_192

# A little skew between machines is normal; RFC 7519 4.1.4 allows "a few minutes".
_LEEWAY_SECONDS = 30

# Whole numbers below it are the same to every reader of JSON (RFC 8259 6).
_TIME_END = 2**53

# Tokens come again and again in their ten minutes, and checking a signature takes
# longer than all the rest. So many are remembered, in a few megabytes.
_MAX_REMEMBERED = 4_096

# What every access token has, and never empty.
_NAMES = ("sub", "aud", "client_id", "jti")

# A code to a phone is one factor, whatever the way: NIST SP 800-63B AAL1.
ACR = "aal1"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a person's access token says, after it was found good. Unix seconds."""

    id: str
    subject: str
    session_id: str
    client_id: str
    audience: str
    scope: str
    roles: list[str]
    issued_at: int
    expires_at: int
    expires_in: int

    @property
    def shows_phone(self) -> bool:
        """Whether its bearer may know the phone number."""
        return shows_phone(self.scope)


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What a service client's access token says, after it was found good."""

    id: str
    client_id: str
    scopes: list[str]
    issued_at: int
    expires_at: int


class Tokens:
    """Issues tokens and checks its own. Safe to share between threads.

    Every method raises ``StoreUnavailable`` while no signing key is known.
    """

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        audiences: Mapping[str, str] | None = None,
        ttl_seconds: int,
        clock: Clock,
    ) -> None:
        """``audience`` is who should accept the tokens; ``ttl_seconds`` their life.

        ``audiences`` has other ones, by client.
        """
        self._keys = keys
        self._audience = audience
        self._audiences = dict(audiences or {})
        self._own_audiences = frozenset((audience, *self._audiences.values()))
        self._clock = clock
        # Claims by token, with the key that signed them.
        self._remembered: dict[str, tuple[SigningKey, dict[str, Any]]] = {}
        self.issuer = issuer
        self.ttl_seconds = ttl_seconds

    def audience_of(self, client_id: str) -> str:
        """Return for whom the tokens are that a client gets."""
        return self._audiences.get(client_id, self._audience)

    def issue_access(self, session: Session, *, phone: str | None = None) -> str:
        """Return the access token of a session, with ``phone`` if its scope has it."""
        claims = {
            "aud": self.audience_of(session.client_id),
            "sub": session.subject,
            "client_id": session.client_id,
            "sid": session.id,
            "auth_time": session.created,
            "amr": [session.amr],
            "acr": ACR,
            "scope": session.scope,
            "roles": session.roles,
        }
        if phone is not None and session.shows_phone:
            claims |= {"phone_number": phone, "phone_number_verified": True}
        return self._sign(_ACCESS, claims)

    def issue_service(self, client_id: str, scopes: Collection[str]) -> str:
        """Return the access token of a service client, good for us alone."""
        claims = {
            "aud": self.issuer,
            "sub": client_id,
            "client_id": client_id,
            "scope": " ".join(scopes),
        }
        return self._sign(_ACCESS, claims)

    def issue_verification(
        self, *, subject: str, e164: str, client_id: str, amr: str = "sms"
    ) -> str:
        """Return the receipt that a phone was just verified, for other services."""
        return self._sign(
            _VERIFICATION,
            {
                "aud": f"{self.audience_of(client_id)}/verification",
                "sub": subject,
                "client_id": client_id,
                "purpose": "verify",
                "phone_number": e164,
                "phone_number_verified": True,
                "auth_time": int(self._clock.now()),
                "amr": [amr],
                "acr": ACR,
            },
        )

    def check(self, token: str) -> AccessToken | ServiceToken:
        """Return what a good access token of ours says, a person's or a service's.

        Raises:
            InvalidToken: malformed, forged, expired, another audience or another kind.
        """
        claims = self._read(token)
        # Signed with our key, and it may still not be what we write.
        if not all(claims.get(name) and _is_text(claims[name]) for name in _NAMES):
            raise InvalidToken
        if not _is_text(claims.get("scope")):
            raise InvalidToken
        return self._access(claims) if "sid" in claims else self._service(claims)

    def check_access(self, token: str) -> AccessToken:
        """Return what a good access token of a person says.

        Raises:
            InvalidToken: as ``check``, or it is a service client's.
        """
        found = self.check(token)
        if not isinstance(found, AccessToken):
            raise InvalidToken
        return found

    def check_service(self, token: str) -> ServiceToken:
        """Return what a good access token of a service client says.

        Raises:
            InvalidToken: as ``check``, or it is a person's.
        """
        found = self.check(token)
        if not isinstance(found, ServiceToken):
            raise InvalidToken
        return found

    def _access(self, claims: Mapping[str, Any]) -> AccessToken:
        roles = claims.get("roles")
        if not (
            claims["aud"] in self._own_audiences
            and _is_text(claims["sid"])
            and _is_time(claims.get("auth_time"))
            and isinstance(roles, list)
            and all(map(_is_text, roles))
        ):
            raise InvalidToken
        return AccessToken(
            id=claims["jti"],
            subject=claims["sub"],
            session_id=claims["sid"],
            client_id=claims["client_id"],
            audience=claims["aud"],
            scope=claims["scope"],
            roles=roles,
            issued_at=claims["iat"],
            expires_at=claims["exp"],
            expires_in=max(0, claims["exp"] - int(self._clock.now())),
        )

    def _service(self, claims: Mapping[str, Any]) -> ServiceToken:
        if claims["aud"] != self.issuer or claims["sub"] != claims["client_id"]:
            raise InvalidToken
        return ServiceToken(
            id=claims["jti"],
            client_id=claims["client_id"],
            scopes=claims["scope"].split(),
            issued_at=claims["iat"],
            expires_at=claims["exp"],
        )

    def _read(self, token: str) -> dict[str, Any]:
        """Return the claims of an access token that we signed and that is in time."""
        key, claims = self._remembered.get(token, (None, {}))
        # A key may be retired at any time, and may be read anew.
        if key is None or self._keys.find(key.kid) is not key:
            claims = self._verify(token)
        is_ours = claims.get("iss") == self.issuer
        is_for_one = isinstance(claims.get("aud"), str)
        if not (is_ours and is_for_one and self._is_in_time(claims)):
            raise InvalidToken
        return claims

    def _verify(self, token: str) -> dict[str, Any]:
        """Return the claims that one of our keys signed."""
        if len(token) > _MAX_CHARACTERS:
            raise InvalidToken
        try:
            found = jwt.decode(token, self._find_key, registry=JWS)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken from error
        key = self._keys.find(found.header["kid"])
        if key is None:
            raise InvalidToken
        if len(self._remembered) >= _MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = key, found.claims
        return found.claims

    def _is_in_time(self, claims: Mapping[str, Any]) -> bool:
        now = self._clock.now()
        times = [claims.get("iat"), claims.get("nbf", 0), claims.get("exp")]
        if not all(map(_is_time, times)):
            return False
        issued, not_before, expires = times
        begins = max(issued, not_before)
        return bool(begins - _LEEWAY_SECONDS <= now < expires + _LEEWAY_SECONDS)

    def _find_key(self, found: GuestProtocol) -> ECKey | OKPKey | RSAKey:
        """Return the key that a token names, if it may be checked with it.

        The key decides the algorithm (RFC 8725 3.1). Keys and addresses in the header
        are nobody's business; extensions that must be understood (``crit``, RFC 7515
        4.1.11) are not.
        """
        header = found.headers()
        kid = header.get("kid")
        is_ours = header.get("typ") == _ACCESS and "crit" not in header
        if not (is_ours and isinstance(kid, str) and _KID.fullmatch(kid)):
            raise InvalidToken
        key = self._keys.find(kid)
        if key is None or header.get("alg") != key.algorithm:
            raise InvalidToken
        return key.key

    def _sign(self, kind: str, claims: dict[str, Any]) -> str:
        key, now = self._keys.active(), int(self._clock.now())
        header = {"alg": key.algorithm, "typ": kind, "kid": key.kid}
        standard = {
            "iss": self.issuer,
            "iat": now,
            "exp": now + self.ttl_seconds,
            "jti": random_text(_ID_BYTES),
        }
        return jwt.encode(header, standard | claims, key.key, registry=JWS)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_time(value: object) -> TypeGuard[int]:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value < _TIME_END
