"""The trail: what happened to a phone lately, for whoever looks into one login.

Key ``trail:{<tag>}``, a list of JSON arrays, oldest first, at most 200. Each is
``[time, letter, verification, request, ...]``: Unix milliseconds by Redis's own clock,
a letter of the table ``_KINDS``, the verification's fingerprint, the request's id, and
the event's fields that the table names. What is empty at the end is left out.

TTL: as long as the operator wants to look back (``TRACE_HOURS``), from the last entry
on; older entries are dropped as new ones come.

A login leaves three or four entries of about 90 bytes. A session that goes on as it
should leaves none: that is what its "last used" tells, and would be 144 a day.

Fed from events, after the answer, many in one round trip. What cannot be written is
lost: nothing depends on it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services import events
from services.background import Background, Gathered
from services.scripts import Call, Script, ScriptRunner
from utils.clock import Clock

_HERE = Path(__file__).parent
_ADD = Script.load(_HERE / "trail_add.lua")
_ALL = Script.load(_HERE / "trail_all.lua")
_FORGET = Script.load(_HERE / "trail_forget.lua")

_MOST = 200

# What goes to Redis in one round trip.
_MOST_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an event is written: its letter, its name, and the fields that tell it."""

    letter: str
    name: str
    fields: tuple[str, ...]


_KINDS: dict[type[events.Event], _Kind] = {
    events.VerificationStarted: _Kind(
        "s",
        "sent",
        ("purpose", "channel", "provider", "attempt", "resend", "failed"),
    ),
    events.DeliveryFailed: _Kind(
        "d", "not_sent", ("reason", "budget_returned", "failed")
    ),
    events.ReceiptTaken: _Kind(
        "r", "receipt", ("provider", "status", "outcome", "vendor_code")
    ),
    events.MessageFollowed: _Kind(
        "f", "followed", ("channel", "after", "provider", "reason")
    ),
    events.CodeChecked: _Kind("c", "checked", ("purpose", "outcome", "attempts_left")),
    events.LimitReached: _Kind(
        "l", "limited", ("limit", "action", "retry_after_seconds")
    ),
    events.SessionOpened: _Kind("o", "session_opened", ("session", "client")),
    events.SessionRefreshed: _Kind("u", "refreshed", ("session", "outcome")),
    events.SessionsEnded: _Kind("e", "sessions_ended", ("reason", "count")),
    events.PhoneChanged: _Kind("m", "phone_changed", ("from_tag", "to_tag")),
    events.AdminActed: _Kind("a", "admin", ("action", "actor", "detail", "outcome")),
}
# What is left out at the end of a row. A number is not: none is none, 0 is 0.
_EMPTY = ("", ())

_BY_LETTER = {kind.letter: kind for kind in _KINDS.values()}

# When it happened (monotonic), whom it concerns, and the row without its time.
_Item = tuple[float, str, list[Any]]


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One thing that happened; ``at`` in Unix seconds, ``fields`` are the event's."""

    at: float
    kind: str
    verification: str
    request_id: str
    fields: dict[str, Any]


class Trail:
    """Follows phones. Safe to share between threads."""

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        hours: int,
        background: Background,
        clock: Clock,
        request_id: Callable[[], str] = lambda: "",
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Look back for ``hours``; 0 keeps nothing. ``background`` writes, later.

        ``request_id`` names the request that is being served, if one is.
        """
        self._scripts = scripts
        self.hours = hours
        self._clock = clock
        self._request_id = request_id
        self._offset_seconds = offset_seconds
        self._items = Gathered[_Item](background, self._add_all, most=_MOST_TOGETHER)

    def take(self, event: events.Event) -> None:
        """Have an event written, if it is about a phone; an ``Emit``."""
        kind = _KINDS.get(type(event))
        if kind is None or not self.hours:
            return
        for tag in _tags(event):
            values = [getattr(event, name) for name in kind.fields]
            while values and values[-1] in _EMPTY:
                values.pop()
            verification = getattr(event, "verification", "")
            row = [kind.letter, verification, self._request_id(), *values]
            self._items.add((self._clock.monotonic(), tag, row))

    def read(self, tag: str, verification: str | None = None) -> list[TrailEntry]:
        """Return what happened to a phone, oldest first.

        With the fingerprint of a ``verification``: to that, and in the same requests.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        arguments = {"ttl_ms": self._ttl_ms, "offset_ms": self._offset_ms}
        reply = self._scripts.run(Call(_ALL, [_key(tag)], arguments))
        entries = sorted(map(_read, reply["rows"]), key=lambda it: it.at)
        if verification is None:
            return entries
        requests = {it.request_id for it in entries if it.verification == verification}
        return [
            it
            for it in entries
            if it.verification == verification
            or (it.request_id and it.request_id in requests)
        ]

    def forget(self, tag: str) -> None:
        """Forget what happened to a phone.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        self._scripts.run(Call(_FORGET, [_key(tag)], {}))

    @property
    def _ttl_ms(self) -> int:
        return self.hours * 3_600_000

    @property
    def _offset_ms(self) -> int:
        return int(self._offset_seconds() * 1000)

    def _add_all(self, items: Sequence[_Item]) -> None:
        now = self._clock.monotonic()
        by_tag: dict[str, list[list[Any]]] = {}
        for at, tag, row in items:
            age_ms = round((now - at) * 1000)
            by_tag.setdefault(tag, []).append([age_ms, *row])
        self._scripts.run_together(
            *(self._add_call(tag, rows) for tag, rows in by_tag.items())
        )

    def _add_call(self, tag: str, rows: list[list[Any]]) -> Call:
        arguments = {
            "most": _MOST,
            "ttl_ms": self._ttl_ms,
            "offset_ms": self._offset_ms,
            "rows": rows,
        }
        return Call(_ADD, [_key(tag)], arguments, once=True)


def _tags(event: events.Event) -> Iterator[str]:
    """Yield the phones that an event concerns and that shall remember it."""
    match event:
        case events.PhoneChanged():
            yield event.from_tag
            yield event.to_tag
        case events.SessionRefreshed(outcome="rotated"):
            return
        case events.ReceiptTaken(outcome="same"):
            # Vendors repeat themselves.
            return
        case events.SessionsEnded(reason="erased") | events.AdminActed(action="erase"):
            # A person who is erased is not to be remembered by it.
            return
        case _:
            if tag := getattr(event, "phone_tag", ""):
                yield tag


def _read(row: list[Any]) -> TrailEntry:
    at_ms, letter, verification, request_id, *values = row
    kind = _BY_LETTER[letter]
    fields: dict[str, Any] = dict.fromkeys(kind.fields, "")
    if "failed" in fields:
        fields["failed"] = []
    fields.update(zip(kind.fields, values, strict=False))
    return TrailEntry(
        at=at_ms / 1000,
        kind=kind.name,
        verification=verification,
        request_id=request_id,
        fields=fields,
    )


def _key(tag: str) -> str:
    return f"trail:{{{tag}}}"
