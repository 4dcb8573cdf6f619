"""OAuth 2: renew a session, get a service token, ask about a token, end one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from flask import Blueprint, Response, after_this_request, request

from backend.callers import DIRECT, Callers
from backend.composition.identity import Identity
from backend.cookies import clear_refresh_cookie, read_refresh_cookie
from backend.credentials import Credentials
from backend.errors import BodyError
from backend.forms import bad_form, read_form, required
from backend.logins import token_response
from backend.responses import json_response
from services.errors import InvalidClient, InvalidGrant, InvalidScope
from services.identity.clients.service_clients import CLIENT_ID

# The whole answer for every token that is not a live one of the client's audiences
# (RFC 7662 2.2): to tell them apart would tell what is none of its business.
_INACTIVE = {"active": False}

_NOTHING_TO_RENEW = (
    "Send it, or the cookie with X-Requested-With: QuickCart, from a page of"
    " STOREFRONT_ORIGINS"
)


def oauth_routes(
    identity: Identity, credentials: Credentials, callers: Callers
) -> Blueprint:
    """Return the routes that OAuth clients call."""
    routes = Blueprint("oauth", __name__)
    grants = _Grants(identity, credentials, callers)

    @routes.post("/api/token")
    def token() -> Response:
        form = read_form(request)
        match required(form, "grant_type"):
            case "refresh_token":
                return grants.refresh(form)
            case "client_credentials":
                return grants.client_credentials(form)
            case _:
                raise BodyError("unsupported_grant_type")

    @routes.post("/api/token/introspect")
    def introspect() -> Response:
        form = read_form(request)
        client = credentials.asker(request, form, scope="token:introspect")
        if client is None:
            raise InvalidClient
        found = identity.introspection.look(required(form, "token"), client)
        return json_response(found or _INACTIVE)

    @routes.post("/api/token/revoke")
    def revoke() -> Response:
        form = read_form(request)
        client = credentials.asker(request, form, scope="token:revoke")
        if not identity.introspection.end(required(form, "token"), client):
            raise BodyError("unsupported_token_type")
        return Response(status=200)

    return routes


class _Grants:
    """What a token is given for."""

    def __init__(
        self, identity: Identity, credentials: Credentials, callers: Callers
    ) -> None:
        self._identity = identity
        self._credentials = credentials
        self._callers = callers

    def refresh(self, form: Mapping[str, str]) -> Response:
        """Renew a session; the refresh token comes in the form, or in the cookie."""
        client_id = self._client_of(form)
        token = form.get("refresh_token")
        if token is not None:
            return self._renewed(token, form, client_id, by_cookie=False)
        client_id = client_id or DIRECT
        cookie = read_refresh_cookie(request, self._callers, client_id)
        if cookie is None:
            raise bad_form("refresh_token", _NOTHING_TO_RENEW)
        try:
            return self._renewed(cookie, form, client_id, by_cookie=True)
        except InvalidGrant as refusal:
            if not refusal.session_lives:
                after_this_request(_without_cookie(client_id))
            raise

    def client_credentials(self, form: Mapping[str, str]) -> Response:
        """Give a service client a token for our own endpoints."""
        client = self._credentials.authenticate(request, form)
        if client is None:
            raise InvalidClient
        scopes = _wanted(form, client.scopes)
        tokens = self._identity.tokens
        return json_response(
            {
                "access_token": tokens.issue_service(client.id, scopes),
                "token_type": "Bearer",
                "expires_in": tokens.ttl_seconds,
                "scope": " ".join(scopes),
            }
        )

    def _client_of(self, form: Mapping[str, str]) -> str | None:
        """Return whose session it must be; None where the request does not tell.

        Raises:
            InvalidClient: a service client that does not prove who it is (RFC 6749 6).
            InvalidGrant: a page of one storefront that names another.
        """
        client = self._credentials.authenticate(request, form)
        if client is not None:
            return client.id
        named = form.get("client_id")
        if named is not None and CLIENT_ID.fullmatch(named):
            raise InvalidClient
        storefront = self._callers.storefront_of(request)
        if storefront == DIRECT:
            return named
        if named not in (None, storefront):
            raise InvalidGrant
        return storefront

    def _renewed(
        self,
        token: str,
        form: Mapping[str, str],
        client_id: str | None,
        *,
        by_cookie: bool,
    ) -> Response:
        scopes = form["scope"].split(" ") if "scope" in form else []
        session = self._identity.sessions.refresh(
            token, client_id=client_id, scopes=scopes
        )
        scope = " ".join(sorted(set(scopes))) if scopes else session.scope
        session = replace(session, scope=scope)
        return token_response(self._identity, session, by_cookie=by_cookie, scope=scope)


def _wanted(form: Mapping[str, str], granted: Collection[str]) -> list[str]:
    """Return the scopes that are asked for, all of them unless some are named.

    Raises:
        InvalidScope: one was not granted (RFC 6749 6).
    """
    wanted = form.get("scope", "").split(" ") if "scope" in form else granted
    if not set(wanted) <= set(granted):
        raise InvalidScope
    return sorted(set(wanted))


def _without_cookie(client_id: str) -> Callable[[Response], Response]:
    def clear(response: Response) -> Response:
        clear_refresh_cookie(response, client_id)
        return response

    return clear
