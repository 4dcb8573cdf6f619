"""How a trace reads: one line for each thing that happened."""

from collections.abc import Callable, Mapping
from typing import Any

from backend.cli.commands import moment, table
from backend.schemas.admin import TraceAnswer

_HEADING = ("TIME", "+S", "WHAT", "WHO", "ANSWER", "REQUEST")

_Details = Mapping[str, Any]


def trace_text(answer: TraceAnswer) -> str:
    """Write a trace as a table, oldest first."""
    if not answer.hours:
        return "TRACE_HOURS is 0: nothing is kept."
    if not answer.entries:
        return f"Nothing in the last {answer.hours} hours."
    began = answer.entries[0].at
    lines = [
        (
            moment(it.at),
            f"{it.at - began:.1f}",
            it.event.replace("_", " "),
            *_LINES[it.event](it.details),
            it.request_id or "-",
        )
        for it in answer.entries
    ]
    return table([_HEADING, *lines])


def _sent(it: _Details) -> tuple[str, str]:
    again = ", the same code again" if it["resend"] else ""
    after = f"; before: {'; '.join(it['failed'])}" if it["failed"] else ""
    said = f"took {it['channel']} {it['attempt']} for {it['purpose']}{again}{after}"
    return it["provider"], said


def _not_sent(it: _Details) -> tuple[str, str]:
    kept = "" if it["budget_returned"] else "; counts as a send"
    return "; ".join(it["failed"]) or "nobody", f"{it['reason']}{kept}"


def _receipt(it: _Details) -> tuple[str, str]:
    code = f" ({it['vendor_code']})" if it["vendor_code"] else ""
    late = "" if it["outcome"] == "moved" else f", {it['outcome']}"
    return it["provider"], f"{it['status']}{code}{late}"


def _followed(it: _Details) -> tuple[str, str]:
    return it["provider"], f"{it['channel']} after {it['after']}: {it['reason']}"


def _checked(it: _Details) -> tuple[str, str]:
    left = f", {it['attempts_left']} left" if it["outcome"] == "wrong" else ""
    return "person", f"{it['purpose']} code {it['outcome']}{left}"


def _limited(it: _Details) -> tuple[str, str]:
    return it["limit"], f"{it['action']} refused, {it['retry_after_seconds']} s to wait"


def _challenged(it: _Details) -> tuple[str, str]:
    harder = f", difficulty {it['difficulty']}" if it["difficulty"] > 1 else ""
    return it["limit"], f"send answered with a challenge{harder}"


def _challenge_checked(it: _Details) -> tuple[str, str]:
    why = f" ({it['reason']})" if it["reason"] else ""
    return it["provider"], f"solution {it['outcome']}{why}"


_LINES: dict[str, Callable[[_Details], tuple[str, str]]] = {
    "sent": _sent,
    "not_sent": _not_sent,
    "receipt": _receipt,
    "followed": _followed,
    "checked": _checked,
    "limited": _limited,
    "challenged": _challenged,
    "challenge_checked": _challenge_checked,
    "shadowed": lambda it: (
        it["limit"],
        f"only watched: {it['verdict']}, were it not in mode monitor",
    ),
    "phone_disabled": lambda it: (
        "person",
        f"{it['wrong_checks']} wrong codes in a row: no SMS any more",
    ),
    "session_opened": lambda it: (it["client"], f"session {it['session']}"),
    "session_refused": lambda it: ("person", it["reason"].replace("_", " ")),
    "refreshed": lambda it: (f"session {it['session']}", it["outcome"]),
    "sessions_ended": lambda it: (it["reason"], f"sessions: {it['count']}"),
    "phone_changed": lambda it: (it["from_tag"], f"moved to {it['to_tag']}"),
    "admin": lambda it: (
        it["actor"],
        " ".join(filter(None, (it["action"], it["detail"], it["outcome"]))),
    ),
}
