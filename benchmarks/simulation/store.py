"""Redis with the simulation's clock: its scripts take their time from the offset."""

import hashlib
from collections.abc import Sequence
from typing import Any

import redis

from backend.composition.store import Store
from config.config import Settings
from services.events import Emit
from services.scripts import Command, Exchange, HeldConnections, ScriptRunner

# With this for a time a script's "now" is the offset that it is given. Adding real time
# to it would let the speed of this machine into the results.
_REAL_TIME = "redis.call('TIME')"
_NO_TIME = "({ 0, 0 })"


class SimulatedTime:
    """An ``Exchange`` on which scripts run without the server's own clock."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._digests: dict[object, str] = {}

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        """Send the commands, each script in its altered form."""
        return self._exchange([self._alter(it) for it in commands], once=once)

    def _alter(self, command: Command) -> Command:
        if command == ("TIME",):
            return command
        verb, script, *rest = command
        if verb == "EVALSHA":
            # One not sent before is unknown to the server, which then asks for it.
            return (verb, self._digests.get(script, script), *rest)
        assert verb == "EVAL", verb
        text = str(script)
        altered = text.replace(_REAL_TIME, _NO_TIME)
        assert "'TIME'" not in altered
        self._digests[_digest(text)] = _digest(altered)
        return (verb, altered, *rest)


def open_store(settings: Settings, emit: Emit) -> Store:
    """Open the real server that the settings name."""
    assert settings.redis_url is not None
    client = redis.Redis.from_url(settings.redis_url.get_secret_value())
    exchange = SimulatedTime(HeldConnections(client.connection_pool))
    return client, ScriptRunner(exchange, emit=emit)


def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
