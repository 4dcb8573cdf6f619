"""Services of different secrets use one Redis, one after the other."""

import pytest
import redis

from tests.redis_server import RedisServer


@pytest.fixture(scope="module", autouse=True)
def _without_standing_records(redis_server: RedisServer) -> None:
    """Empty Redis: a service refuses to start where another subject key is known."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
