"""``abuse``: what the defence does, how strict it is, and whom it does not bind."""

import argparse
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from backend.abuse_desk import USUAL_DAYS, AbuseDesk
from backend.cli.abuse_text import (
    entries_text,
    entry_text,
    report_text,
    rule_text,
    rules_text,
)
from backend.cli.acting import actor, chores_at_once, tell
from backend.cli.commands import CommandError, Commands, as_json, ask_for_redis
from backend.errors import PROBLEMS, BodyError
from backend.openapi.abuse_operations import ON_ABUSE
from backend.schemas.body import Body
from backend.wiring import build_services
from config.config import Settings
from services.abuse.report import MOST_DAYS
from services.abuse.rules import RULES
from services.errors import AuthError, StoreUnavailable

# How a field is given here, and what it has to be.
_OPTIONS = {
    "rule": ("RULE", "one of those that `abuse rules` lists"),
    "mode": ("--mode", "off, monitor, challenge or block"),
    "windows": ("--windows", "such as 10/10m, 30/1h"),
    "value": ("VALUE", "+919876543210, +91987, IN or 198.51.100.0/24"),
    "hours": ("--hours", "1 to 8784; without it for ever"),
    "reason": (
        "--reason",
        "up to 100 characters, no address, less than 8 digits but for dates",
    ),
    "id": ("ID", "as `abuse entries` lists it"),
    "name": ("NAME", "as `abuse report` lists it: +91987654, IN or svc-shop"),
}


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = commands.add_parser(
        "abuse", help="limits, caps, blocks, lists: who is out"
    )
    group = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, text: str, command: Callable[..., str]
    ) -> argparse.ArgumentParser:
        added = group.add_parser(name, help=text, description=text)
        added.add_argument("--json", action="store_true", help="for programs to read")
        added.set_defaults(command=command)
        return added

    report = add("report", "what is blocked and why, what it saved", _report)
    report.add_argument(
        "--days",
        type=_days,
        default=USUAL_DAYS,
        help=f"of the tallies, 1 to {MOST_DAYS}",
    )
    add("rules", "how strict each rule is", _rules)
    changed = add("set", "change a rule in the whole fleet", _set)
    changed.add_argument(
        "rule", metavar="RULE", choices=RULES, help="see `abuse rules`"
    )
    changed.add_argument("--mode", help=_OPTIONS["mode"][1])
    changed.add_argument("--windows", help=_OPTIONS["windows"][1])
    changed.add_argument("--reset", action="store_true", help="as the settings say")
    for verdict in ("allow", "block"):
        text = f"{verdict} a phone, a prefix, a country or addresses"
        put = add(verdict, text, _put)
        put.set_defaults(verdict=verdict)
        put.add_argument("kind", choices=("phone", "prefix", "country", "ip"))
        put.add_argument("value", metavar="VALUE", help=_OPTIONS["value"][1])
        put.add_argument("--hours", type=int, help=_OPTIONS["hours"][1])
        put.add_argument("--reason", required=True, help="kept in the audit")
    add("entries", "what is on the lists", _entries)
    removed = add("remove", "take an entry off the lists", _remove)
    removed.add_argument("id", metavar="ID", help=_OPTIONS["id"][1])
    lifted = add("lift", "end what too few typed codes blocked", _lift)
    lifted.add_argument("scope", choices=("prefix", "country", "caller"))
    lifted.add_argument("name", metavar="NAME", help=_OPTIONS["name"][1])


def _report(settings: Settings, options: argparse.Namespace) -> str:
    answer = _desk(settings).report(options.days)
    return as_json(answer.model_dump()) if options.json else report_text(answer)


def _rules(settings: Settings, options: argparse.Namespace) -> str:
    rules = _desk(settings).rules()
    if options.json:
        return as_json([it.model_dump() for it in rules])
    return rules_text(rules)


def _entries(settings: Settings, options: argparse.Namespace) -> str:
    entries = _desk(settings).entries()
    if options.json:
        return as_json([it.model_dump() for it in entries])
    return entries_text(entries)


def _set(settings: Settings, options: argparse.Namespace) -> str:
    return _act(settings, options, "rules", rule_text)


def _put(settings: Settings, options: argparse.Namespace) -> str:
    return _act(settings, options, "entries", entry_text)


def _remove(settings: Settings, options: argparse.Namespace) -> str:
    return _act(
        settings,
        options,
        "entries/remove",
        lambda it: _changed("It is off the lists within 5 s.", done=it.removed),
    )


def _lift(settings: Settings, options: argparse.Namespace) -> str:
    return _act(
        settings,
        options,
        "lift",
        lambda it: _changed(f"{options.name} is open again.", done=it.lifted),
    )


def _changed(text: str, *, done: bool) -> str:
    return text if done else "There is none."


def _act(
    settings: Settings,
    options: argparse.Namespace,
    operation: str,
    write: Callable[[Any], str],
) -> str:
    """Do one of ``ON_ABUSE``, and return what came of it.

    Raises:
        CommandError: it is refused.
        StoreUnavailable: Redis cannot be reached; nothing was done.
        SettingsError: there is no Redis that the service shares.
    """
    asked = _asked(operation, options)
    try:
        answer = _desk(settings).act(operation, asked, actor())
    except StoreUnavailable:
        raise
    except AuthError as refusal:
        raise CommandError(f"{PROBLEMS[refusal.code].title}.") from None
    except BodyError as refusal:
        faults = [
            f"{_OPTIONS[it['field']][0]}: {it['message']}"
            for it in refusal.fields or ()
        ]
        raise CommandError("\n".join(faults)) from None
    return as_json(answer.model_dump()) if options.json else write(answer)


def _asked(operation: str, options: argparse.Namespace) -> Body:
    model = ON_ABUSE[operation].request
    given = {
        it: value
        for it in model.model_fields
        if (value := getattr(options, it, None)) is not None
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        # Not pydantic's own text: it repeats what was typed.
        faults = error.errors(include_url=False, include_input=False)
        wrong = [_OPTIONS[str(it["loc"][0])] for it in faults if it["loc"]]
        told = "\n".join(f"{option}: {what}" for option, what in wrong)
        # What no field is to blame for.
        raise CommandError(
            told or "say --mode, --windows or both, or --reset"
        ) from None


def _desk(settings: Settings) -> AbuseDesk:
    ask_for_redis(settings)
    return build_services(settings, emit=tell, chores=chores_at_once()).desk


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= MOST_DAYS:
        message = f"must be from 1 to {MOST_DAYS}"
        raise argparse.ArgumentTypeError(message)
    return days
