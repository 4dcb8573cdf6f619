"""The answer to a won login, in token mode or in cookie mode."""

from flask import Response

from backend.composition.identity import Identity
from backend.cookies import set_refresh_cookie
from backend.responses import json_response
from services.identity.people.records import Session


def login_response(
    identity: Identity,
    session: Session,
    e164: str,
    *,
    first: bool,
    by_cookie: bool,
) -> Response:
    """Show a login (``people_schemas.LoginResponse``).

    With ``by_cookie`` the refresh token is in a cookie, and nowhere in the body.
    """
    refresh_token = identity.sessions.refresh_token_of(session)
    refresh_expires_in = session.expires_in
    body: dict[str, object] = {
        "verified": True,
        "access_token": identity.tokens.issue_access(
            session, phone=e164 if session.scope == "phone" else None
        ),
        "token_type": "Bearer",
        "expires_in": identity.tokens.ttl_seconds,
        "refresh_expires_in": refresh_expires_in,
        "user": {
            "id": session.subject,
            "phone": e164,
            "roles": session.roles,
            "first_login": first,
        },
    }
    if not by_cookie:
        body["refresh_token"] = refresh_token
    response = json_response(body)
    if by_cookie:
        set_refresh_cookie(response, refresh_token, refresh_expires_in)
    return response
