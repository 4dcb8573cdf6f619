"""Alerts: what cannot wait for somebody to look, posted to the operator's webhook.

Events are heard as they are told and cost who tells them a microsecond; a round that
comes every second posts what waits, so a receiver that is slow or dead holds up nobody.
The newest alerts wait, in memory: what a process has not posted when it is killed is
lost, and the log has it. Signed as Standard Webhooks says; ``webhook-id`` stays when an
alert is posted again.
"""

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import orjson

from services.abuse_events import AlertSent, PhoneWasDisabled
from services.alert_words import TRIAL, Alert, alert_of, phones_alert
from services.events import Emit, Event
from services.outcomes import AlertOutcome
from services.standard_webhooks import sign_headers
from utils.clock import Clock
from utils.crypto import random_text

# How many alerts wait at most; who comes back to more reads the report instead.
MOST_WAITING = 100
# An alert of this morning wakes nobody for the better.
_LATE_SECONDS = 6 * 3_600.0

# After each failure in a row; the last one from then on.
_PAUSES_SECONDS = (5.0, 30.0, 120.0, 300.0)
# No alert is begun later in a round: the process may be waiting to end.
_ROUND_SECONDS = 2.0

# The same is not told again for so long, nor more than so many of a kind.
_MUTED_SECONDS = 600.0
_MOST_OF_A_GROUP = 10

# Phones are counted over so long; how many of them are worth an alert is configured.
_PHONES_SECONDS = 3_600
_MOST_PHONES = 1_000

_ID_BYTES = 12

_OK = range(200, 300)
# It will say the same again, but for these two: too slow, too many (RFC 9110, 6585).
_NO = frozenset(range(400, 500)) - {408, 429}


class NoAnswer(Exception):
    """Nobody answered, or not in time."""


class Receiver(Protocol):
    """Where alerts go."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Post JSON, with these headers besides, and return the answer's status.

        Raises:
            NoAnswer: there was none.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An alert as it will be posted; ``at`` is monotonic."""

    id: str
    kind: str
    at: float
    body: bytes


class Alerts:
    """Tells events on, and makes alerts of some. Safe to share between threads."""

    def __init__(
        self,
        receiver: Receiver | None,
        *,
        key: bytes,
        disabled_phones: int,
        clock: Clock,
        emit: Emit,
    ) -> None:
        """Sign with ``key``; without a receiver events are told on, and no more.

        So many ``disabled_phones`` in an hour are an alert.
        """
        self._receiver = receiver
        self._key = key
        self._disabled_phones = disabled_phones
        self._clock = clock
        self._emit = emit
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        # What was told lately, oldest first: when (monotonic), of whom, which group.
        self._told: deque[tuple[float, str, str]] = deque()
        self._muted: Counter[str] = Counter()
        self._phones: deque[float] = deque(maxlen=_MOST_PHONES)
        self._failures = 0
        self._resume_at = float("-inf")

    def emit(self, event: Event) -> None:
        """Tell an event on, and have it posted if it is worth an alert; an ``Emit``."""
        self._emit(event)
        if self._receiver is None:
            return
        alert = self._alert_of(event)
        if alert is not None:
            self._take(alert)

    def deliver(self) -> None:
        """Post what waits, unless the receiver failed just now."""
        if self._receiver is None or self._clock.monotonic() < self._resume_at:
            return
        until = self._clock.monotonic() + _ROUND_SECONDS
        while self._clock.monotonic() <= until:
            waiting = self._next()
            if waiting is None:
                return
            outcome = self._post(self._receiver, waiting)
            self._emit(AlertSent(waiting.kind, outcome))
            if outcome == "failed":
                self._pause(waiting)
                return
            self._failures = 0

    def try_out(self) -> None:
        """Post an alert of type ``test``, now."""
        self._take(TRIAL)
        self.deliver()

    def _alert_of(self, event: Event) -> Alert | None:
        if not isinstance(event, PhoneWasDisabled):
            return alert_of(event)
        now = self._clock.monotonic()
        with self._lock:
            self._phones.append(now)
            phones = sum(it > now - _PHONES_SECONDS for it in self._phones)
        if phones < self._disabled_phones:
            return None
        return phones_alert(phones, _PHONES_SECONDS)

    def _take(self, alert: Alert) -> None:
        """Queue an alert that is news; the oldest makes room for it."""
        now = self._clock.monotonic()
        dropped: _Waiting | None = None
        with self._lock:
            if is_news := self._is_news(alert, now):
                muted = self._muted.pop(alert.group, 0)
                waiting = self._write(alert, muted, now)
                if len(self._queue) >= MOST_WAITING:
                    dropped = self._queue.popleft()
                self._queue.append(waiting)
            else:
                self._muted[alert.group] += 1
        if not is_news:
            self._emit(AlertSent(alert.type, "muted"))
        if dropped:
            self._emit(AlertSent(dropped.kind, "dropped"))

    def _is_news(self, alert: Alert, now: float) -> bool:
        """Tell, and remember, whether an alert says what was not said lately."""
        while self._told and self._told[0][0] <= now - _MUTED_SECONDS:
            self._told.popleft()
        of_subject = [it for _, subject, it in self._told if subject == alert.subject]
        if of_subject and of_subject[-1] == alert.group:
            return False
        groups = [group for _, _, group in self._told]
        if groups.count(alert.group) >= _MOST_OF_A_GROUP:
            return False
        self._told.append((now, alert.subject, alert.group))
        return True

    def _write(self, alert: Alert, muted: int, now: float) -> _Waiting:
        moment = datetime.fromtimestamp(self._clock.now(), UTC)
        document = {
            "type": alert.type,
            "timestamp": moment.isoformat(timespec="milliseconds")[:-6] + "Z",
            "data": {
                "level": alert.level,
                "message": alert.message,
                **alert.data,
                "muted": muted,
            },
        }
        id_ = f"alert_{random_text(_ID_BYTES)}"
        return _Waiting(id=id_, kind=alert.type, at=now, body=orjson.dumps(document))

    def _next(self) -> _Waiting | None:
        """Take the oldest alert that is not too old."""
        while True:
            with self._lock:
                waiting = self._queue.popleft() if self._queue else None
            if waiting is None:
                return None
            if waiting.at > self._clock.monotonic() - _LATE_SECONDS:
                return waiting
            self._emit(AlertSent(waiting.kind, "late"))

    def _post(self, receiver: Receiver, waiting: _Waiting) -> AlertOutcome:
        headers = sign_headers(
            self._key,
            message_id=waiting.id,
            now=self._clock.now(),
            body=waiting.body,
        )
        try:
            status = receiver.post(waiting.body, headers)
        except NoAnswer:
            return "failed"
        if status in _OK:
            return "sent"
        return "refused" if status in _NO else "failed"

    def _pause(self, waiting: _Waiting) -> None:
        """Keep an alert for later, when the receiver may be there again."""
        last = len(_PAUSES_SECONDS) - 1
        pause = _PAUSES_SECONDS[min(self._failures, last)]
        self._failures += 1
        self._resume_at = self._clock.monotonic() + pause
        with self._lock:
            has_room = len(self._queue) < MOST_WAITING
            if has_room:
                self._queue.appendleft(waiting)
        if not has_room:
            self._emit(AlertSent(waiting.kind, "dropped"))
