"""``keys``: the keys that sign tokens, and the one that names people."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.cli.acting import entered
from backend.cli.commands import CommandError, Commands, ask_for_redis, ignore, table
from backend.composition.secrets import new_subject_key, secrets_of, write_subject_key
from backend.composition.signing_keys import build_key_store, held_keys
from backend.composition.store import open_redis
from config.config import Settings, SettingsError
from config.keys import parse_signing_key
from services.identity.keys.signing_keys import (
    ALGORITHMS,
    SigningKey,
    generate_signing_key,
    read_signing_key,
)
from services.identity.keys.store import (
    SEEN_AFTER_SECONDS,
    Change,
    KeyStore,
    StoredKey,
)

_HEADING = ("KEY", "ALGORITHM", "STATE", "SINCE", "FROM")
_FROM_SETTINGS = "settings"
_FROM_STORE = "store"
_FOREIGN = "store, sealed with another SECRET_KEY"


def add_commands(commands: Commands) -> None:
    """Add ours."""
    parser = commands.add_parser("keys", help="the keys that sign tokens")
    group = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return group.add_parser(name, help=text, description=text)

    add("list", "show all keys").set_defaults(command=show)

    made = add("generate", "make a key and publish it ahead of its use")
    made.add_argument("--alg", choices=ALGORITHMS, default="ES256")
    made.set_defaults(command=generate)

    taken = add("import", "publish a key of a PEM file ahead of its use")
    taken.add_argument("file", metavar="FILE")
    taken.set_defaults(command=import_file)

    active = add("activate", "let a published key sign, in place of the one that does")
    active.add_argument("kid", metavar="KID")
    active.add_argument("--now", action="store_true", help="before verifiers know it")
    active.set_defaults(command=activate)

    retired = add("retire", "let a key verify no more, and forget it")
    retired.add_argument("kid", metavar="KID")
    retired.add_argument("--now", action="store_true", help="before its tokens expire")
    retired.set_defaults(command=retire)

    sealed = add("reseal", "seal with SECRET_KEY what SECRET_KEY_PREVIOUS sealed")
    sealed.set_defaults(command=reseal)

    named = add("subject", "print SUBJECT_KEY")
    named.add_argument(
        "--new", action=_PrintNew, nargs=0, help="rather one that named nobody yet"
    )
    named.set_defaults(command=subject)


class _PrintNew(argparse.Action):
    """Prints a new key and ends, as it is wanted before there are settings."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(new_subject_key())  # noqa: T201 - it is what was asked for
        parser.exit()


def show(settings: Settings, _: argparse.Namespace) -> str:
    """Return all keys: the one that signs, those that verify, those that are gone."""
    with _opened(settings) as keys:
        rows = keys.store.read()
        lines = [_stored_line(row, keys) for row in rows.values()]
        # Where nobody can open the one that should sign, the built-in key does.
        is_active = any(
            row.state == "active" and keys.store.open(row) for row in rows.values()
        )
    lines += [
        _held_line(key, signs=key is keys.held[0] and not is_active)
        for key in keys.held
        if key.kid not in rows
    ]
    return table([_HEADING, *sorted(lines, key=lambda it: (it[2], it[0]))])


def generate(settings: Settings, options: argparse.Namespace) -> str:
    """Make a key, and return its id and when it may sign."""
    return _publish(settings, generate_signing_key(options.alg))


def import_file(settings: Settings, options: argparse.Namespace) -> str:
    """Take a key from a file, and return its id and when it may sign.

    Raises:
        CommandError: no private key that can sign, or one that is there already.
    """
    try:
        pem = parse_signing_key(options.file)
    except ValueError as error:
        message = f"{options.file}: {error}"
        raise CommandError(message) from None
    return _publish(settings, pem.encode())


def activate(settings: Settings, options: argparse.Namespace) -> str:
    """Have a key sign.

    Raises:
        CommandError: there is no such key, or verifiers may not know it yet.
    """
    kid = options.kid
    with _opened(settings, "activate-key", kid) as keys:
        row = keys.store.read().get(kid)
        if row and row.state == "unreadable":
            message = f"{kid} cannot be read: import it again, or retire it."
            raise CommandError(message)
        if row and row.sealed and keys.store.open(row) is None:
            message = f"{kid} is sealed with another SECRET_KEY: it cannot sign here."
            raise CommandError(message)
        change = keys.store.activate(kid, at_once=options.now)
        if change.outcome != "active":
            raise CommandError(_refusal(kid, change, "Verifiers may not know it yet."))
    return f"{kid} signs; every worker follows within a minute."


def retire(settings: Settings, options: argparse.Namespace) -> str:
    """Have a key verify no more.

    Raises:
        CommandError: there is no such key, it signs, or its tokens are still good.
    """
    kid = options.kid
    with _opened(settings, "retire-key", kid) as keys:
        change = keys.store.retire(kid, at_once=options.now)
        if change.outcome != "retired":
            early = "Tokens that it signed may still be good."
            raise CommandError(_refusal(kid, change, early))
    return f"{kid} is retired; every worker follows within a minute."


def reseal(settings: Settings, _: argparse.Namespace) -> str:
    """Seal all stored keys with the current secret; return how many were not."""
    with _opened(settings, "reseal-keys") as keys:
        count = sum(keys.store.seal_again(it) for it in keys.store.read().values())
    return f"{count} sealed again with SECRET_KEY."


def subject(settings: Settings, _: argparse.Namespace) -> str:
    """Return the SUBJECT_KEY that names people now, set or derived.

    Raises:
        SettingsError: it would be another one at every start.
    """
    if settings.ephemeral_secret and settings.subject_key is None:
        raise SettingsError(("SECRET_KEY: missing; the subject key follows from it",))
    return write_subject_key(secrets_of(settings))


@dataclass(frozen=True, slots=True)
class _Keys:
    """The fleet's keys, and those that the settings give, the built-in one first."""

    store: KeyStore
    held: list[SigningKey]


@contextmanager
def _opened(settings: Settings, action: str = "", kid: str = "") -> Iterator[_Keys]:
    """Open the keys; what is done with them is entered into the audit by its name.

    Raises:
        SettingsError: no Redis, or no secret that others have.
        StoreUnavailable: Redis cannot be reached.
    """
    ask_for_redis(settings)
    secrets = secrets_of(settings)
    held = held_keys(settings, secrets)
    client, scripts = open_redis(settings, ignore)
    with client, entered(scripts, action, kid) if action else nullcontext():
        yield _Keys(build_key_store(secrets, scripts, held[0]), held)


def _publish(settings: Settings, pem: bytes) -> str:
    kid = read_signing_key(pem).kid
    with _opened(settings, "publish-key", kid) as keys:
        change = keys.store.add(pem)
        if change.outcome != "published":
            message = f"{kid} is there already."
            raise CommandError(message)
    return (
        f"{kid} is published; it may sign in {SEEN_AFTER_SECONDS} s:\n"
        f"python -m backend.cli keys activate {kid}"
    )


def _stored_line(row: StoredKey, keys: _Keys) -> tuple[str, ...]:
    since = "-"
    if row.since is not None:
        since = datetime.fromtimestamp(row.since, UTC).isoformat(" ", "minutes")[:16]
    place = _FROM_STORE
    if row.sealed and keys.store.open(row) is None:
        place = _FOREIGN
    elif row.kid in {it.kid for it in keys.held}:
        place = _FROM_SETTINGS
    return row.kid, row.algorithm or "-", row.state, since, place


def _held_line(key: SigningKey, *, signs: bool) -> tuple[str, ...]:
    state = "active" if signs else "verifying"
    return key.kid, key.algorithm, state, "-", _FROM_SETTINGS


def _refusal(kid: str, change: Change, early: str) -> str:
    match change.outcome:
        case "too_soon":
            at = datetime.now(UTC) + timedelta(seconds=change.wait_seconds)
            return (
                f"{early} Wait {change.wait_seconds} s, until {at:%H:%M:%S} UTC, or "
                "say --now to do it all the same."
            )
        case "active":
            return f"{kid} signs: activate another one first."
        case "retired":
            return f"{kid} is retired: generate another one."
        case _:
            return f"There is no key {kid} in the store."
