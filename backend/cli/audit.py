"""``audit``: what operators did."""

import argparse
from collections.abc import Iterator, Sequence

from backend.cli.commands import (
    Commands,
    as_json,
    ask_for_redis,
    ignore,
    moment,
    table,
)
from backend.composition.store import open_redis
from config.config import Settings
from services.journal.audit import AT_ONCE, MOST_AT_ONCE, Audit, AuditEntry

_HEADING = ("TIME", "ACTION", "ACTOR", "SUBJECT", "PHONE TAG", "DETAIL", "OUTCOME")


def add_commands(commands: Commands) -> None:
    """Add the command of this module."""
    parser = commands.add_parser("audit", help="what operators did, the newest first")
    parser.add_argument("--last", type=_count, default=AT_ONCE, help="how many entries")
    parser.add_argument("--json", action="store_true", help="for programs to read")
    parser.set_defaults(command=_show)


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
    return table([_HEADING, *_lines(entries)])


def _lines(entries: Sequence[AuditEntry]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each act: of one that failed, as the newer entry tells it."""
    failed = {it.op for it in entries if it.outcome == "failed"}
    for entry in entries:
        if entry.outcome == "failed":
            yield _cells(entry, "failed")
        elif entry.op not in failed:
            yield _cells(entry, "done")


def _cells(entry: AuditEntry, outcome: str) -> tuple[str, ...]:
    return (
        moment(entry.at),
        entry.action,
        entry.actor,
        entry.subject or "-",
        entry.phone_tag or "-",
        entry.detail or "-",
        outcome,
    )


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_AT_ONCE:
        message = f"must be from 1 to {MOST_AT_ONCE}"
        raise argparse.ArgumentTypeError(message)
    return number
