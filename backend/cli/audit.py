"""``audit``: what operators did; and how a command enters what it does."""

import argparse
import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from backend.cli.commands import Commands, as_json, ask_for_redis, ignore, table
from backend.composition.store import open_redis
from backend.telemetry import Telemetry
from config.config import Settings
from config.logging import configure_logging
from services.events import AdminActed, Event
from services.journal.audit import Act, Audit, AuditEntry
from services.scripts import ScriptRunner

_LAST = 50
_MOST_ENTRIES = 1_000
_HEADING = ("TIME", "ACTION", "ACTOR", "SUBJECT", "PHONE TAG", "DETAIL", "OUTCOME")
_MOST_NAME = 32


def add_commands(commands: Commands) -> None:
    """Add the command of this module."""
    parser = commands.add_parser("audit", help="what operators did, the newest first")
    parser.add_argument("--last", type=_count, default=_LAST, help="how many entries")
    parser.add_argument("--json", action="store_true", help="for programs to read")
    parser.set_defaults(command=_show)


@contextmanager
def entered(scripts: ScriptRunner, action: str, detail: str = "") -> Iterator[None]:
    """Enter what a command does into the audit, before it is done.

    ``detail`` says to what it is done, and holds no secret.

    Raises:
        StoreUnavailable: Redis cannot be reached; nothing is done.
    """
    audit = Audit(scripts, emit=tell)
    with audit.acting(Act(action=action, actor=actor(), detail=detail)):
        yield


def actor() -> str:
    """Name who runs the command, as the audit has it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        name = str(os.getuid())
    shown = "".join(it if it.isprintable() else "?" for it in name)
    return f"cli:{shown[:_MOST_NAME]}"


def tell(event: Event) -> None:
    """Log what an operator did, and nothing else, beside the command's answer."""
    if isinstance(event, AdminActed):
        Telemetry(configure_logging("info", output=sys.stderr.buffer)).emit(event)


def _show(settings: Settings, options: argparse.Namespace) -> str:
    """Return the last entries.

    Raises:
        StoreUnavailable: Redis cannot be reached.
        SettingsError: there is no Redis to ask.
    """
    ask_for_redis(settings)
    client, scripts = open_redis(settings, ignore)
    with client:
        entries = Audit(scripts, emit=ignore).last(options.last)
    if options.json:
        return as_json(entries)
    return table([_HEADING, *map(_cells, entries)])


def _cells(entry: AuditEntry) -> tuple[str, ...]:
    return (
        datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ"),
        entry.action,
        entry.actor,
        entry.subject or "-",
        entry.phone_tag or "-",
        entry.detail or "-",
        entry.outcome,
    )


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= _MOST_ENTRIES:
        message = f"must be from 1 to {_MOST_ENTRIES}"
        raise argparse.ArgumentTypeError(message)
    return number
