"""What people do with their logins: see them, end them."""

from flask import Blueprint, Response, request

from backend.body import read_body
from backend.callers import Callers
from backend.composition.identity import Identity
from backend.cookies import clear_refresh_cookie, read_refresh_cookie
from backend.credentials import Credentials, bearer
from backend.responses import json_response
from backend.schemas.people import (
    LogoutRequest,
    MeResponse,
    SessionInList,
    SessionsResponse,
    SessionView,
    User,
)
from services.errors import InvalidToken, NotFound
from services.identity.people.records import Session
from utils.phone import masked

# To the second it would tell who stole a token when its owner refreshes, and so when
# to use the token before once more, unseen.
_USED_SECONDS = 3_600


def people_routes(
    identity: Identity, credentials: Credentials, callers: Callers
) -> Blueprint:
    """Return the routes of people who are logged in."""
    routes = Blueprint("people", __name__)

    @routes.get("/api/me")
    def me() -> Response:
        token = identity.tokens.check_access(bearer(request))
        session = identity.sessions.find(token.session_id, token.subject)
        phone = identity.sessions.phone_of(session)
        if not token.shows_phone:
            phone = masked(phone)
        return json_response(
            MeResponse(
                user=User(id=session.subject, phone=phone, roles=session.roles),
                session=SessionView(
                    id=session.id,
                    device=session.device,
                    created_at=session.created,
                    expires_in=token.expires_in,
                ),
            )
        )

    @routes.get("/api/sessions")
    def sessions() -> Response:
        own = credentials.person(request)
        found = identity.sessions.all_of(own.tag)
        shown = [_in_list(it, own) for it in found]
        # By what is shown: the order must not tell more.
        shown.sort(key=lambda it: (it.last_used_at, it.created_at), reverse=True)
        return json_response(SessionsResponse(sessions=shown))

    @routes.delete("/api/sessions/<session_id>")
    def end_session(session_id: str) -> Response:
        own = credentials.person(request)
        is_own = session_id.startswith(own.tag)
        if not (is_own and identity.sessions.end(session_id, "logout")):
            raise NotFound
        return _gone(own.client_id if session_id == own.id else None)

    @routes.post("/api/logout")
    def logout() -> Response:
        try:
            token = identity.tokens.check_access(bearer(request))
        except InvalidToken:
            return _log_out_by_refresh_token(identity, callers)
        identity.sessions.end(token.session_id, "logout")
        return _gone(token.client_id)

    @routes.post("/api/logout-all")
    def logout_all() -> Response:
        own = credentials.person(request)
        identity.sessions.end_all(own.tag, "logout_all")
        return _gone(own.client_id)

    return routes


def _in_list(session: Session, own: Session) -> SessionInList:
    return SessionInList(
        id=session.id,
        device=session.device,
        client=session.client_id,
        created_at=session.created,
        last_used_at=max(session.created, session.used - session.used % _USED_SECONDS),
        current=session.id == own.id,
    )


def _log_out_by_refresh_token(identity: Identity, callers: Callers) -> Response:
    """End the session of a refresh token, in the cookie or in the body.

    Access tokens live for minutes, so it may be all that is left. Whoever holds one may
    end its session; a cookie is only good for the storefront that it is of.

    Raises:
        InvalidToken: there is none, or the cookie is another storefront's.
    """
    storefront = callers.storefront_of(request)
    cookie = read_refresh_cookie(request, callers, storefront)
    read = identity.sessions.read_token(cookie or _refresh_token_in_body())
    if read is None:
        raise InvalidToken
    session_id, _ = read
    if cookie is None:
        identity.sessions.end(session_id, "logout")
        return _gone()
    identity.sessions.end(session_id, "logout", client_id=storefront)
    return _gone(storefront)


def _refresh_token_in_body() -> str:
    if request.mimetype != "application/json":
        raise InvalidToken
    return read_body(request, LogoutRequest).refresh_token


def _gone(client_id: str | None = None) -> Response:
    """Answer that it is done; the browser forgets its token of ``client_id``, too."""
    response = Response(status=204)
    # Of nothing there is no type.
    del response.headers["Content-Type"]
    if client_id is not None:
        clear_refresh_cookie(response, client_id)
    return response
