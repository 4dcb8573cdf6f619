"""Service clients of the whole service, and what they ask."""

import base64
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

from backend.credentials import ASSERTION_TYPE
from services.identity.clients.service_clients import StoredSecret, new_secret
from services.identity.clients.store import ClientStore
from services.scripts import EmbeddedConnections, ScriptRunner
from tests.backend.api import Answer, Api
from tests.services.identity.clients.service_clients import Signer, make_client

ISSUER = "https://auth.shop.example"
AUDIENCE = "quickcart"
CLIENT = "svc-orders"


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client_secret_basic (RFC 6749 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def assert_oauth_error(answer: Answer, status: int, error: str) -> None:
    """Find an error as OAuth clients read it, and as ours does."""
    body = answer.json
    assert (answer.status_code, body["error"]) == (status, error), answer.text
    assert answer.content_type == "application/json"
    assert body["error_description"]
    assert body["status"] == status
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert answer.headers["Cache-Control"] == "no-store"


class Service:
    """A service client that is registered, and asks."""

    def __init__(
        self,
        api: Api,
        client_id: str = CLIENT,
        *,
        scopes: Collection[str] = ("token:introspect", "token:revoke"),
        audiences: Collection[str] = (AUDIENCE,),
    ) -> None:
        self.api = api
        self.id = client_id
        self.secret = new_secret()
        self.signer = Signer()
        scripts = ScriptRunner(EmbeddedConnections(api._redis), emit=lambda _: None)
        self.store = ClientStore(scripts)
        self.store.add(
            make_client(
                client_id,
                scopes=frozenset(scopes),
                audiences=frozenset(audiences),
                secrets=(StoredSecret.of(self.secret),),
                public_keys=(self.signer.public,),
                expires=int(api.clock.now()) + 86_400,
                registered=int(api.clock.now()),
            )
        )
        self.follow()

    def follow(self) -> None:
        """Let the worker look again, as it does every other second."""
        self.api.chores.rounds["service clients"]()

    def change(self, **changed: Any) -> None:
        """Change what is registered, as the command line does."""
        self.store.change(self.id, lambda it: replace(it, **changed))
        self.follow()

    def remove(self) -> None:
        """Forget it."""
        self.store.remove(self.id)
        self.follow()

    @property
    def basic(self) -> dict[str, str]:
        """Its credentials."""
        return basic(self.id, self.secret)

    def assertion(self, **changed: Any) -> dict[str, str]:
        """Its other credentials, as parameters of a form."""
        own = {"iss": self.id, "sub": self.id, **changed}
        claims = self.signer.claims(self.api.clock, **own)
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.signer.sign(claims),
        }

    def ask(self, path: str, form: Mapping[str, Any], **options: Any) -> Answer:
        """Post a form with its secret."""
        return self.api.call("POST", path, data=form, headers=self.basic, **options)

    def introspect(self, token: str) -> Answer:
        """Ask about a token."""
        return self.ask("/api/token/introspect", {"token": token})

    def revoke(self, token: str) -> Answer:
        """End a token's session."""
        return self.ask("/api/token/revoke", {"token": token})

    def token(self, **form: str) -> str:
        """Get a service token."""
        answer = self.ask("/api/token", {"grant_type": "client_credentials", **form})
        assert answer.status_code == 200, answer.text
        return str(answer.json["access_token"])
