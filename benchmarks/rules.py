"""Tells the simulator how to behave for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import orjson

from benchmarks.processes import Process


@contextmanager
def rule(simulator: Process, action: str, **details: float) -> Iterator[None]:
    """Have every vendor behave so, until the end of the block."""
    body = orjson.dumps({"action": action, **details})
    ask_simulator(simulator, "POST", "rules", body)
    try:
        yield
    finally:
        ask_simulator(simulator, "DELETE", "rules")


def ask_simulator(
    simulator: Process, method: str, what: str, body: bytes = b""
) -> bytes:
    """Ask it something outside the vendors' own interfaces, and return the answer."""
    connection = HTTPConnection("127.0.0.1", simulator.port)
    connection.request(method, f"/_simulator/{what}", body=body)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    assert response.status in {200, 201, 202, 204}
    return answer
