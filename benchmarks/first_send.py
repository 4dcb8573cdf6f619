"""How long the first send takes after a start, and how long those after it."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, RemoteDisconnected
from statistics import median

import redis

from benchmarks.processes import Process
from benchmarks.workload import Phones, sends

_REST = 30
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the service: its first send, and the median of those after it."""

    first_ms: float
    rest_ms: float

    @property
    def later_ms(self) -> float:
        """How much later the first is answered."""
        return self.first_ms - self.rest_ms


def measure_starts(
    client: redis.Redis, start: Callable[[], Process], phones: Phones, *, starts: int
) -> list[Start]:
    """Start the service anew each time, on a Redis that has forgotten its scripts."""
    return [_measure(client, start, phones) for _ in range(starts)]


def _measure(
    client: redis.Redis, start: Callable[[], Process], phones: Phones
) -> Start:
    client.script_flush()
    with start() as service:
        # One connection, so that all go to the worker that answers the first.
        http = _connect(service.port)
        load = sends(phones.take(1 + _REST))
        times = [_time(http, load.path, line) for line in load.lines]
        http.close()
    return Start(first_ms=times[0], rest_ms=median(times[1:]))


def _connect(port: int) -> HTTPConnection:
    """Return a connection on which the service has said that it is alive."""
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up:
        http = HTTPConnection("127.0.0.1", port)
        with suppress(OSError, RemoteDisconnected):
            http.request("GET", "/livez")
            response = http.getresponse()
            response.read()
            if response.status == 200:
                return http
        http.close()
        time.sleep(0.05)
    raise RuntimeError("did not answer")


def _time(http: HTTPConnection, path: str, line: str) -> float:
    headers = {"Content-Type": "application/json"}
    began = time.perf_counter()
    http.request("POST", path, body=line, headers=headers)
    response = http.getresponse()
    response.read()
    seconds = time.perf_counter() - began
    assert response.status == 202
    return seconds * 1000
