"""What receipts cost the service: CPU time per send, until the last one is taken in."""

import time
from dataclasses import dataclass

import orjson

from benchmarks.load import run_wrk
from benchmarks.processes import Process
from benchmarks.rules import ask_simulator
from benchmarks.workload import Phones, sends

# Few enough that the simulator can send two receipts for each message.
_CONNECTIONS = 4
_REQUESTS_PER_SECOND = 6_000
# A service at rest does less than this in a second.
_REST_CPU_SECONDS = 0.04
_MOST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ReceiptRun:
    """CPU time per send, of a service without receipts and of one with."""

    without_ms: float
    with_ms: float
    problem: str

    @property
    def ratio(self) -> float:
        """How much dearer receipts make a send."""
        return self.with_ms / self.without_ms


def measure_receipts(
    without: Process,
    with_receipts: Process,
    simulator: Process,
    phones: Phones,
    *,
    seconds: int,
    rounds: int,
) -> list[ReceiptRun]:
    """Send through each for a while, one after the other.

    The simulator posts two receipts for each message of the second.
    """
    _warm_up([without, with_receipts], phones)
    runs = []
    for _ in range(rounds):
        ask_simulator(simulator, "DELETE", "receipts")
        plain, problem = _cpu_ms(without, phones, seconds)
        followed, other = _cpu_ms(with_receipts, phones, seconds)
        problem = problem or other or _refused(simulator)
        runs.append(ReceiptRun(plain, followed, problem))
    return runs


def _warm_up(services: list[Process], phones: Phones) -> None:
    for service in services:
        _cpu_ms(service, phones, 1)


def _cpu_ms(service: Process, phones: Phones, seconds: int) -> tuple[float, str]:
    load = sends(phones.take(seconds * _REQUESTS_PER_SECOND))
    before = service.cpu_seconds()
    found = run_wrk(load, service.port, seconds, connections=_CONNECTIONS)
    _wait_until_it_rests(service)
    cpu = service.cpu_seconds() - before
    return cpu / found.requests * 1000, found.problem


def _wait_until_it_rests(service: Process) -> None:
    for _ in range(_MOST_SECONDS):
        before = service.cpu_seconds()
        time.sleep(1)
        if service.cpu_seconds() - before < _REST_CPU_SECONDS:
            return
    raise RuntimeError("the service does not come to rest")


def _refused(simulator: Process) -> str:
    """Say what became of the receipts that were not taken in."""
    posted = orjson.loads(ask_simulator(simulator, "GET", "receipts"))["receipts"]
    others = {it["http_status"] for it in posted} - {204}
    if not posted:
        return "no receipt was sent"
    return f"receipts were answered {others}" if others else ""
