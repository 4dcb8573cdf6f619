"""Who a request proves to come from: a person, a service client, or nobody yet."""

import base64
from collections.abc import Mapping
from urllib.parse import unquote_plus

from flask import Request

from backend.callers import Callers, is_public
from backend.composition.identity import Identity
from backend.errors import BodyError
from backend.forms import bad_form
from services.abuse.asking import Caller
from services.errors import (
    InsufficientScope,
    InvalidClient,
    InvalidToken,
    TokenMissing,
)
from services.identity.clients.service_clients import ServiceClient
from services.identity.people.records import Session

# RFC 7523 2.2.
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# Front ends often send the person's token with every request.
_LEAVE_OUT = (
    "Leave Authorization out here: people ask for codes without a token. Only a service"
    " sends one, its own, fresh from /api/token with scope otp:send."
)
_NEEDED = "A token is needed here: send it as Authorization: Bearer <token>."
_NOT_ALONE = (
    "Leave end_user_ip out, or send a service token with scope otp:send beside it."
)


class Credentials:
    """Reads the credentials of requests. Safe to share between threads."""

    def __init__(
        self, identity: Identity, callers: Callers, *, public_people: bool
    ) -> None:
        """``callers`` tells networks and storefronts apart.

        ``public_people``: the people that services act for come from the Internet.
        """
        self._identity = identity
        self._callers = callers
        self._public_people = public_people

    def person(self, request: Request) -> Session:
        """Return the live session of the bearer of an access token, in one round trip.

        Raises:
            InvalidToken: no good access token, or its session has ended.
            StoreUnavailable: Redis cannot be reached.
        """
        token = self._identity.tokens.check_access(bearer(request))
        return self._identity.sessions.find(token.session_id, token.subject)

    def client(self, request: Request, *, scope: str) -> ServiceClient:
        """Return the service client that bears a service token with ``scope``.

        Raises:
            InvalidToken: no good service token, or its client is gone.
            InsufficientScope: the token, or the client by now, does not have it.
            StoreUnavailable: Redis has been away for too long to know the clients.
        """
        token = self._identity.tokens.check_service(bearer(request))
        client = self._identity.clients.find_holder(token.client_id, token.issued_at)
        if client is None:
            raise InvalidToken
        if scope not in token.scopes or scope not in client.scopes:
            raise InsufficientScope
        return client

    def authenticate(
        self, request: Request, form: Mapping[str, str]
    ) -> ServiceClient | None:
        """Return the service client that proves who it is, None where none tries to.

        By client_secret_basic (RFC 6749 2.3.1) or private_key_jwt (RFC 7523 2.2).

        Raises:
            BodyError: both at once (RFC 6749 2.3).
            InvalidClient: it does not prove it.
            StoreUnavailable: Redis cannot be reached.
        """
        by_basic = _scheme(request) == "basic"
        by_assertion = "client_assertion" in form or "client_assertion_type" in form
        if by_basic + by_assertion + ("client_secret" in form) > 1:
            raise bad_form("client_assertion", "One way to authenticate only")
        if "client_secret" in form:
            # Secrets in bodies end up in logs; RFC 6749 2.3.1 advises against it.
            raise InvalidClient
        if by_basic:
            client_id, secret = _basic(request)
            client = self._identity.clients.check_secret(client_id, secret)
        elif by_assertion:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise InvalidClient
            client = self._identity.assertions.check(form.get("client_assertion", ""))
        else:
            return None
        if form.get("client_id", client.id) != client.id:
            raise InvalidClient
        return client

    def asker(
        self, request: Request, form: Mapping[str, str], *, scope: str
    ) -> ServiceClient | None:
        """Return the service client that asks, by a service token or as above.

        None where no credentials are shown.

        Raises:
            BodyError, InvalidClient, InvalidToken: they are not good.
            InsufficientScope: the client does not have ``scope``.
            StoreUnavailable: Redis cannot be reached.
        """
        if _scheme(request) == "bearer":
            return self.client(request, scope=scope)
        client = self.authenticate(request, form)
        if client is not None and scope not in client.scopes:
            raise InsufficientScope
        return client

    def caller(self, request: Request, end_user_ip: str | None) -> Caller:
        """Return who asks for a code: a storefront, or a service for a person.

        Whatever token is borne must be a service token with ``otp:send``. One that is
        not good is never passed over: the service's own address would be counted for
        all of its people.

        Raises:
            InvalidToken: not a good one, or none beside ``end_user_ip``.
            InsufficientScope: the service may not send.
            BodyError: in production, nobody can be at ``end_user_ip``.
            StoreUnavailable: Redis has been away for too long to know the clients.
        """
        if _scheme(request) != "bearer":
            if end_user_ip is not None:
                raise TokenMissing(detail=_NOT_ALONE)
            return self._callers.identify(request)
        try:
            client = self.client(request, scope="otp:send")
        except InvalidToken:
            raise InvalidToken(detail=_LEAVE_OUT) from None
        if end_user_ip and self._public_people and not is_public(end_user_ip):
            message = "Not an address on the Internet: leave it out if you have none"
            field = {"field": "end_user_ip", "message": message}
            raise BodyError("invalid_request", [field])
        return self._callers.on_behalf(request, client.id, end_user_ip)


def bearer(request: Request) -> str:
    """Return the bearer token (RFC 6750 2.1: from the header, never from the query).

    Raises:
        TokenMissing: there is none.
    """
    if _scheme(request) != "bearer":
        raise TokenMissing(detail=_NEEDED)
    return request.headers["Authorization"].partition(" ")[2].strip()


def _scheme(request: Request) -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _basic(request: Request) -> tuple[str, str]:
    """Return id and secret, both form-decoded as RFC 6749 2.3.1 has it."""
    encoded = request.headers["Authorization"].partition(" ")[2].strip()
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
        client_id, _, secret = pair.partition(":")
        return (
            unquote_plus(client_id, errors="strict"),
            unquote_plus(secret, errors="strict"),
        )
    except ValueError:
        raise InvalidClient from None
