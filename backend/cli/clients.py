"""``clients``: the services that may ask about people, and their secrets."""

import argparse
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from backend.cli.acting import entered
from backend.cli.commands import CommandError, Commands, ask_for_redis, ignore, table
from backend.composition.service_clients import fixed_clients
from backend.composition.store import open_redis
from config.config import Settings
from services.errors import NotFound
from services.identity.clients.file import AUDIENCE_WANTED, is_audience, is_name
from services.identity.clients.public_keys import (
    KEY_WANTED,
    PublicKey,
    read_jwk,
    read_pem,
)
from services.identity.clients.service_clients import (
    CLIENT_ID,
    DEFAULT_DAYS,
    MAX_DAYS,
    SCOPES,
    ClientRefused,
    ServiceClient,
    StoredSecret,
    new_secret,
)
from services.identity.clients.store import ClientStore
from utils.clock import SystemClock

_DAY_SECONDS = 86_400
_HEADING = (
    *("CLIENT", "NAME", "SCOPES", "AUDIENCES", "EXPIRES"),
    *("SECRETS", "KEYS", "FROM"),
)
_DIGEST_SHOWN = 4
_KID_SHOWN = 8
_ONCE = "It is shown this once: nothing here can tell it again."


def add_commands(commands: Commands) -> None:
    """Add ours."""
    parser = commands.add_parser("clients", help="services that may ask about people")
    group = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, text: str, command: Callable[..., str], *, of_one: bool = True
    ) -> argparse.ArgumentParser:
        added = group.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        if of_one:
            added.add_argument("id", metavar="ID", help="svc-..., as in client_id")
        return added

    new = add("add", "register a service", register)
    new.add_argument("--name", required=True, help="what people call it")
    new.add_argument("--scope", action="append", required=True, choices=SCOPES)
    new.add_argument(
        "--audience", action="append", default=[], help="whose tokens it may look into"
    )
    _add_days(new)
    new.add_argument(
        "--public-key",
        action="append",
        default=[],
        metavar="FILE",
        help="PEM or JWK; with it, no secret is made (private_key_jwt)",
    )
    changed = add("set", "replace a service's scopes, audiences or both", allow)
    changed.add_argument("--scope", action="append", default=[], choices=SCOPES)
    changed.add_argument("--audience", action="append", default=[])
    add("list", "show all services", show, of_one=False)
    add("rotate", "make a second secret", rotate)
    dropped = add("drop-secret", "refuse one of the secrets from now on", drop_secret)
    dropped.add_argument("ending", metavar="LAST4", help="its last four characters")
    _add_days(add("renew", "let it go on for longer", renew))
    add("remove", "forget a service; it is refused from now on", remove)
    add("secret", "make a secret for SERVICE_CLIENTS_FILE", secret, of_one=False)


def register(settings: Settings, options: argparse.Namespace) -> str:
    """Register a client, and return its secret, if it has no key of its own.

    Raises:
        CommandError: something is not as it must be, or the id is taken.
    """
    if not CLIENT_ID.fullmatch(options.id):
        message = "ID must be svc- and up to 16 of a-z, 0-9 and -"
        raise CommandError(message)
    if not is_name(options.name):
        message = "--name must be a line of 1 to 80 characters"
        raise CommandError(message)
    _see_audiences(options.scope, options.audience)
    keys = tuple(map(_read_key, options.public_key))
    made = None if keys else new_secret()
    client = ServiceClient(
        id=options.id,
        name=options.name,
        scopes=frozenset(options.scope),
        audiences=frozenset(options.audience),
        expires=_end_of(options.days),
        registered=int(SystemClock().now()),
        secrets=(StoredSecret.of(made),) if made else (),
        public_keys=keys,
    )
    with _changing(settings, "client-add", client.id) as store:
        if not store.add(client):
            message = f"{client.id} is registered already."
            raise CommandError(message)
    said = f"{client.id} is registered until {_day(client.expires)}."
    return f"{said}\n{made}\n{_ONCE}" if made else said


def show(settings: Settings, _: argparse.Namespace) -> str:
    """Return all clients, those of the file first: where ids are equal, they count."""
    fixed = _fixed(settings)
    hidden = {it.id for it in fixed}
    ask_for_redis(settings)
    client, scripts = open_redis(settings, ignore)
    with client:
        found = ClientStore(scripts).read()
    stored = [it for it in found.clients if it.id not in hidden]
    lines = [_line(it) for it in (*fixed, *sorted(stored, key=lambda it: it.id))]
    return table([_HEADING, *lines, *map(_broken, found.broken)])


def rotate(settings: Settings, options: argparse.Namespace) -> str:
    """Give a client another secret beside the one it has, and return it."""
    made = new_secret()
    stored = StoredSecret.of(made)
    with _changing(settings, "client-rotate", options.id) as store:
        store.change(options.id, lambda it: it.with_secret(stored))
    return (
        f"{made}\n{_ONCE} When this one is in use, drop the other: "
        f"python -m backend.cli clients drop-secret {options.id} -- LAST4"
    )


def drop_secret(settings: Settings, options: argparse.Namespace) -> str:
    """Forget one of a client's secrets."""
    with _changing(settings, "client-drop-secret", options.id) as store:
        store.change(options.id, lambda it: it.without_secret(options.ending))
    return f"Within 5 s nobody takes the secret that ends in {options.ending}."


def renew(settings: Settings, options: argparse.Namespace) -> str:
    """Let a client end later, or sooner, than it would."""
    end = _end_of(options.days)
    with _changing(settings, "client-renew", options.id) as store:
        store.change(options.id, lambda it: replace(it, expires=end))
    return f"{options.id} is registered until {_day(end)}."


def allow(settings: Settings, options: argparse.Namespace) -> str:
    """Say anew what a client may do, or about whose tokens, or both.

    Raises:
        CommandError: neither is said, or they do not go together.
    """
    if not (options.scope or options.audience):
        message = "say --scope, --audience or both"
        raise CommandError(message)

    def change(client: ServiceClient) -> ServiceClient:
        scopes = options.scope or client.scopes
        audiences = options.audience or client.audiences
        _see_audiences(scopes, audiences)
        return replace(client, scopes=frozenset(scopes), audiences=frozenset(audiences))

    with _changing(settings, "client-set", options.id) as store:
        changed = store.change(options.id, change)
    return (
        f"Within 5 s {changed.id} has {' '.join(sorted(changed.scopes))} for "
        f"{' '.join(sorted(changed.audiences)) or 'no audience'}."
    )


def remove(settings: Settings, options: argparse.Namespace) -> str:
    """Forget a client."""
    with _changing(settings, "client-remove", options.id) as store:
        store.remove(options.id)
    return f"Within 5 s nobody takes {options.id} for a client."


def secret(_: Settings, __: argparse.Namespace) -> str:
    """Return a secret, and what the file has of it."""
    made = new_secret()
    return f'{made}\n{_ONCE}\nsecret_sha256 = ["{StoredSecret.of(made).digest}"]'


@contextmanager
def _changing(settings: Settings, action: str, client_id: str) -> Iterator[ClientStore]:
    """Open the store for one change, and enter that into the audit.

    Raises:
        CommandError: it was refused, or the client is not in the store.
        SettingsError: there is no Redis to keep it.
    """
    ask_for_redis(settings)
    if client_id in {it.id for it in _fixed(settings)}:
        message = f"{client_id} is in SERVICE_CLIENTS_FILE: change it there."
        raise CommandError(message)
    client, scripts = open_redis(settings, ignore)
    try:
        with client, entered(scripts, action, client_id):
            yield ClientStore(scripts)
    except NotFound:
        message = f"There is no client {client_id}."
        raise CommandError(message) from None
    except ClientRefused as refusal:
        message = f"{client_id}: {refusal}"
        raise CommandError(message) from None


def _fixed(settings: Settings) -> tuple[ServiceClient, ...]:
    return fixed_clients(settings, now=SystemClock().now())


def _see_audiences(scopes: Collection[str], audiences: Collection[str]) -> None:
    """See that a client may ask about tokens for somebody."""
    if not all(map(is_audience, audiences)):
        message = f"--audience {AUDIENCE_WANTED}"
        raise CommandError(message)
    if "token:introspect" in scopes and not audiences:
        message = "token:introspect needs --audience: whose tokens it may look into"
        raise CommandError(message)


def _add_days(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--days",
        type=_days,
        default=DEFAULT_DAYS,
        help=f"how long it is registered, 1 to {MAX_DAYS}",
    )


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= MAX_DAYS:
        message = f"must be 1 to {MAX_DAYS}"
        raise argparse.ArgumentTypeError(message)
    return days


def _end_of(days: int) -> int:
    return int(SystemClock().now()) + days * _DAY_SECONDS


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def _read_key(path: str) -> PublicKey:
    try:
        data = Path(path).read_bytes()
        if data.lstrip().startswith(b"{"):
            return read_jwk(orjson.loads(data))
        return read_pem(data)
    except OSError:
        message = f"{path}: cannot be read"
        raise CommandError(message) from None
    except ValueError:
        message = f"{path}: {KEY_WANTED}"
        raise CommandError(message) from None


def _line(client: ServiceClient) -> tuple[str, ...]:
    # The file has digests alone, which say nothing of how a secret ends.
    endings = [it.ending or it.digest[:_DIGEST_SHOWN] for it in client.secrets]
    until = _day(client.expires)
    return (
        client.id,
        client.name,
        " ".join(sorted(client.scopes)),
        " ".join(sorted(client.audiences)) or "-",
        until if client.expires > SystemClock().now() else f"{until} (over)",
        " ".join(endings) or "-",
        " ".join(it.kid[:_KID_SHOWN] for it in client.public_keys) or "-",
        client.source,
    )


def _broken(client_id: str) -> tuple[str, ...]:
    """Show a row that nobody can read, so that somebody removes it."""
    told = "(broken: nobody takes it; remove it, and add it again)"
    return client_id, told, *"-" * (len(_HEADING) - 3), "store"
