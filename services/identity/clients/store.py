"""Service clients in Redis: the operator's standing records.

Key ``clients``, a hash of client id -> JSON; it has no TTL, each client has an end:

===============  =====================================================================
``name``         what people call it
``scopes``       what it is allowed
``audiences``    whose tokens it may ask about and end
``registered``   Unix seconds: since when it is this client and no namesake
``expires``      Unix seconds
``secrets``      up to two of {``sha256`` (hex), ``ending`` (its last 4 characters)}
``public_keys``  JWKs
===============  =====================================================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

from services.errors import NotFound, StoreUnavailable
from services.identity.clients.public_keys import read_jwk
from services.identity.clients.service_clients import (
    CLIENT_ID,
    DIGEST,
    ClientRefused,
    ServiceClient,
    StoredSecret,
)
from services.scripts import Call, Script, ScriptRunner

_KEY = "clients"
_HERE = Path(__file__).parent
_ROWS = _HERE / "client_rows.lua"
_READ = Script.load(_ROWS, _HERE / "client_read.lua")
_CHANGE = Script.load(_ROWS, _HERE / "client_change.lua")

# Operators change a client by hand; more tries than people could be at it.
_TRIES = 5

# The end of the year 9999: what comes after it is no date.
_LAST_MOMENT = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Stored:
    """All that is stored; ``broken`` are the ids of what cannot be read."""

    clients: tuple[ServiceClient, ...]
    broken: tuple[str, ...]


class ClientStore:
    """The clients that the command line registers. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(self, scripts: ScriptRunner) -> None:
        self._scripts = scripts

    def read(self) -> Stored:
        """Return every client, in one round trip; a broken one shuts out no other."""
        clients, broken = [], []
        for client_id, row in self._rows({}).items():
            try:
                clients.append(_read(client_id, row))
            except ValueError:
                broken.append(client_id)
        return Stored(tuple(clients), tuple(sorted(broken)))

    def all(self) -> list[ServiceClient]:
        """Return every client that can be read."""
        return list(self.read().clients)

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
            ClientRefused: what is stored of it is broken, or ``change`` refuses.
        """
        for _ in range(_TRIES):
            before = self._row(client_id)
            try:
                client = _read(client_id, before)
            except ValueError:
                message = "what is stored of it is broken; remove it, and add it again"
                raise ClientRefused(message) from None
            changed = change(client)
            if self._replace(client_id, before, _write(changed)):
                return changed
        raise StoreUnavailable(retry_after=1)

    def remove(self, client_id: str) -> None:
        """Forget a client, broken or not.

        Raises:
            NotFound: there is no such client.
        """
        for _ in range(_TRIES):
            if self._replace(client_id, self._row(client_id), None):
                return
        raise StoreUnavailable(retry_after=1)

    def _row(self, client_id: str) -> str:
        for row in self._rows({"id": client_id}).values():
            return row
        raise NotFound

    def _rows(self, arguments: dict[str, str]) -> dict[str, str]:
        """Return rows by id, both percent-encoded."""
        reply = self._scripts.run(Call(_READ, [_KEY], arguments))
        return dict(zip(reply.get("ids", ()), reply.get("rows", ()), strict=True))

    def _replace(self, client_id: str, was: str | None, now: bytes | None) -> bool:
        arguments = {"id": client_id}
        if was is not None:
            arguments["was"] = was
        if now is not None:
            arguments["now"] = now.decode()
        return bool(self._scripts.run(Call(_CHANGE, [_KEY], arguments))["done"])


def _read(client_id: str, row: str) -> ServiceClient:
    """Read a row.

    Raises:
        ValueError: it is broken.
    """
    if not CLIENT_ID.fullmatch(client_id):
        message = "no client's id"
        raise ValueError(message)
    try:
        return _build(client_id, orjson.loads(unquote_to_bytes(row)))
    except (TypeError, KeyError, AttributeError, OverflowError) as error:
        message = "no client"
        raise ValueError(message) from error


def _build(client_id: str, value: dict[str, Any]) -> ServiceClient:
    return ServiceClient(
        id=client_id,
        name=_text(value["name"]),
        scopes=_texts(value["scopes"]),
        audiences=_texts(value["audiences"]),
        registered=_moment(value["registered"]),
        expires=_moment(value["expires"]),
        secrets=tuple(
            StoredSecret(digest=_digest(it["sha256"]), ending=_text(it["ending"]))
            for it in value["secrets"]
        ),
        public_keys=tuple(map(read_jwk, value["public_keys"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError
    return frozenset(map(_text, value))


def _moment(value: object) -> int:
    if not (isinstance(value, int) and 0 <= value <= _LAST_MOMENT):
        raise TypeError
    return value


def _digest(value: object) -> str:
    if not DIGEST.fullmatch(_text(value)):
        raise TypeError
    return str(value)


def _write(client: ServiceClient) -> bytes:
    return orjson.dumps(
        {
            "name": client.name,
            "scopes": sorted(client.scopes),
            "audiences": sorted(client.audiences),
            "registered": client.registered,
            "expires": client.expires,
            "secrets": [
                {"sha256": it.digest, "ending": it.ending} for it in client.secrets
            ],
            "public_keys": [it.jwk() for it in client.public_keys],
        }
    )
