"""``python -m backend.cli``: what an operator asks of a service that is running.

A command is a function of the settings and its options that returns what to print.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from backend.cli import abuse, alerts, audit, clients, delivery, keys, people
from backend.cli.commands import CommandError
from backend.composition.checked_settings import load_checked_settings
from config.config import SettingsError
from services.errors import StoreUnavailable

# Of keys, people and verifications: longer than any option's name.
_ID = re.compile(r"-[A-Za-z0-9_-]{21,}")

# Exit codes (sysexits.h).
_EX_DATA = 65
_EX_UNAVAILABLE = 69
_EX_CONFIG = 78

_GROUPS = (abuse, alerts, audit, clients, delivery, keys, people)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_checked_settings(options.default_env)
        text = options.command(settings, options)
    except SettingsError as error:
        return _fail(str(error), _EX_CONFIG)
    except StoreUnavailable as error:
        return _fail(_outage(error), _EX_UNAVAILABLE)
    except CommandError as error:
        return _fail(str(error), _EX_DATA)
    try:
        print(text, flush=True)  # noqa: T201 - it is what was asked for
    except BrokenPipeError:
        # Whoever reads has read enough, as `head` does. Python would say so at its
        # end, when it writes what is left.
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return 0


class _Parser(argparse.ArgumentParser):
    """Takes ids as they come: one in 64 begins with a hyphen."""

    def _parse_optional(self, arg_string: str) -> Any:
        if _ID.fullmatch(arg_string):
            return None
        return super()._parse_optional(arg_string)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m backend.cli", description=__doc__)
    parser.add_argument(
        "--default-env",
        choices=("development", "production"),
        default="production",
        help="what FLASK_ENV is where nothing sets it",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.add_commands(commands)
    return parser


def _outage(error: StoreUnavailable) -> str:
    if isinstance(error.__cause__, redis.ResponseError):
        # Its text may hold what a script was given.
        return "Redis refused the command; its user or what is stored is not as needed."
    return "Redis cannot be reached; REDIS_URL says where."


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - this is no service that logs
    return code


if __name__ == "__main__":
    sys.exit(main())
