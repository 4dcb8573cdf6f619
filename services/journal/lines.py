"""How the trail writes an event: one short line, to be read by eye in need.

``<time>|<letter>|<verification>|<request>|<field>|...``: Unix time in tenths of a
second, a letter of the table ``_KINDS``, the verification's fingerprint, the request's
id (``=``: that of the line before), and the fields that the table names, in its order.
A field that is as mostly is empty, and what is empty at the end is left out. Yes is 1
and no is 0; a list has ``;`` between its texts. ``%7C`` and the like stand for signs
that the line itself needs.

Workers of another version may know other letters, or more fields of one: what a line
has beyond what is known here is passed over.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from services import abuse_events, events

# In place of a request's id.
SAME = "="

_SIGNS = str.maketrans({it: f"%{ord(it):02X}" for it in "%|;\n"})

_Value = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an event is written: its letter, its name, its fields as they mostly are."""

    letter: str
    name: str
    fields: dict[str, _Value]


_KINDS: dict[type[events.Event], _Kind] = {
    events.VerificationStarted: _Kind(
        "s",
        "sent",
        {
            "provider": "",
            "purpose": "login",
            "channel": "sms",
            "attempt": 1,
            "resend": False,
            "failed": (),
        },
    ),
    events.DeliveryFailed: _Kind(
        "d", "not_sent", {"reason": "", "budget_returned": False, "failed": ()}
    ),
    events.ReceiptTaken: _Kind(
        "r",
        "receipt",
        {"provider": "", "status": "delivered", "outcome": "moved", "vendor_code": ""},
    ),
    events.MessageFollowed: _Kind(
        "f",
        "followed",
        {"provider": "", "channel": "sms", "after": "whatsapp", "reason": ""},
    ),
    events.CodeChecked: _Kind(
        "c", "checked", {"outcome": "verified", "attempts_left": 4, "purpose": "login"}
    ),
    events.LimitReached: _Kind(
        "l", "limited", {"limit": "", "retry_after_seconds": 0, "action": "send"}
    ),
    events.SessionOpened: _Kind(
        "o", "session_opened", {"session": "", "client": "direct"}
    ),
    events.SessionRefused: _Kind("x", "session_refused", {"reason": "frozen"}),
    events.SessionRefreshed: _Kind("u", "refreshed", {"session": "", "outcome": ""}),
    events.SessionsEnded: _Kind("e", "sessions_ended", {"reason": "", "count": 1}),
    events.PhoneChanged: _Kind("m", "phone_changed", {"from_tag": "", "to_tag": ""}),
    events.AdminActed: _Kind(
        "a", "admin", {"action": "", "actor": "", "detail": "", "outcome": "done"}
    ),
    abuse_events.ChallengeAsked: _Kind(
        "h", "challenged", {"limit": "sends_per_ip", "difficulty": 1}
    ),
    abuse_events.ChallengeChecked: _Kind(
        "k",
        "challenge_checked",
        {"outcome": "solved", "provider": "altcha", "reason": ""},
    ),
    abuse_events.SendShadowed: _Kind(
        "w", "shadowed", {"limit": "", "verdict": "block"}
    ),
    abuse_events.PhoneWasDisabled: _Kind("b", "phone_disabled", {"wrong_checks": 100}),
}
KINDS = frozenset(_KINDS)

_BY_LETTER = {kind.letter: kind for kind in _KINDS.values()}


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One thing that happened; ``at`` in Unix seconds, ``fields`` are the event's."""

    at: float
    kind: str
    verification: str
    request_id: str
    fields: dict[str, Any]


def write_line(event: events.Event, request_id: str) -> str:
    """Write an event of ``KINDS``, all but its time."""
    kind = _KINDS[type(event)]
    cells = [kind.letter, getattr(event, "verification", ""), request_id]
    for name, usual in kind.fields.items():
        value = getattr(event, name)
        cells.append("" if value == usual else _write(value))
    return "|".join(cells).rstrip("|")


def read_lines(text: str) -> list[TrailEntry]:
    """Read what was kept, in the order in which it is."""
    entries: list[TrailEntry] = []
    # The line before may be gone: then its request is not known.
    before = ""
    for line in text.split("\n") if text else ():
        at, letter, *cells = line.split("|")
        cells += [""] * (2 - len(cells))
        verification, request_id, *values = cells
        if request_id != SAME:
            # Also of a line that is passed over: the next one may say the same.
            before = request_id
        kind = _BY_LETTER.get(letter)
        if kind is None:
            continue
        values += [""] * (len(kind.fields) - len(values))
        entries.append(
            TrailEntry(
                at=int(at) / 10,
                kind=kind.name,
                verification=verification,
                request_id=before,
                fields={
                    name: _read(value, usual)
                    for (name, usual), value in zip(
                        kind.fields.items(), values, strict=False
                    )
                },
            )
        )
    return entries


def _write(value: _Value) -> str:
    if isinstance(value, tuple):
        return ";".join(it.translate(_SIGNS) for it in value)
    if isinstance(value, bool):
        value = int(value)
    return str(value).translate(_SIGNS)


def _read(text: str, usual: _Value) -> Any:
    match usual:
        case tuple():
            return [unquote(it) for it in text.split(";")] if text else []
        case _ if not text:
            return usual
        case bool():
            return text == "1"
        case int():
            return int(text)
        case _:
            return unquote(text)
