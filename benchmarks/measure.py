"""Runs each load between two runs of the floor, and keeps what can be compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from benchmarks.load import Answered, Load, run_wrk
from benchmarks.processes import Process

_WARM_UP_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One load on one server, in units that can be compared.

    CPU time is that of the server's whole process tree. Requests per CPU-second say
    more than requests per second: load, Redis and simulator share the cores.
    """

    per_second: float
    per_cpu_second: float
    redis_us: float
    p50_ms: float
    p99_ms: float


@dataclass(slots=True)
class Row:
    """All runs of one load, and how each stands to the floor around it."""

    name: str
    target: float | None = None
    runs: list[Run] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)
    void: list[str] = field(default_factory=list)

    def typical(self, value: Callable[[Run], float]) -> float:
        """Return the median over the runs."""
        return median(value(run) for run in self.runs)

    @property
    def ratio(self) -> float:
        """The median of the ratios to the floor, in requests per CPU-second."""
        return median(self.ratios)


@dataclass(frozen=True, slots=True)
class Case:
    """A load and the server it is for; ``make`` prepares it anew for every run."""

    row: Row
    server: Process
    make: Callable[[], Load]
    # Is told what was left over of a load.
    settle: Callable[[int], None] = lambda _: None


class Bench:
    """Measures cases against the floor, on one Redis."""

    def __init__(self, *, redis: Process, floor: Case, seconds: float) -> None:
        """``seconds`` is how long one run takes."""
        self._redis = redis
        self._floor = floor
        self._seconds = seconds

    def warm_up(self, servers: Sequence[tuple[Process, Load]]) -> None:
        """Let every server open its connections and load what it loads late."""
        for server, load in servers:
            run_wrk(load, server.port, _WARM_UP_SECONDS)

    def round(self, cases: Sequence[Case]) -> None:
        """Run every case once, each between two runs of the floor."""
        before = self._run(self._floor)
        for case in cases:
            found = self._run(case)
            after = self._run(self._floor)
            around = [it.per_cpu_second for it in (before, after) if it]
            if found and around:
                case.row.ratios.append(found.per_cpu_second / fmean(around))
            before = after

    def _run(self, case: Case) -> Run | None:
        load = case.make()
        cpu, redis_cpu = case.server.cpu_seconds(), self._redis.cpu_seconds()
        answered = run_wrk(load, case.server.port, self._seconds)
        cpu = case.server.cpu_seconds() - cpu
        redis_cpu = self._redis.cpu_seconds() - redis_cpu
        case.settle(answered.issued)
        if answered.problem:
            case.row.void.append(answered.problem)
            return None
        run = _in_units(answered, cpu, redis_cpu)
        case.row.runs.append(run)
        return run


def _in_units(answered: Answered, cpu: float, redis_cpu: float) -> Run:
    return Run(
        per_second=answered.requests / answered.seconds,
        per_cpu_second=answered.requests / cpu,
        redis_us=redis_cpu / answered.requests * 1e6,
        p50_ms=answered.p50_ms,
        p99_ms=answered.p99_ms,
    )
