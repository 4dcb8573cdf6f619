"""Service clients in Redis: the operator's standing records.

Key ``clients``, a hash of client id -> JSON; it has no TTL, each client has an end:

===============  =====================================================================
``name``         what people call it
``scopes``       what it is allowed
``audiences``    whose tokens it may ask about and end
``expires``      Unix seconds
``secrets``      up to two of {``sha256`` (hex), ``ending`` (its last 4 characters)}
``public_keys``  JWKs
===============  =====================================================================
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import orjson
import redis

from services.errors import NotFound, StoreUnavailable
from services.identity.clients.public_keys import read_jwk
from services.identity.clients.service_clients import (
    CLIENT_ID,
    ServiceClient,
    StoredSecret,
)
from services.scripts import Call, Script, ScriptRunner

_KEY = "clients"
_CHANGE = Script.load(Path(__file__).with_name("client_change.lua"))

# Operators change a client by hand; more tries than people could be at it.
_TRIES = 5


class ClientStore:
    """The clients that the command line registers. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(self, client: redis.Redis, scripts: ScriptRunner) -> None:
        """Read by ``client``, change by ``scripts``."""
        self._client = client
        self._scripts = scripts

    def all(self) -> list[ServiceClient]:
        """Return every client, in one round trip."""
        try:
            stored = cast("dict[bytes, bytes]", self._client.hgetall(_KEY))
        except redis.RedisError as error:
            raise StoreUnavailable(retry_after=1) from error
        return list(_readable(stored))

    def add(self, client: ServiceClient) -> bool:
        """Register a client; False if its id is taken."""
        return self._replace(client.id, None, _write(client))

    def change(
        self, client_id: str, change: Callable[[ServiceClient], ServiceClient]
    ) -> ServiceClient:
        """Replace a client by what ``change`` makes of it, and return that.

        Atomic: where somebody else was faster, ``change`` is asked again.

        Raises:
            NotFound: there is no such client.
        """
        for _ in range(_TRIES):
            before = self._get(client_id)
            changed = change(_read(client_id, before))
            if self._replace(client_id, before, _write(changed)):
                return changed
        raise StoreUnavailable(retry_after=1)

    def remove(self, client_id: str) -> None:
        """Forget a client.

        Raises:
            NotFound: there is no such client.
        """
        for _ in range(_TRIES):
            if self._replace(client_id, self._get(client_id), None):
                return
        raise StoreUnavailable(retry_after=1)

    def _get(self, client_id: str) -> bytes:
        try:
            found = cast("bytes | None", self._client.hget(_KEY, client_id))
        except redis.RedisError as error:
            raise StoreUnavailable(retry_after=1) from error
        if found is None:
            raise NotFound
        return found

    def _replace(self, client_id: str, was: bytes | None, now: bytes | None) -> bool:
        arguments = {"id": client_id}
        if was is not None:
            arguments["was"] = was.decode()
        if now is not None:
            arguments["now"] = now.decode()
        return bool(self._scripts.run(Call(_CHANGE, [_KEY], arguments))["done"])


def _readable(stored: dict[bytes, bytes]) -> Iterator[ServiceClient]:
    """Yield the clients that can be read: a broken one must not shut out the others."""
    for name, document in stored.items():
        try:
            yield _read(name.decode(), document)
        except (ValueError, TypeError, KeyError):
            continue


def _read(client_id: str, document: bytes) -> ServiceClient:
    if not CLIENT_ID.fullmatch(client_id):
        message = "no client's id"
        raise ValueError(message)
    value: dict[str, Any] = orjson.loads(document)
    return ServiceClient(
        id=client_id,
        name=value["name"],
        scopes=frozenset(value["scopes"]),
        audiences=frozenset(value["audiences"]),
        expires=int(value["expires"]),
        secrets=tuple(
            StoredSecret(digest=it["sha256"], ending=it["ending"])
            for it in value["secrets"]
        ),
        public_keys=tuple(map(read_jwk, value["public_keys"])),
    )


def _write(client: ServiceClient) -> bytes:
    return orjson.dumps(
        {
            "name": client.name,
            "scopes": sorted(client.scopes),
            "audiences": sorted(client.audiences),
            "expires": client.expires,
            "secrets": [
                {"sha256": it.digest, "ending": it.ending} for it in client.secrets
            ],
            "public_keys": [it.jwk() for it in client.public_keys],
        }
    )
