"""``people``: look at a person, and do what an operator may do."""

import argparse
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from backend.cli.acting import actor, chores_at_once, tell
from backend.cli.commands import (
    CommandError,
    Commands,
    as_json,
    ask_for_redis,
    moment,
    table,
)
from backend.cli.traces import trace_text
from backend.errors import PROBLEMS, BodyError
from backend.openapi.admin_operations import ON_PEOPLE
from backend.schemas.admin import (
    FreezeRequest,
    LockView,
    LookAnswer,
    PersonRequest,
    RoleRequest,
    RolesAnswer,
    TraceRequest,
)
from backend.schemas.body import Body
from backend.wiring import build_services
from config.config import Settings
from services.errors import AuthError, StoreUnavailable

# How a field is given here, and what it has to be.
_OPTIONS = {
    "phone": ("--phone", "in E.164, such as +919876543210"),
    "sub": ("--sub", "22 characters, as in the tokens"),
    "verification_id": ("--verification", "43 characters, as send-otp answered"),
    "reason": ("--reason", "up to 100 characters, less than 8 digits but for dates"),
    "role": ("--role", "a-z, then a-z, digits, - and _; up to 31 characters"),
}

_SESSIONS = ("SESSION", "DEVICE", "CLIENT", "CREATED", "LAST USED", "ENDS")


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    parser = commands.add_parser("people", help="look at a person, freeze, unlock, ...")
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    for operation in ON_PEOPLE.values():
        added = group.add_parser(
            operation.name, help=operation.summary, description=operation.summary
        )
        who = added.add_mutually_exclusive_group(required=True)
        who.add_argument("--phone", help="in E.164, such as +919876543210")
        who.add_argument("--sub", help="as in the tokens")
        if operation.request is TraceRequest:
            who.add_argument("--verification", dest="verification_id", metavar="ID")
        if operation.request is FreezeRequest:
            added.add_argument("--reason", required=True, help="kept in the audit")
        if operation.request is RoleRequest:
            added.add_argument("--role", required=True)
        added.add_argument("--json", action="store_true", help="for programs to read")
        added.set_defaults(command=_act, operation=operation.name)


def _act(settings: Settings, options: argparse.Namespace) -> str:
    """Do it, and return what came of it.

    Raises:
        CommandError: it is refused, or nobody is meant.
        StoreUnavailable: Redis cannot be reached; nothing was done.
        SettingsError: there is no Redis that the service shares.
    """
    ask_for_redis(settings)
    asked = _asked(options)
    services = build_services(settings, emit=tell, chores=chores_at_once())
    try:
        answer = services.admin.act(options.operation, asked, actor())
    except StoreUnavailable:
        raise
    except AuthError as refusal:
        wait = f" Try again in {it} s." if (it := refusal.retry_after) else ""
        raise CommandError(f"{PROBLEMS[refusal.code].title}.{wait}") from None
    except BodyError as refusal:
        faults = [
            f"{_OPTIONS[it['field']][0]}: {it['message']}"
            for it in refusal.fields or ()
        ]
        raise CommandError("\n".join(faults)) from None
    if options.json:
        return as_json(answer.model_dump())
    return _text(options.operation, answer)


def _asked(options: argparse.Namespace) -> PersonRequest:
    given = {
        it: text for it in _OPTIONS if (text := getattr(options, it, None)) is not None
    }
    try:
        return ON_PEOPLE[options.operation].request.model_validate(given)
    except ValidationError as error:
        # Not pydantic's own text: it repeats the number.
        faults = error.errors(include_url=False, include_input=False)
        wrong = [_OPTIONS[str(it["loc"][0])] for it in faults if it["loc"]]
        told = "\n".join(f"{option}: {what}" for option, what in wrong)
        raise CommandError(told) from None


def _text(operation: str, answer: Body) -> str:
    writers: dict[str, Callable[[Any], str]] = {
        "look": _look,
        "freeze": lambda it: _changed(it, "is frozen", "was frozen already"),
        "thaw": lambda it: _changed(it, "is thawed", "was not frozen"),
        "end-sessions": lambda it: f"{it.ended} sessions of {it.subject} ended.",
        "unlock": lambda it: f"{it.subject} may try again. {_lock(it.lock)}",
        "grant-role": _roles,
        "take-role": _roles,
        "reassign": lambda it: (
            f"The number is not {it.former_subject}'s any more; who logs in next is"
            f" {it.subject}."
        ),
        "erase": lambda it: f"{it.erased_subject} is forgotten.",
        "trace": trace_text,
    }
    return writers[operation](answer)


def _look(it: LookAnswer) -> str:
    frozen = f"since {moment(it.frozen.at)}: {it.frozen.reason}" if it.frozen else "no"
    facts = [
        ("subject", it.subject),
        ("phone tag", it.phone_tag),
        ("frozen", frozen),
        ("roles", ", ".join(it.roles)),
        ("lock", _lock(it.lock)),
    ]
    sessions = [
        (
            one.session,
            one.device or "-",
            one.client,
            moment(one.created_at),
            moment(one.last_used_at),
            moment(one.ends_at),
        )
        for one in it.sessions
    ]
    listed = table([_SESSIONS, *sessions]) if sessions else "No live sessions."
    return f"{table(facts)}\n\n{listed}"


def _lock(it: LockView) -> str:
    state = _locked(it.locked_for, disabled=it.disabled)
    left = "" if it.checks_left is None else f", {it.checks_left} left"
    forgiven = f", {it.forgiven} forgiven" if it.forgiven else ""
    in_a_row = f", {it.since_right} in a row" if it.since_right else ""
    told = f"{state}; wrong codes today: {it.wrong_checks}{left}{forgiven}{in_a_row}"
    if not (it.device_wrong_checks or it.device_disabled):
        return told
    state = _locked(it.device_locked_for, disabled=it.device_disabled)
    return f"{told}; known devices: {state}, wrong today: {it.device_wrong_checks}"


def _locked(seconds: int, *, disabled: bool) -> str:
    if disabled:
        return "disabled"
    return f"locked for {seconds} s" if seconds else "not locked"


def _changed(it: Any, done: str, was_so: str) -> str:
    return f"{it.subject} {done if it.changed else was_so}."


def _roles(it: RolesAnswer) -> str:
    same = "" if it.changed else " (as before)"
    return f"{it.subject} has the roles {', '.join(it.roles)}{same}."
