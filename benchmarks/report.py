"""Turns what was measured into one page, for the terminal and for report.md."""

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.footprint import Footprint, Operation
from benchmarks.measure import Row
from benchmarks.slow_vendor import (
    IDEAL_PER_SECOND,
    IN_FLIGHT,
    VENDOR_SECONDS,
    SlowRun,
)

_SHARE_OF_IDEAL = 0.9
_MOST_BYTES = 700


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one run of the benchmark measured."""

    command: str
    floor: Row
    rows: Sequence[Row]
    slow: Sequence[SlowRun]
    footprint: Footprint
    operations: Sequence[Operation]
    redis_version: str
    seconds: float

    @property
    def void(self) -> list[str]:
        """What did not count, and why."""
        rows = [self.floor, *self.rows]
        runs = [f"{row.name}: {problem}" for row in rows for problem in row.void]
        slow = [f"slow vendor: {run.problem}" for run in self.slow if run.problem]
        return runs + slow


def write_report(found: Found) -> str:
    """Return the page, as Markdown that reads well in a terminal, too."""
    parts = [_head(found), _speed(found), _slow(found), _bytes(found), _trips(found)]
    if found.void:
        void = "\n".join(f"- {problem}" for problem in found.void)
        parts.append(f"## Void\n\nThese runs count for nothing:\n\n{void}")
    return "\n\n".join(parts) + "\n"


def _head(found: Found) -> str:
    today = datetime.now(UTC).date()
    return f"""# Benchmark

`{found.command}`, {today}, {found.seconds:.0f} s in all. {_machine()}, \
Python {platform.python_version()}, Redis {found.redis_version}, wrk.

Load, Redis, simulator and service share the machine, so requests/s are no capacity;
requests per CPU-second of the server's process tree can be compared. Service and floor
run on granian with 2 workers of 128 threads. Each run of the service stands between
two runs of the floor; ratios are to these two, and every number is a median."""


def _machine() -> str:
    model = "unknown CPU"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{os.cpu_count()} x {model}"


def _speed(found: Found) -> str:
    head = (
        "requests/s",
        "per CPU-second",
        "of the floor",
        "p50 ms",
        "p99 ms",
        "Redis CPU us",
        "target",
    )
    rows = [_speed_row(row, found.floor) for row in (found.floor, *found.rows)]
    return f"""## Speed

{_table(("", *head), rows)}

The floor is a Flask route that does one EVALSHA on a connection held per thread, and
nothing else. The console provider costs nothing of the network, so its send is the
service's own work; Twilio is the simulator, answering at once over HTTP."""


def _speed_row(row: Row, floor: Row) -> tuple[str, ...]:
    if not row.runs or (row is not floor and not row.ratios):
        return (row.name, *["void"] * 7)
    ratio = 1.0 if row is floor else row.ratio
    return (
        row.name,
        f"{row.typical(lambda it: it.per_second):,.0f}",
        f"{row.typical(lambda it: it.per_cpu_second):,.0f}",
        f"{ratio:.2f}",
        f"{row.typical(lambda it: it.p50_ms):.1f}",
        f"{row.typical(lambda it: it.p99_ms):.1f}",
        f"{row.typical(lambda it: it.redis_us):.0f}",
        _verdict(f">= {row.target}", holds=ratio >= row.target) if row.target else "",
    )


def _slow(found: Found) -> str:
    good = [run for run in found.slow if not run.problem]
    title = f"## {IN_FLIGHT} sends in flight, vendor answers in {VENDOR_SECONDS} s"
    if not good:
        return f"{title}\n\nvoid"
    rate = median(run.per_second for run in good)
    share = rate / IDEAL_PER_SECOND
    verdict = _verdict(
        f">= {_SHARE_OF_IDEAL:.0%}", holds=share >= _SHARE_OF_IDEAL and not found.void
    )
    row = (
        f"{rate:.0f}",
        f"{IDEAL_PER_SECOND:.0f}",
        f"{share:.0%}",
        f"{median(run.added_p99_ms for run in good):.0f}",
        f"{median(run.per_cpu_second for run in good):.0f}",
        verdict,
    )
    head = ("sends/s", "ideal", "share", "added p99 ms", "per CPU-second", "target")
    return f"{title}\n\n{_table(head, [row])}"


def _bytes(found: Found) -> str:
    it = found.footprint
    verdict = _verdict(f"<= {_MOST_BYTES}", holds=it.bytes_each <= _MOST_BYTES)
    row = (
        f"{it.bytes_each:.0f}",
        f"{it.record_bytes:.0f}",
        f"{it.keys_each:.2f}",
        f"{it.verifications:,}",
        verdict,
    )
    head = ("bytes each", "of it the phone's record", "keys each", "sent", "target")
    return f"""## Redis memory per pending verification

{_table(head, [row])}

Used memory before and after sends to distinct phones from one address, all keys and
tables counted. Hardly two phones share a prefix, which is the dearest case: each then
has a counter of its own."""


def _trips(found: Found) -> str:
    head = ("", "round trips", "scripts", "commands in them", "target", "which")
    rows = [
        (
            it.name,
            f"{it.round_trips:.2f}",
            f"{it.scripts:g}",
            f"{it.commands:g}",
            _verdict(f"<= {it.at_most}", holds=it.round_trips <= it.at_most),
            it.detail,
        )
        for it in found.operations
    ]
    return f"""## Redis work per operation

{_table(head, rows)}

Counted by Redis: round trips are the reads it made from clients, commands those in
INFO commandstats."""


def _verdict(target: str, *, holds: bool) -> str:
    return f"{target}: {'holds' if holds else 'does not hold'}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(_lines(head, rows, widths))


def _lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]
) -> Iterator[str]:
    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        return f"| {' | '.join(padded)} |"

    yield line(head)
    yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    yield from (line(row) for row in rows)
