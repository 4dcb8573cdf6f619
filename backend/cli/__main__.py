"""``python -m backend.cli``: what an operator asks of a service that is running.

A command is a function of the settings and its options that returns what to print.
"""

import argparse
import sys
from collections.abc import Sequence

from backend.cli import audit, clients, delivery, keys, people
from backend.cli.commands import CommandError
from backend.wiring import load_checked_settings
from config.config import SettingsError
from services.errors import StoreUnavailable

# Exit codes (sysexits.h).
_EX_DATA = 65
_EX_UNAVAILABLE = 69
_EX_CONFIG = 78

_GROUPS = (audit, clients, delivery, keys, people)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_checked_settings(options.default_env)
        text = options.command(settings, options)
    except SettingsError as error:
        return _fail(str(error), _EX_CONFIG)
    except StoreUnavailable:
        return _fail("Redis cannot be reached; REDIS_URL says where.", _EX_UNAVAILABLE)
    except CommandError as error:
        return _fail(str(error), _EX_DATA)
    print(text)  # noqa: T201 - it is what was asked for
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend.cli", description=__doc__)
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


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - this is no service that logs
    return code


if __name__ == "__main__":
    sys.exit(main())
