"""How much a slow vendor costs: sends under way side by side, and what they add."""

from dataclasses import dataclass

from benchmarks.load import Answered, run_wrk
from benchmarks.processes import Process
from benchmarks.rules import rule
from benchmarks.workload import Phones, sends

IN_FLIGHT = 200
VENDOR_SECONDS = 0.3
IDEAL_PER_SECOND = IN_FLIGHT / VENDOR_SECONDS
_WARM_UP_SECONDS = 2
# More than any run could send.
_PHONES_PER_SECOND = 1_000


@dataclass(frozen=True, slots=True)
class SlowRun:
    """Sends per second, and the 99th percentile of what was added to the vendor's."""

    per_second: float
    per_cpu_second: float
    added_p99_ms: float
    problem: str


def measure_slow_vendor(
    service: Process, simulator: Process, phones: Phones, *, seconds: int, rounds: int
) -> list[SlowRun]:
    """Keep 200 sends in flight while the simulator takes 300 ms for each."""
    with rule(simulator, "wait", seconds=VENDOR_SECONDS):
        return [_run(service, phones, seconds) for _ in range(rounds)]


def _run(service: Process, phones: Phones, seconds: int) -> SlowRun:
    # Threads and their connections come about with the first requests.
    _send(service, phones, _WARM_UP_SECONDS)
    cpu = service.cpu_seconds()
    found = _send(service, phones, seconds)
    cpu = service.cpu_seconds() - cpu
    return SlowRun(
        per_second=found.requests / found.seconds,
        per_cpu_second=found.requests / cpu,
        added_p99_ms=found.p99_ms - VENDOR_SECONDS * 1000,
        problem=found.problem,
    )


def _send(service: Process, phones: Phones, seconds: int) -> Answered:
    load = sends(phones.take(seconds * _PHONES_PER_SECOND))
    return run_wrk(load, service.port, seconds, connections=IN_FLIGHT)
