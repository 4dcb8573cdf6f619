"""The refresh token in a cookie: for pages that should never hold it in a script."""

import hashlib

from flask import Request, Response

from backend.callers import Callers

# The prefix __Host- makes browsers insist on Secure, Path=/ and no Domain, so that no
# other host of the site can set or get it (draft-ietf-httpbis-rfc6265bis 4.1.3.2).
_PREFIX = "__Host-qc_refresh-"
_NAME_CHARACTERS = 8

# What a page of another site cannot send without asking first, by CORS, which it is
# not allowed (OWASP CSRF Prevention, "Custom Request Headers").
_HEADER = "X-Requested-With"
_HEADER_VALUE = "QuickCart"


def refresh_cookie(client_id: str) -> str:
    """Name the cookie of a client: browsers keep those of all storefronts side by side.

    A short name is enough, as what it holds says again whose it is.
    """
    digest = hashlib.sha256(client_id.encode()).hexdigest()
    return _PREFIX + digest[:_NAME_CHARACTERS]


def read_refresh_cookie(
    request: Request, callers: Callers, client_id: str
) -> str | None:
    """Return the refresh token in a client's cookie; None without it.

    None also without ``X-Requested-With: QuickCart``, and for pages that are none of
    ours: the browser alone sends cookies, only our own front ends send that.
    """
    if request.headers.get(_HEADER) != _HEADER_VALUE or callers.is_foreign(request):
        return None
    return request.cookies.get(refresh_cookie(client_id)) or None


def set_refresh_cookie(
    response: Response, client_id: str, token: str, max_age: int
) -> None:
    """Give the browser the token for ``max_age`` seconds, out of scripts' reach."""
    _set(response, client_id, token, max_age)


def clear_refresh_cookie(response: Response, client_id: str) -> None:
    """Have the browser forget the token."""
    _set(response, client_id, "", 0)


def _set(response: Response, client_id: str, value: str, max_age: int) -> None:
    response.set_cookie(
        refresh_cookie(client_id),
        value,
        max_age=max_age,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
