"""Access tokens (RFC 9068) and verification tokens: what other services check."""

from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from services.errors import InvalidToken
from services.identity.keys import SigningKeys
from services.identity.sessions import Session
from utils.clock import Clock
from utils.crypto import random_text

_ALGORITHM = "ES256"
_ACCESS = "at+jwt"
_VERIFICATION = "verification+jwt"
_ID_BYTES = 16

# A little skew between machines is normal; RFC 7519 4.1.4 allows "a few minutes".
_LEEWAY_SECONDS = 30

# SMS is one factor, whatever else: NIST SP 800-63B AAL1, RFC 8176 "sms".
_AMR = ["sms"]
_ACR = "aal1"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says, after it was found good."""

    subject: str
    session_id: str
    expires_in: int
    scope: str
    roles: list[str]


class Tokens:
    """Issues tokens and checks its own. Safe to share between threads."""

    def __init__(
        self,
        keys: SigningKeys,
        *,
        issuer: str,
        audience: str,
        ttl_seconds: int,
        clock: Clock,
    ) -> None:
        """``audience`` is who should accept the tokens; ``ttl_seconds`` their life."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self.ttl_seconds = ttl_seconds
        self._registry = JWSRegistry(algorithms=[_ALGORITHM])

    def issue_access(self, session: Session, *, client_id: str) -> str:
        """Return the access token of a session; the phone is not in it."""
        return self._sign(
            _ACCESS,
            {
                "sub": session.subject,
                "client_id": client_id,
                "sid": session.id,
                "auth_time": session.created,
                "amr": _AMR,
                "acr": _ACR,
                "scope": "",
                "roles": session.roles,
            },
        )

    def issue_verification(self, *, subject: str, e164: str, client_id: str) -> str:
        """Return the receipt that a phone was just verified, for other services."""
        return self._sign(
            _VERIFICATION,
            {
                "sub": subject,
                "client_id": client_id,
                "purpose": "verify",
                "phone_number": e164,
                "phone_number_verified": True,
                "auth_time": int(self._clock.now()),
                "amr": _AMR,
                "acr": _ACR,
            },
        )

    def check_access(self, token: str) -> AccessToken:
        """Return what a good access token of ours says.

        Raises:
            InvalidToken: malformed, forged, expired, another audience or another kind.
        """
        try:
            found = jwt.decode(token, self._keys.verifying, registry=self._registry)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken from error
        claims, now = found.claims, self._clock.now()
        good = (
            found.header.get("typ") == _ACCESS
            and claims.get("iss") == self._issuer
            and claims.get("aud") == self._audience
            and _is_time(claims.get("exp"))
            and claims["exp"] + _LEEWAY_SECONDS > now
        )
        if not good:
            raise InvalidToken
        return AccessToken(
            subject=claims["sub"],
            session_id=claims["sid"],
            expires_in=max(0, int(claims["exp"] - now)),
            scope=claims["scope"],
            roles=claims["roles"],
        )

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        return self._keys.jwks()

    def _sign(self, kind: str, claims: dict[str, Any]) -> str:
        now = int(self._clock.now())
        header = {"alg": _ALGORITHM, "typ": kind, "kid": self._keys.signing.kid}
        standard = {
            "iss": self._issuer,
            "aud": self._audience,
            "iat": now,
            "exp": now + self.ttl_seconds,
            "jti": random_text(_ID_BYTES),
        }
        return jwt.encode(
            header, standard | claims, self._keys.signing, registry=self._registry
        )


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
