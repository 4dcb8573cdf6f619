"""Whether Redis takes what we write, and keeps what we trust it with."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis

# Any other policy drops counters and locks under pressure, which opens the limits.
_REQUIRED_POLICY = "noeviction"

_PROBE = "lim:{all}:probe:"
_PROBE_MS = 60_000


@dataclass(frozen=True, slots=True)
class RedisHealth:
    """What a look at Redis found; ``problem`` is empty when all is well."""

    problem: str
    seconds: float


def check_redis(
    client: redis.Redis, *, embedded: bool, check_names: Callable[[], str]
) -> RedisHealth:
    """Write to Redis, read its eviction policy, and check the names; never raises.

    A write, because a server that is full, or a replica, still answers a ping. The
    ``embedded`` store has no policy to read, and drops nothing. ``check_names`` says
    what is wrong with the names in it, or nothing, and raises ``redis.RedisError``
    when it cannot.
    """
    started = time.perf_counter()
    try:
        client.set(_PROBE, "1", px=_PROBE_MS)
        policy = _REQUIRED_POLICY if embedded else _policy(client)
        problem = check_names()
    except redis.RedisError as error:
        # Its class says enough; its text may hold the address.
        problem = f"cannot be written to ({type(error).__name__})"
        return RedisHealth(problem, time.perf_counter() - started)
    if policy != _REQUIRED_POLICY:
        problem = f"maxmemory-policy is {policy}"
    return RedisHealth(problem, time.perf_counter() - started)


def _policy(client: redis.Redis) -> str:
    # INFO, because managed services forbid CONFIG.
    found = client.info("memory")
    return str(found.get("maxmemory_policy", "unknown"))
