"""Runs Lua scripts on Redis: one round trip each, whatever Redis has forgotten.

A script takes its keys and one JSON document, and answers with one JSON document, so
that arguments have names on both sides. Every script is safe to run again with the
same arguments at once (see ``send_op`` in ``otp/store.py``; a shared limit may count
twice), which is what allows the one retry after a lost connection.
"""

import hashlib
import itertools
import math
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, cast

import orjson
import redis
from redis.exceptions import NoScriptError, RedisError

from services.errors import StoreUnavailable
from services.events import Emit, ScriptRan

Reply = dict[str, Any]
Command = tuple[str | bytes | int, ...]

_SWEEP_EVERY = 1_000

# As long as anybody waits for one answer. Redis that was stalled runs what it was sent
# all the same when it goes on; a refresh token that is used up then is a login lost.
_PATIENCE_MS = 1_000

# What a master says that became a replica, or lost its own; old versions say it within
# another message when a script meets it.
_DEMOTED = ("READONLY", "read only replica", "MASTERDOWN")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script and the digest that Redis knows it by."""

    name: str
    text: str
    sha: str

    @classmethod
    def load(cls, *paths: Path) -> "Script":
        """Read a script from one or more files; it is named after the last one.

        Lua in Redis has no modules: what scripts share is a file put in front.
        """
        text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        return cls(name=paths[-1].stem, text=text, sha=sha)


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script: its keys, all in one Cluster slot, and its arguments.

    ``once``: rather not at all than twice, if the answer is lost. ``timely``: not when
    nobody waits for the answer any more; the script sees to that.
    """

    script: Script
    keys: Sequence[str]
    arguments: dict[str, Any]
    once: bool = False
    timely: bool = False


class Exchange(Protocol):
    """Sends commands and reads their replies, in one round trip."""

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        """Return one reply per command; a refused command's is its exception.

        ``once`` forbids to send them again.
        """
        ...


class _Held:
    """A connection that goes with its thread: kept in a local, closed when dropped."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        # Not the pool's make_connection(): the pool would count it for ever, and run
        # out of connections as threads come and go.
        self.connection = pool.connection_class(**pool.connection_kwargs)
        weakref.finalize(self, self.connection.disconnect)
        self.connection.connect()


class HeldConnections:
    """An ``Exchange`` over one connection per thread: 10.8 us a script, not 19.2.

    A connection that turns out dead is replaced once and the commands sent again.
    """

    def __init__(self, pool: redis.ConnectionPool) -> None:
        """Take the pool for how to connect; none of its own connections is used."""
        self._pool = pool
        self._local = threading.local()

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        """Send and read; once more, where the connection had worked before.

        Raises:
            redis.RedisError: the server cannot be reached, or not in time.
        """
        is_new = not hasattr(self._local, "held")
        try:
            return self._exchange(commands)
        except (redis.ConnectionError, redis.TimeoutError):
            if is_new or once:
                raise
            return self._exchange(commands)

    def _exchange(self, commands: Sequence[Command]) -> list[Any]:
        if not hasattr(self._local, "held"):
            self._local.held = _Held(self._pool)
        connection = self._local.held.connection
        try:
            connection.send_packed_command(
                connection.pack_commands(commands), check_health=False
            )
            return [self._read(connection) for _ in commands]
        except BaseException:
            # Whatever is left unread would be taken for the next command's answer.
            del self._local.held
            connection.disconnect()
            raise

    @staticmethod
    def _read(connection: redis.Connection) -> Any:
        try:
            return connection.read_response(disconnect_on_error=False)
        except redis.ResponseError as refusal:
            if any(word in str(refusal) for word in _DEMOTED):
                # The address may lead to another server by now; this connection never
                # will.
                raise redis.ConnectionError(type(refusal).__name__) from refusal
            return refusal


class EmbeddedConnections:
    """An ``Exchange`` with the embedded store, which lives in this process."""

    def __init__(self, client: redis.Redis) -> None:
        """Take the one client of the store."""
        self._client = client
        self._calls = itertools.count(1)

    def __call__(
        self,
        commands: Sequence[Command],
        *,
        once: bool = False,  # noqa: ARG002 - here every command runs once
    ) -> list[Any]:
        """Run the commands, one at a time.

        Raises:
            redis.RedisError: the store was told to be out of reach.
        """
        if next(self._calls) % _SWEEP_EVERY == 0:
            # The embedded store drops what has expired only when it is looked at.
            self._client.dbsize()
        replies: list[Any] = []
        for command in commands:
            try:
                reply = self._client.execute_command(  # type: ignore[no-untyped-call]
                    *command
                )
                replies.append(reply)
            except redis.ResponseError as refusal:
                replies.append(refusal)
        return replies


class ScriptRunner:
    """Runs scripts by digest, loads those that Redis has lost, and times each."""

    def __init__(self, exchange: Exchange, *, emit: Emit) -> None:
        """Run over ``exchange``; every run is an event."""
        self._exchange = exchange
        self._emit = emit
        # What Redis's clock shows when ours for intervals shows 0; None until asked.
        self._redis_zero_ms: int | None = None

    def run(self, call: Call) -> Reply:
        """Run one script and return its answer.

        Raises:
            StoreUnavailable: Redis cannot be reached, or refused to run it.
        """
        return self.run_together(call)[0]

    def run_together(self, *calls: Call) -> list[Reply]:
        """Run scripts in one round trip, in order, but not as one atomic step.

        Raises:
            StoreUnavailable: Redis cannot be reached, or refused to run one.
        """
        started = time.perf_counter()
        # Each name once: it becomes a metric's label, of which there must be few.
        name = "+".join(dict.fromkeys(call.script.name for call in calls))
        try:
            replies = self._in_time(calls)
        except RedisError as error:
            # Whoever answers next may have another clock.
            self._redis_zero_ms = None
            self._emit(ScriptRan(name, type(error).__name__, _since(started)))
            raise StoreUnavailable(retry_after=1) from error
        self._emit(ScriptRan(name, "ok", _since(started)))
        return replies

    def _in_time(self, calls: Sequence[Call]) -> list[Reply]:
        replies = self._loaded(calls)
        if any("late" in reply for reply in replies):
            # We are still here, so it is not: the clock of Redis was set, or it stalled
            # between two tries.
            self._redis_zero_ms = None
            replies = self._loaded(calls)
            if any("late" in reply for reply in replies):
                raise redis.TimeoutError("Redis's clock jumps")
        return replies

    def _loaded(self, calls: Sequence[Call]) -> list[Reply]:
        timed = [self._timed(call) if call.timely else call for call in calls]
        return [orjson.loads(cast("bytes", reply)) for reply in self._replies(timed)]

    def _timed(self, call: Call) -> Call:
        # Read once: another thread may forget it at any time.
        zero_ms = self._redis_zero_ms
        if zero_ms is None:
            reply = self._exchange([("TIME",)])[0]
            if isinstance(reply, Exception):
                raise reply
            redis_ms = int(reply[0]) * 1_000 + int(reply[1]) // 1_000
            # As if it was read just now: who waits is rather given up early than late.
            zero_ms = self._redis_zero_ms = redis_ms - _now_ms()
        by = zero_ms + _now_ms() + _PATIENCE_MS
        return replace(call, arguments={**call.arguments, "not_after_ms": by})

    def _replies(self, calls: Sequence[Call]) -> list[Any]:
        once = any(call.once for call in calls)
        replies = self._exchange([_command(call) for call in calls], once=once)
        for index, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):
                # SCRIPT FLUSH, a restart, or a replica just promoted.
                script = calls[index].script
                whole = ("EVAL", script.text, *_command(calls[index])[2:])
                replies[index] = self._exchange([whole], once=once)[0]
            if isinstance(replies[index], Exception):
                raise replies[index]
        return replies


def _command(call: Call) -> Command:
    keys = call.keys
    arguments = orjson.dumps(call.arguments)
    return ("EVALSHA", call.script.sha, len(keys), *keys, arguments)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _since(started: float) -> float:
    return time.perf_counter() - started


def whole_seconds(milliseconds: float) -> int:
    """Round up a script's answer: who waits that long is not told to wait again."""
    return math.ceil(milliseconds / 1000)
