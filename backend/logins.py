"""The tokens of a session, in token mode or in cookie mode."""

from flask import Response

from backend.composition.identity import Identity
from backend.cookies import set_refresh_cookie
from backend.responses import json_response
from services.abuse.devices import DeviceTokens
from services.identity.people.records import Session


def login_response(
    identity: Identity,
    session: Session,
    e164: str,
    *,
    devices: DeviceTokens,
    first: bool,
    by_cookie: bool,
) -> Response:
    """Show a login (``schemas.otp.LoginResponse``), with a token for its device."""
    user = {
        "id": session.subject,
        "phone": e164,
        "roles": session.roles,
        "first_login": first,
    }
    # Redis's time, as the session was read by it, and a second more at most.
    at = session.ends - session.expires_in
    return token_response(
        identity,
        session,
        by_cookie=by_cookie,
        verified=True,
        device_token=devices.issue(session.tag, at=at),
        user=user,
    )


def token_response(
    identity: Identity, session: Session, *, by_cookie: bool, **more: object
) -> Response:
    """Give out the tokens of a session, with ``more`` in the body.

    With ``by_cookie`` the refresh token is in a cookie, and nowhere in the body.
    """
    sessions, tokens = identity.sessions, identity.tokens
    refresh_token = sessions.refresh_token_of(session)
    body: dict[str, object] = {
        "access_token": tokens.issue_access(
            session, phone=sessions.phone_of(session) if session.shows_phone else None
        ),
        "token_type": "Bearer",
        "expires_in": tokens.ttl_seconds,
        "refresh_expires_in": session.expires_in,
        **more,
    }
    if not by_cookie:
        body["refresh_token"] = refresh_token
    response = json_response(body)
    if by_cookie:
        set_refresh_cookie(
            response, session.client_id, refresh_token, session.expires_in
        )
    return response
