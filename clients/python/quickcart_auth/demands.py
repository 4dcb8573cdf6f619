"""What an endpoint asks of its caller, and what it answers who does not meet it."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

from quickcart_auth.errors import InvalidToken, Unavailable
from quickcart_auth.identity import Identity
from quickcart_auth.verifier import Verifier

PROBLEM_TYPE = "application/problem+json"
_RETRY_SECONDS = 1


class Denied(Exception):
    """No entry: a status, headers, and a problem document (RFC 9457)."""

    def __init__(
        self, status: int, code: str, title: str, headers: dict[str, str]
    ) -> None:
        super().__init__(code)
        self.status = status
        self.headers = headers
        self.problem: dict[str, Any] = {
            "type": "about:blank",
            "title": title,
            "status": status,
            "code": code,
        }


@dataclass(frozen=True, slots=True)
class Demand:
    """Logged in, as ``verifier`` sees it, and what is asked on top.

    ``role`` and ``scope`` name one each; ``max_age_seconds`` is how long ago the login
    may be; ``live`` asks the auth service whether the session is still alive.

    Raises:
        ValueError: ``live`` with a verifier that has no ``introspection``.
    """

    verifier: Verifier
    _: KW_ONLY
    role: str | None = None
    scope: str | None = None
    live: bool = False
    max_age_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.live and not self.verifier.can_ask:
            raise ValueError("live needs a verifier with an introspection")

    def check(self, authorization: str | None) -> Identity:
        """Return who sent an ``Authorization`` header (RFC 6750 2.1).

        Raises:
            Denied: the caller is not who is asked for, or nobody can tell.
        """
        token = _bearer(authorization)
        if token is None:
            raise _challenge(401, "invalid_token", "A login is needed", "Bearer")
        try:
            identity = self.verifier.verify(token, live=self.live)
        except InvalidToken:
            raise _bearer_error(
                401, "invalid_token", "The token is not valid"
            ) from None
        except Unavailable as error:
            headers = {"Retry-After": str(_RETRY_SECONDS)}
            title = "Nobody can tell whether the token is valid"
            raise Denied(503, "auth_unavailable", title, headers) from error
        self._hold(identity)
        return identity

    def _hold(self, identity: Identity) -> None:
        if self.scope is not None and self.scope not in identity.scopes:
            raise _bearer_error(
                403,
                "insufficient_scope",
                "The token does not allow this",
                f', scope="{self.scope}"',
            )
        if self.role is not None and self.role not in identity.roles:
            # RFC 6750 has no word of its own for roles.
            challenge = 'Bearer error="insufficient_scope"'
            title = "This needs another role"
            raise _challenge(403, "insufficient_role", title, challenge)
        limit = self.max_age_seconds
        age = self.verifier.seconds_since(identity.auth_time)
        if limit is not None and age > limit:
            # RFC 9470 3.
            raise _challenge(
                401,
                "fresh_login_required",
                "This needs a fresh login",
                'Bearer error="insufficient_user_authentication",'
                f' error_description="A fresh login is needed", max_age="{limit:.0f}"',
            )


def _bearer(authorization: str | None) -> str | None:
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def _bearer_error(status: int, code: str, title: str, more: str = "") -> Denied:
    return _challenge(status, code, title, f'Bearer error="{code}"{more}')


def _challenge(status: int, code: str, title: str, challenge: str) -> Denied:
    return Denied(status, code, title, {"WWW-Authenticate": challenge})
