"""The live truth about a token, for service clients (RFC 7662), and its end (RFC 7009).

A client learns about tokens for its own audiences alone; every other one is as unknown
to it as one that was made up (RFC 7662 4).
"""

from typing import Any

from services.errors import InvalidClient, InvalidToken
from services.events import Emit, TokenIntrospected
from services.identity.clients.service_clients import ServiceClient, ServiceClients
from services.identity.people.records import Session
from services.identity.people.refresh_tokens import PREFIX
from services.identity.people.sessions import Sessions
from services.identity.tokens import ACR, AccessToken, ServiceToken, Tokens


class Introspection:
    """Looks into tokens and ends them. Safe to share between threads.

    Raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        sessions: Sessions,
        clients: ServiceClients,
        emit: Emit,
    ) -> None:
        self._tokens = tokens
        self._sessions = sessions
        self._clients = clients
        self._emit = emit

    def look(self, token: str, client: ServiceClient) -> dict[str, Any] | None:
        """Return what a live token of the client's audiences says; None otherwise.

        In one round trip at most.
        """
        try:
            found = self._look(token, client)
        except InvalidToken:
            self._emit(TokenIntrospected(client.id, active=False))
            return None
        self._emit(TokenIntrospected(client.id, active=True))
        return found

    def end(self, token: str, client: ServiceClient | None) -> bool:
        """End the session of a token; False where it is of a kind that has none.

        A token that means nothing here is as good as ended (RFC 7009 2.2). To hold a
        refresh token is enough to give it up; to end what others hold takes a client.

        Raises:
            InvalidClient: it takes one, and there is none.
        """
        if token.startswith(PREFIX):
            if read := self._sessions.read_token(token):
                by = client.id if client else ""
                self._sessions.end(read[0], "revoked", by=by)
            return True
        if client is None:
            raise InvalidClient
        try:
            found = self._tokens.check(token)
        except InvalidToken:
            return True
        if isinstance(found, ServiceToken):
            return False
        if found.audience in client.audiences:
            self._sessions.end(found.session_id, "revoked", by=client.id)
        return True

    def _look(self, token: str, client: ServiceClient) -> dict[str, Any]:
        if token.startswith(PREFIX):
            return self._look_at_refresh(token, client)
        found = self._tokens.check(token)
        if isinstance(found, ServiceToken):
            return self._look_at_service(found, client)
        return self._look_at_access(found, client)

    def _look_at_access(
        self, token: AccessToken, client: ServiceClient
    ) -> dict[str, Any]:
        if token.audience not in client.audiences:
            raise InvalidToken
        session = self._sessions.find(token.session_id, token.subject)
        found = {
            "token_type": "Bearer",
            "scope": token.scope,
            "exp": token.expires_at,
            "iat": token.issued_at,
            "jti": token.id,
            **self._about(session, token.audience),
        }
        if token.shows_phone:
            found["phone_number"] = self._sessions.phone_of(session)
            found["phone_number_verified"] = True
        return found

    def _look_at_refresh(self, token: str, client: ServiceClient) -> dict[str, Any]:
        session = self._session_of(token, client)
        return {
            # No access token, whoever bears it.
            "token_type": "refresh_token",
            "scope": session.scope,
            "exp": session.ends,
            "iat": session.used,
            **self._about(session, self._tokens.audience_of(session.client_id)),
        }

    def _look_at_service(
        self, token: ServiceToken, client: ServiceClient
    ) -> dict[str, Any]:
        # Service tokens are for us. A client may ask about its own, and about others'
        # if the issuer is among its audiences.
        if client.id != token.client_id and self._tokens.issuer not in client.audiences:
            raise InvalidToken
        holder = self._clients.find_holder(token.client_id, token.issued_at)
        if holder is None:
            raise InvalidToken
        return {
            "active": True,
            "token_type": "Bearer",
            # What the client was denied since is not in force.
            "scope": " ".join(it for it in token.scopes if it in holder.scopes),
            "client_id": token.client_id,
            "sub": token.client_id,
            "aud": self._tokens.issuer,
            "iss": self._tokens.issuer,
            "exp": token.expires_at,
            "iat": token.issued_at,
            "jti": token.id,
        }

    def _about(self, session: Session, audience: str) -> dict[str, Any]:
        return {
            "active": True,
            "client_id": session.client_id,
            "sub": session.subject,
            "aud": audience,
            "iss": self._tokens.issuer,
            "sid": session.id,
            "auth_time": session.created,
            "amr": [session.amr],
            "acr": ACR,
            "roles": session.roles,
        }

    def _session_of(self, token: str, client: ServiceClient) -> Session:
        read = self._sessions.read_token(token)
        if read is None:
            raise InvalidToken
        session_id, counter = read
        session = self._sessions.find(session_id)
        # The one before is good for a lost answer alone, which nobody asks about.
        if counter < session.counter:
            raise InvalidToken
        if self._tokens.audience_of(session.client_id) not in client.audiences:
            raise InvalidToken
        return session
