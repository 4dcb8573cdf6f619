"""The refresh token in a cookie: for pages that should never hold it in a script."""

from flask import Request, Response

# The prefix __Host- makes browsers insist on Secure, Path=/ and no Domain, so that no
# other host of the site can set or get it (draft-ietf-httpbis-rfc6265bis 4.1.3.2).
REFRESH_COOKIE = "__Host-qc_refresh"

# What a page of another site cannot send without asking first, by CORS, which it is
# not allowed (OWASP CSRF Prevention, "Custom Request Headers").
_HEADER = "X-Requested-With"
_HEADER_VALUE = "QuickCart"


def read_refresh_cookie(request: Request) -> str | None:
    """Return the refresh token of the cookie; None without it.

    None also without ``X-Requested-With: QuickCart``: the browser alone sends cookies,
    only our own front ends send that.
    """
    if request.headers.get(_HEADER) != _HEADER_VALUE:
        return None
    return request.cookies.get(REFRESH_COOKIE) or None


def set_refresh_cookie(response: Response, token: str, max_age: int) -> None:
    """Give the browser the token for ``max_age`` seconds, out of scripts' reach."""
    _set(response, token, max_age)


def clear_refresh_cookie(response: Response) -> None:
    """Have the browser forget the token."""
    _set(response, "", 0)


def _set(response: Response, value: str, max_age: int) -> None:
    response.set_cookie(
        REFRESH_COOKIE,
        value,
        max_age=max_age,
        path="/",
        secure=True,
        httponly=True,
        samesite="Strict",
    )
