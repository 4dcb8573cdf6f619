"""The operator's file of service clients, judged as a whole."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from services.identity.clients.public_keys import PublicKey, read_jwk
from services.identity.clients.service_clients import (
    CLIENT_ID,
    DIGEST,
    MAX_DAYS,
    MAX_SECRETS,
    SCOPES,
    ServiceClient,
    StoredSecret,
)

_DAY_SECONDS = 86_400
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
# What ends so is an audience of verification tokens, which nobody asks about.
_AUDIENCE = re.compile(r"[!-~]{1,200}(?<!/verification)", re.ASCII)
AUDIENCE_WANTED = "must be one word of ASCII characters, and not end with /verification"
_FIELDS = frozenset(
    {"id", "name", "scopes", "audiences", "expires", "secret_sha256", "public_keys"}
)


class ClientFileError(ValueError):
    """The file cannot be used; ``problems`` names all that is wrong with it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def read_client_file(
    tables: Sequence[Mapping[str, Any]], *, now: float
) -> tuple[ServiceClient, ...]:
    """Turn the file's ``[[client]]`` tables into clients; ``now`` is Unix time.

    A client that has expired is no problem: it is refused, and the others serve.

    Raises:
        ClientFileError: names every problem, by the client's place in the file.
    """
    problems: list[str] = []
    clients: dict[str, ServiceClient] = {}
    for place, table in enumerate(tables, start=1):
        found = list(_find_faults(table, now))
        if not found:
            client = _build(table)
            if clients.setdefault(client.id, client) is not client:
                found.append("has an id that a client before it has")
        problems += [f"client {place}: {it}" for it in found]
    if problems:
        raise ClientFileError(problems)
    return tuple(clients.values())


def is_name(text: object) -> bool:
    """Tell whether people can call a client by this."""
    return isinstance(text, str) and bool(_NAME.fullmatch(text))


def is_audience(text: object) -> bool:
    """Tell whether access tokens can be for this."""
    return isinstance(text, str) and bool(_AUDIENCE.fullmatch(text))


def _find_faults(table: Mapping[str, Any], now: float) -> Iterator[str]:
    if unknown := sorted(set(table) - _FIELDS):
        yield f"has fields that are unknown: {len(unknown)}"
    client_id = table.get("id")
    if not (isinstance(client_id, str) and CLIENT_ID.fullmatch(client_id)):
        yield "id must be svc- and up to 16 of a-z, 0-9 and -"
    if not is_name(table.get("name")):
        yield "name must be a line of 1 to 80 characters"
    scopes = _texts(table.get("scopes"))
    if not scopes or not set(scopes) <= set(SCOPES):
        yield f"scopes must be a list of {', '.join(SCOPES)}"
    audiences = _texts(table.get("audiences", []))
    if audiences is None or not all(map(is_audience, audiences)):
        yield f"audiences must be a list; each {AUDIENCE_WANTED}"
    expires = _end_of(table.get("expires"))
    if expires is None or expires > now + MAX_DAYS * _DAY_SECONDS:
        yield f"expires must be a date such as 2027-01-31, {MAX_DAYS} days off at most"
    yield from _find_credential_faults(table)


def _find_credential_faults(table: Mapping[str, Any]) -> Iterator[str]:
    digests = _texts(table.get("secret_sha256", []))
    if (
        digests is None
        or len(digests) > MAX_SECRETS
        or not all(map(DIGEST.fullmatch, digests))
    ):
        yield f"secret_sha256 must be a list of at most {MAX_SECRETS} SHA-256 in hex"
    keys = table.get("public_keys", [])
    if not (isinstance(keys, list) and all(isinstance(it, dict) for it in keys)):
        yield "public_keys must be a list of JWKs"
        return
    for place, key in enumerate(keys, start=1):
        try:
            read_jwk(key)
        except ValueError as error:
            yield f"public key {place}: {error}"
    if digests == [] and keys == []:
        yield "has neither secret_sha256 nor public_keys: it could not prove itself"


def _build(table: Mapping[str, Any]) -> ServiceClient:
    return ServiceClient(
        id=table["id"],
        name=table["name"],
        scopes=frozenset(table["scopes"]),
        audiences=frozenset(table.get("audiences", [])),
        expires=_end_of(table["expires"]) or 0,
        secrets=tuple(StoredSecret(it, "") for it in table.get("secret_sha256", [])),
        public_keys=_keys(table),
        source="file",
    )


def _keys(table: Mapping[str, Any]) -> tuple[PublicKey, ...]:
    return tuple(map(read_jwk, table.get("public_keys", [])))


def _texts(value: object) -> list[str] | None:
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return value
    return None


def _end_of(value: object) -> int | None:
    """Return Unix seconds; a day without a time ends the client as it begins."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp())
    return None
