"""What the commands share: their parser's type, tables and JSON."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Protocol

import orjson

from config.config import Settings, SettingsError


class Commands(Protocol):
    """What ``argparse`` returns from ``add_subparsers``, and has no public name for."""

    def add_parser(self, name: str, *, help: str) -> ArgumentParser:  # noqa: A002
        """Add a command."""
        ...


class CommandError(Exception):
    """The command cannot be done; its text says why."""


def ask_for_redis(settings: Settings) -> None:
    """See that there is a store that others share.

    Raises:
        SettingsError: there is none.
    """
    if settings.embedded_store:
        raise SettingsError(
            ("REDIS_URL: missing; the embedded store is known to its process alone",)
        )


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


def as_json(document: object) -> str:
    """Write JSON for programs, and for people to read."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
