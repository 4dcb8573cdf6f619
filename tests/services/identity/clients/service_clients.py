"""Service clients to test with, and the keys that some of them sign with."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from joserfc import jwt

from services.identity.clients.public_keys import PublicKey, read_jwk
from services.identity.clients.service_clients import (
    ServiceClient,
    StoredSecret,
    new_secret,
)
from services.identity.keys.signing_keys import (
    JWS,
    Algorithm,
    generate_signing_key,
    read_signing_key,
)
from tests.fakes import FakeClock

CLIENT = "svc-orders"
ISSUER = "https://auth.shop.example"
TOKEN_URL = f"{ISSUER}/api/token"
SECRET = new_secret()
DAY = 86_400


def make_client(client_id: str = CLIENT, **changed: Any) -> ServiceClient:
    """A client that has SECRET, and an hour to go by the clock of the tests."""
    given: dict[str, Any] = {
        "id": client_id,
        "name": "Orders",
        "scopes": frozenset({"token:introspect"}),
        "audiences": frozenset({"quickcart"}),
        "expires": int(FakeClock().now()) + 3600,
        "secrets": (StoredSecret.of(SECRET),),
    }
    return ServiceClient(**{**given, **changed})


def write_client_file(file: Path, client_id: str, *scopes: str) -> str:
    """Write a SERVICE_CLIENTS_FILE of one client, for a month; return its secret."""
    secret, expires = new_secret(), datetime.now(UTC).date() + timedelta(days=30)
    file.write_text(
        f"""
        [[client]]
        id = "{client_id}"
        name = "A service"
        scopes = {list(scopes)}
        audiences = ["quickcart"]
        expires = {expires}
        secret_sha256 = ["{StoredSecret.of(secret).digest}"]
        """
    )
    return secret


class Signer:
    """A service client's own side of private_key_jwt."""

    def __init__(self, algorithm: Algorithm = "ES256") -> None:
        self.key = read_signing_key(generate_signing_key(algorithm))

    @property
    def public(self) -> PublicKey:
        return read_jwk(self.key.public())

    def claims(self, clock: FakeClock, **changed: Any) -> dict[str, Any]:
        """What a good assertion says, some of it changed; None leaves it out."""
        now = int(clock.now())
        claims = {
            "iss": CLIENT,
            "sub": CLIENT,
            "aud": TOKEN_URL,
            "iat": now,
            "exp": now + 60,
            "jti": "first",
            **changed,
        }
        return {name: it for name, it in claims.items() if it is not None}

    def sign(
        self, claims: dict[str, Any], *, by: "Signer | None" = None, **header: Any
    ) -> str:
        key = (by or self).key
        return jwt.encode(
            {"alg": key.algorithm, "kid": key.kid, **header},
            claims,
            key.key,
            registry=JWS,
        )

    def as_json(self) -> bytes:
        """The public key, as a file has it."""
        return orjson.dumps(self.public.jwk())
