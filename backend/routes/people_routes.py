"""What people do with their logins: see them, end them."""

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.composition.identity import Identity
from backend.cookies import clear_refresh_cookie, read_refresh_cookie
from backend.credentials import Credentials, bearer
from backend.responses import json_response
from backend.schemas.otp import User
from backend.schemas.people import (
    LogoutRequest,
    MeResponse,
    SessionInList,
    SessionsResponse,
    SessionView,
)
from services.errors import InvalidToken, NotFound
from services.identity.people.records import Session

# When somebody was where is nobody's business to the second, not even their own.
_USED_SECONDS = 60


def people_routes(identity: Identity, credentials: Credentials) -> Blueprint:
    """Return the routes of people who are logged in."""
    routes = Blueprint("people", __name__)

    @routes.get("/api/me")
    def me() -> Response:
        token = identity.tokens.check_access(bearer(request))
        session = identity.sessions.find(token.session_id, token.subject)
        return json_response(
            MeResponse(
                user=User(
                    id=session.subject,
                    phone=identity.sessions.phone_of(session),
                    roles=session.roles,
                ),
                session=SessionView(
                    id=session.id,
                    device=session.device,
                    created_at=session.created,
                    expires_in=max(0, token.expires_at - int(identity.clock.now())),
                ),
            )
        )

    @routes.get("/api/sessions")
    def sessions() -> Response:
        own = credentials.person(request)
        found = identity.sessions.all_of(own.tag)
        found.sort(key=lambda it: it.used, reverse=True)
        return json_response(
            SessionsResponse(sessions=[_in_list(it, own) for it in found])
        )

    @routes.delete("/api/sessions/<session_id>")
    def end_session(session_id: str) -> Response:
        own = credentials.person(request)
        is_own = session_id.startswith(own.tag)
        if not (is_own and identity.sessions.end(session_id, "logout")):
            raise NotFound
        return _gone(forget=session_id == own.id)

    @routes.post("/api/logout")
    def logout() -> Response:
        identity.sessions.end(_session_held(identity), "logout")
        return _gone(forget=True)

    @routes.post("/api/logout-all")
    def logout_all() -> Response:
        own = credentials.person(request)
        identity.sessions.end_all(own.tag, "logout_all")
        return _gone(forget=True)

    return routes


def _in_list(session: Session, own: Session) -> SessionInList:
    return SessionInList(
        id=session.id,
        device=session.device,
        client=session.client_id,
        created_at=session.created,
        last_used_at=session.used - session.used % _USED_SECONDS,
        current=session.id == own.id,
    )


def _session_held(identity: Identity) -> str:
    """Return the session that the request can show a token of, alive or not.

    An access token; or, as that lives for minutes, a refresh token: in the cookie, or
    in the body. Whoever holds one may end it.

    Raises:
        InvalidToken: it shows none.
    """
    try:
        return identity.tokens.check_access(bearer(request)).session_id
    except InvalidToken:
        token = read_refresh_cookie(request) or _refresh_token_in_body()
        held = identity.sessions.read(token) if token else None
        if held is None:
            raise
        return held[0]


def _refresh_token_in_body() -> str | None:
    if request.mimetype != "application/json":
        return None
    return read_body(request, LogoutRequest).refresh_token


def _gone(*, forget: bool) -> Response:
    """Answer that it is done; ``forget``: have the browser forget its token, too."""
    response = Response(status=204)
    if forget:
        clear_refresh_cookie(response)
    return response
