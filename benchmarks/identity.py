"""Sessions in bulk: copied from a real login, refreshed, and asked about."""

import base64
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

import orjson
import redis

from backend.composition.secrets import secrets_of
from benchmarks.load import Load, run_wrk
from benchmarks.processes import Process
from benchmarks.workload import (
    Phones,
    console_settings,
    read_pending,
    right_guesses,
    sends,
)
from config.config import load_settings
from services.identity.people.refresh_tokens import RefreshTokens
from tests.services.identity.clients.service_clients import write_client_file
from utils.crypto import random_text

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
CLIENT_ID = "svc-bench"
_TAG_BYTES, _RANDOM_BYTES = 12, 16
# What a session weighs is told by as many.
FEW = 1_000
_PER_PIPELINE = 5_000
_LATENCY_SECONDS = 4
_TIMES = 10


@dataclass(frozen=True, slots=True)
class Crowd:
    """How Redis and a refresh fare with many sessions, against few."""

    sessions: int
    bytes_each: float
    few_p50_ms: float
    few_p99_ms: float
    many_p50_ms: float
    many_p99_ms: float
    problem: str


class Client:
    """A service client that the service knows from its file."""

    def __init__(self) -> None:
        """Make its secret, and the file that declares it."""
        self._folder = tempfile.TemporaryDirectory(prefix="quickcart-bench-")
        self.file = Path(self._folder.name, "clients.toml")
        secret = write_client_file(self.file, CLIENT_ID, "token:introspect")
        basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
        self.headers = {**FORM, "Authorization": f"Basic {basic}"}

    def close(self) -> None:
        """Leave nothing behind."""
        self._folder.cleanup()


class Logins:
    """Makes sessions as a login leaves them, thousands at a time."""

    def __init__(self, client: redis.Redis, service: Process, phones: Phones) -> None:
        """Log one phone in through ``service``, as the model for all copies."""
        self._client = client
        settings = load_settings(environ=console_settings(0), env_file=None)
        self._tokens = RefreshTokens(secrets_of(settings).keys("refresh token"))
        asked = sends(phones.take(1_000))
        bodies = run_wrk(asked, service.port, 1, keep_bodies=True).bodies
        numbers = [orjson.loads(line)["phone"] for line in asked.lines]
        pending = list(read_pending(bodies[:1], numbers))
        answered = run_wrk(right_guesses(pending), service.port, 1)
        assert answered.requests, "no login"
        key = next(iter(client.scan_iter("ses:*")))
        stored = orjson.loads(client.get(key) or b"")
        self._session = next(iter(stored["sessions"].values()))
        self._ttl_ms = int(client.pttl(key))

    def make(self, how_many: int) -> Iterator[str]:
        """Store sessions of as many people; yield their ids."""
        left = how_many
        while left > 0:
            tags = [random_text(_TAG_BYTES) for _ in range(min(left, _PER_PIPELINE))]
            left -= len(tags)
            with self._client.pipeline(transaction=False) as pipeline:
                for tag in tags:
                    random = random_text(_RANDOM_BYTES)
                    value = orjson.dumps({"sessions": {random: self._session}})
                    pipeline.set(f"ses:{{{tag}}}", value, px=self._ttl_ms)
                    yield tag + random
                pipeline.execute()

    def refreshes(self, sessions: Sequence[str], *, times: int = 1) -> Load:
        """Refresh every session, then every one again, each time by its next token."""
        return Load(
            "/api/token",
            [
                urlencode(
                    {
                        "grant_type": "refresh_token",
                        "refresh_token": self._tokens.write(session, counter),
                    }
                )
                for counter in range(times)
                for session in sessions
            ],
            200,
            headers=FORM,
        )


def introspections(access_tokens: Sequence[str], client: Client) -> Load:
    """Ask about the same tokens again and again, as services do."""
    lines = [urlencode({"token": it}) for it in access_tokens]
    return Load(
        "/api/token/introspect", lines, 200, repeats=True, headers=client.headers
    )


def access_tokens(logins: Logins, service: Process, how_many: int) -> list[str]:
    """Return access tokens of as many sessions at most."""
    load = logins.refreshes(list(logins.make(how_many)))
    bodies = run_wrk(load, service.port, 1, keep_bodies=True).bodies
    found = [orjson.loads(it) for it in islice(bodies, how_many)]
    return [it["access_token"] for it in found if "access_token" in it]


def measure_crowd(
    client: redis.Redis, service: Process, logins: Logins, *, many: int
) -> Crowd:
    """Fill Redis with ``many`` sessions, and refresh among them and among few."""
    client.flushall()
    few = logins.refreshes(list(logins.make(FEW)), times=_TIMES)
    among_few = run_wrk(few, service.port, _LATENCY_SECONDS, connections=1)
    client.flushall()
    before = _used_bytes(client)
    sessions = list(logins.make(many))
    bytes_each = (_used_bytes(client) - before) / many
    some = sessions[:: max(1, many // (FEW * _TIMES))]
    load = logins.refreshes(some)
    among_many = run_wrk(load, service.port, _LATENCY_SECONDS, connections=1)
    client.flushall()
    return Crowd(
        sessions=many,
        bytes_each=bytes_each,
        few_p50_ms=among_few.p50_ms,
        few_p99_ms=among_few.p99_ms,
        many_p50_ms=among_many.p50_ms,
        many_p99_ms=among_many.p99_ms,
        problem=among_few.problem or among_many.problem,
    )


def _used_bytes(client: redis.Redis) -> int:
    memory = client.info("memory")
    return int(memory["used_memory"]) - int(memory["mem_clients_normal"])
