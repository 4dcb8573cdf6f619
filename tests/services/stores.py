"""Stores to test on: the embedded one, a real server, and a moved clock for both."""

from dataclasses import dataclass, field
from typing import Any

import fakeredis
import redis

from services.events import Event
from services.scripts import EmbeddedConnections, HeldConnections, ScriptRunner
from tests.fakes import FakeClock


@dataclass
class Store:
    """A Redis to test on, its scripts, and what they emitted."""

    client: redis.Redis
    scripts: ScriptRunner
    clock: FakeClock
    events: list[Event] = field(default_factory=list)
    pools: tuple[redis.ConnectionPool, ...] = ()

    def offset(self) -> float:
        return self.clock.offset

    def close(self) -> None:
        """Let go of every connection."""
        for it in self.pools:
            it.disconnect()

    def dump(self) -> dict[str, Any]:
        """Return every key with its value and what it has left to live."""
        found: dict[str, Any] = {}
        for key in self.client.scan_iter("*"):
            kind = self.client.type(key)
            value: Any
            match kind:
                case b"hash":
                    value = self.client.hgetall(key)
                case b"zset":
                    value = self.client.zrange(key, 0, -1, withscores=True)
                case b"list":
                    value = self.client.lrange(key, 0, -1)
                case b"stream":
                    value = self.client.xrange(key)
                case _:
                    value = self.client.get(key)
            found[key.decode()] = (value, self.client.pttl(key))
        return found


def open_embedded() -> Store:
    client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
    events: list[Event] = []
    scripts = ScriptRunner(EmbeddedConnections(client), emit=events.append)
    return Store(client, scripts, FakeClock(), events)


def open_real(url: str) -> Store:
    client = redis.Redis.from_url(url)
    events: list[Event] = []
    pool = redis.ConnectionPool.from_url(url)
    scripts = ScriptRunner(HeldConnections(pool), emit=events.append)
    pools = (pool, client.connection_pool)
    return Store(client, scripts, FakeClock(), events, pools)
