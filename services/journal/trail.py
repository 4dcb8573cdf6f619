"""The trail: what happened to a phone lately, for whoever looks into one login.

Key ``trail:{<tag>}``, a string of lines, as lines.py writes them; the last 8 KB of
each phone, which are about 150. In the order of their writing, a second off at most.

TTL: as long as the operator wants to look back (``TRACE_HOURS``), from the last line
on; older lines are dropped as new ones come.

A send leaves a line of 58 bytes: 136 with its key by MEMORY USAGE, to which Redis adds
60 in its tables, as for every key that ends (used_memory, 30,000 phones, against
TRACE_HOURS=0). A login leaves three lines, 230 and 60; a receipt is 60 more. A session
that goes on as it should leaves none: that is what its "last used" tells, and would be
144 a day.

What anybody can cause at no cost, and for numbers that they make up (refusals and
challenges), is kept at a rate that no flood can fill a Redis with: 300 at once and 5 a
second for each worker, which are 90 MB a day at most.

Fed from events, after the answer, many in one round trip. What cannot be written is
lost: nothing depends on it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from services import abuse_events, events
from services.background import Background, Gathered
from services.journal.lines import KINDS, SAME, TrailEntry, read_lines, write_line
from services.scripts import Call, Script, ScriptRunner
from utils.clock import Clock

_HERE = Path(__file__).parent
_ADD = Script.load(_HERE / "trail_add.lua")
_ALL = Script.load(_HERE / "trail_all.lua")
_FORGET = Script.load(_HERE / "trail_forget.lua")

_MOST_BYTES = 8_192

# What goes to Redis in one round trip.
_MOST_TOGETHER = 100

# Of refusals and challenges.
_CHEAP = (
    events.LimitReached,
    abuse_events.ChallengeAsked,
    abuse_events.ChallengeChecked,
)
_CHEAP_AT_ONCE = 300.0
_CHEAP_PER_SECOND = 5.0

# When it happened (monotonic), whom it concerns, in which request, and what.
_Item = tuple[float, str, str, events.Event]


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
        self._cheap = _Bucket(_CHEAP_AT_ONCE, _CHEAP_PER_SECOND, clock)

    def take(self, event: events.Event) -> None:
        """Have an event written, if it is about a phone; an ``Emit``."""
        if type(event) not in KINDS or not self.hours:
            return
        if isinstance(event, _CHEAP) and not self._cheap.take():
            return
        for tag in _tags(event):
            self._items.add((self._clock.monotonic(), tag, self._request_id(), event))

    def read(self, tag: str, verification: str | None = None) -> list[TrailEntry]:
        """Return what happened to a phone, oldest first.

        With the fingerprint of a ``verification``: to that, and in the same requests.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        arguments = {"offset_ms": self._offset_ms}
        reply = self._scripts.run(Call(_ALL, [_key(tag)], arguments))
        oldest = (reply["now_ms"] - self._ttl_ms) / 1000
        entries = [it for it in read_lines(reply["text"]) if it.at > oldest]
        entries.sort(key=lambda it: it.at)
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
        by_tag: dict[str, list[tuple[int, str]]] = {}
        last: dict[str, str] = {}
        for at, tag, request_id, event in items:
            is_same = request_id and last.get(tag) == request_id
            line = write_line(event, SAME if is_same else request_id)
            last[tag] = request_id
            by_tag.setdefault(tag, []).append((round((now - at) * 1000), line))
        self._scripts.run_together(
            *(self._add_call(tag, lines) for tag, lines in by_tag.items())
        )

    def _add_call(self, tag: str, lines: Sequence[tuple[int, str]]) -> Call:
        arguments = {
            "most": _MOST_BYTES,
            "ttl_ms": self._ttl_ms,
            "offset_ms": self._offset_ms,
            "lines": lines,
        }
        return Call(_ADD, [_key(tag)], arguments, once=True)


class _Bucket:
    """So many at once, and then so many a second. Safe to share between threads."""

    def __init__(self, most: float, per_second: float, clock: Clock) -> None:
        self._most = most
        self._per_second = per_second
        self._clock = clock
        self._left, self._at = most, clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one, if there is one."""
        with self._lock:
            now = self._clock.monotonic()
            gained = (now - self._at) * self._per_second
            self._left, self._at = min(self._left + gained, self._most), now
            if self._left < 1:
                return False
            self._left -= 1
            return True


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


def _key(tag: str) -> str:
    return f"trail:{{{tag}}}"
