"""What the commands share: their parser's type, tables, times and JSON."""

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import orjson

from backend.composition.subject_key import find_other_names
from config.config import Settings, SettingsError


class Commands(Protocol):
    """What ``argparse`` returns from ``add_subparsers``, and has no public name for."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser:  # noqa: A002
        """Add a command."""
        ...


class CommandError(Exception):
    """The command cannot be done; its text says why, its code to the audit."""

    code = "refused"


def ask_for_redis(settings: Settings) -> None:
    """See that there is a store that others share, and that it is theirs.

    Raises:
        SettingsError: there is none, or these settings would name nobody in it.
    """
    if settings.embedded_store:
        raise SettingsError(
            ("REDIS_URL: missing; the embedded store is known to its process alone",)
        )
    if settings.ephemeral_secret:
        raise SettingsError(("SECRET_KEY: missing; another one protects the store",))
    if problem := find_other_names(settings):
        raise SettingsError((problem,))


def ignore(event: object) -> None:
    """Tell nobody: what there is to say is the command's answer."""


def table(lines: Sequence[Sequence[str]]) -> str:
    """Write lines of cells in columns; the first line is the heading."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) for cell, width in zip(line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def moment(seconds: float) -> str:
    """Write a Unix time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def as_json(document: object) -> str:
    """Write JSON for programs, and for people to read."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
