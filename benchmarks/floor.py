"""The floor: a Flask route that does one EVALSHA and nothing else.

No service on Flask, Redis and this server can be faster. It runs on the same server,
with the same options, and holds one connection per thread as the service does.
"""

import os
import threading
from typing import Any

import redis
from flask import Flask, Response

from config.config import load_settings
from config.server import serve, server_options

# One command on a key with a TTL, so that it does what the shortest script would.
SCRIPT = "return redis.call('SET', KEYS[1], ARGV[1], 'PX', 300000)"


def create_app(redis_url: str) -> Flask:
    """Return an application of one route."""
    pool = redis.ConnectionPool.from_url(redis_url, socket_timeout=1.0)
    with redis.Redis.from_url(redis_url) as client:
        sha = client.script_load(SCRIPT)
    held = threading.local()
    app = Flask(__name__, static_folder=None)

    @app.post("/floor")
    def floor() -> Response:
        connection: Any = getattr(held, "connection", None)
        if connection is None:
            connection = held.connection = pool.make_connection()
            connection.connect()
        connection.send_command("EVALSHA", sha, 1, "floor", "1", check_health=False)
        return Response(connection.read_response(), content_type="text/plain")

    return app


if __name__ == "__main__":
    serve("benchmarks.floor:app", server_options(load_settings(env_file=None)))
else:
    app = create_app(os.environ.get("REDIS_URL", "redis://127.0.0.1"))
