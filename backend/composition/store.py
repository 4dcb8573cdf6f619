"""Opens what the services keep things in."""

import fakeredis
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.config import Settings
from services.events import Emit
from services.scripts import EmbeddedConnections, HeldConnections, ScriptRunner

# A client of Redis, and what runs scripts on it.
Store = tuple[redis.Redis, ScriptRunner]

# Redis is near and fast; when it takes longer than this it is as good as gone.
_REDIS_TIMEOUT_SECONDS = 1.0


def find_redis_fault(settings: Settings) -> str | None:
    """Say what is wrong with the store's address, if anything is."""
    if settings.redis_url is None:
        return None
    try:
        pool = _pool(settings.redis_url.get_secret_value())
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError, redis.RedisError):
        return "REDIS_URL: has an option that is unknown or not valid"
    return None


def open_redis(settings: Settings, emit: Emit) -> Store:
    """Return a client of the store, and what runs scripts on it."""
    if settings.redis_url is None:
        embedded = fakeredis.FakeRedis(server=fakeredis.FakeServer())
        return embedded, ScriptRunner(EmbeddedConnections(embedded), emit=emit)
    pool = _pool(settings.redis_url.get_secret_value())
    return redis.Redis(connection_pool=pool), ScriptRunner(
        HeldConnections(pool), emit=emit
    )


def _pool(url: str) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(
        url,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        # What is tried again, and when, is decided in services/scripts.py.
        retry=Retry(NoBackoff(), 0),
    )
