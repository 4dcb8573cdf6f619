"""Turns what was measured into one page, for the terminal and for report.md."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.defence import DefenceRun
from benchmarks.first_send import Start
from benchmarks.footprint import Footprint, Operation
from benchmarks.identity import Crowd
from benchmarks.identity_report import write_kit, write_sessions
from benchmarks.measure import Row
from benchmarks.receipts import ReceiptRun
from benchmarks.slow_vendor import (
    IDEAL_PER_SECOND,
    IN_FLIGHT,
    VENDOR_SECONDS,
    SlowRun,
)
from benchmarks.tables import table, verdict
from benchmarks.vendor_cost import VendorCost

_SHARE_OF_IDEAL = 0.9
_MOST_BYTES = 700
_MOST_VENDOR_MS = 1.2
_MOST_LATER_MS = 150
# All defences together may cost a quarter of the sends.
_LEFT_OF_SENDS = 0.75


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that one run of the benchmark measured."""

    command: str
    floor: Row
    rows: Sequence[Row]
    vendors: Sequence[VendorCost]
    slow: Sequence[SlowRun]
    starts: Sequence[Start]
    receipts: Sequence[ReceiptRun]
    defence: Sequence[DefenceRun]
    crowd: Crowd
    kit: tuple[float, float]
    footprint: Footprint
    followed: Footprint
    operations: Sequence[Operation]
    redis_version: str
    seconds: float

    @property
    def void(self) -> list[str]:
        """What did not count, and why."""
        rows = [self.floor, *self.rows]
        runs = [f"{row.name}: {problem}" for row in rows for problem in row.void]
        slow = [f"slow vendor: {run.problem}" for run in self.slow if run.problem]
        receipts = [f"receipts: {run.problem}" for run in self.receipts if run.problem]
        defence = [f"defence: {run.problem}" for run in self.defence if run.problem]
        crowd = [f"sessions: {it}" for it in [self.crowd.problem] if it]
        return runs + slow + receipts + defence + crowd


def write_report(found: Found) -> str:
    """Return the page, as Markdown that reads well in a terminal, too."""
    parts = [
        _head(found),
        _speed(found),
        _vendors(found),
        _slow(found),
        _starts(found),
        _receipts(found),
        _defence(found),
        write_sessions(found.crowd),
        write_kit(found.kit),
        _bytes(found),
        _trips(found),
    ]
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

{table(("", *head), rows)}

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
        verdict(f">= {row.target}", holds=ratio >= row.target) if row.target else "",
    )


def _vendors(found: Found) -> str:
    cheapest = min(it.ms for it in found.vendors)
    rows = [
        (
            it.name,
            f"{it.ms:.2f}",
            f"{it.ms / cheapest:.2f}",
            verdict(f"<= {_MOST_VENDOR_MS}", holds=it.ms <= _MOST_VENDOR_MS),
        )
        for it in found.vendors
    ]
    return f"""## CPU per send, by vendor

{table(("", "CPU ms", "of the cheapest", "target"), rows)}

CPU time of the sending process alone, one message after the other through the vendor's
provider; the simulator is another process and answers at once. Without TLS, which a
connection that is kept open pays for once."""


def _slow(found: Found) -> str:
    good = [run for run in found.slow if not run.problem]
    title = f"## {IN_FLIGHT} sends in flight, vendor answers in {VENDOR_SECONDS} s"
    if not good:
        return f"{title}\n\nvoid"
    rate = median(run.per_second for run in good)
    share = rate / IDEAL_PER_SECOND
    judged = verdict(
        f">= {_SHARE_OF_IDEAL:.0%}", holds=share >= _SHARE_OF_IDEAL and not found.void
    )
    row = (
        f"{rate:.0f}",
        f"{IDEAL_PER_SECOND:.0f}",
        f"{share:.0%}",
        f"{median(run.added_p99_ms for run in good):.0f}",
        f"{median(run.per_cpu_second for run in good):.0f}",
        judged,
    )
    head = ("sends/s", "ideal", "share", "added p99 ms", "per CPU-second", "target")
    return f"{title}\n\n{table(head, [row])}"


def _starts(found: Found) -> str:
    rows = [
        (
            f"{it.first_ms:.0f}",
            f"{it.rest_ms:.1f}",
            f"{it.later_ms:.0f}",
            verdict(f"<= {_MOST_LATER_MS}", holds=it.later_ms <= _MOST_LATER_MS),
        )
        for it in found.starts
    ]
    return f"""## First send after a start

{table(("first ms", "rest ms", "more ms", "target"), rows)}

A row is a start of the whole service, over Twilio with receipts, on a Redis that has
forgotten every script. One send at a time on one connection; the rest is the median."""


def _receipts(found: Found) -> str:
    title = "## What receipts cost"
    good = [run for run in found.receipts if not run.problem]
    if not good:
        return f"{title}\n\nvoid"
    row = (
        f"{median(run.without_ms for run in good):.2f}",
        f"{median(run.with_ms for run in good):.2f}",
        f"{median(run.ratio for run in good):.2f}",
    )
    head = ("CPU ms per send without", "with", "ratio")
    return f"""{title}

{table(head, [row])}

CPU time of the service, from the first send until it rests again, over Twilio. With
receipts it asks for them, remembers every message, and takes in two receipts for each,
which are requests of their own: three requests in place of one."""


def _defence(found: Found) -> str:
    title = "## What the defence against abuse costs"
    good = [run for run in found.defence if not run.problem]
    if not good:
        return f"{title}\n\nvoid"
    left = median(run.ratio for run in good)
    row = (
        f"{median(run.without for run in good):.0f}",
        f"{median(run.with_all for run in good):.0f}",
        f"{left:.2f}",
        verdict(f">= {_LEFT_OF_SENDS}", holds=left >= _LEFT_OF_SENDS),
    )
    head = ("sends/s without", "with all rules", "ratio", "target")
    return f"""{title}

{table(head, [row])}

Over the console, which costs nothing, so that the share of the defence is the largest.
Without: every shared rule is off, those of a phone are not. With: every rule counts,
the codes' conversion and three caps on money among them, and none refuses."""


def _bytes(found: Found) -> str:
    it = found.footprint
    judged = verdict(f"<= {_MOST_BYTES}", holds=it.bytes_each <= _MOST_BYTES)
    rows = [
        ("console", *_footprint_row(it), judged),
        ("Twilio, receipts", *_footprint_row(found.followed), ""),
    ]
    head = (
        "",
        "bytes each",
        "of it the phone's record",
        "and the message's",
        "keys each",
        "sent",
        "target",
    )
    return f"""## Redis memory per pending verification

{table(head, rows)}

Used memory before and after sends to distinct phones from one address, all keys and
tables counted. Hardly two phones share a prefix, which is the dearest case: each then
has a counter of its own. With receipts a message is remembered, too, for an hour: with
its sealed number, by which it is sent again when it fails."""


def _footprint_row(it: Footprint) -> tuple[str, ...]:
    return (
        f"{it.bytes_each:.0f}",
        f"{it.record_bytes:.0f}",
        f"{it.message_bytes:.0f}" if it.message_bytes else "",
        f"{it.keys_each:.2f}",
        f"{it.verifications:,}",
    )


def _trips(found: Found) -> str:
    head = (
        "",
        "round trips",
        "target",
        "after the answer",
        "scripts",
        "commands in them",
        "which",
    )
    rows = [
        (
            it.name,
            f"{it.round_trips:g}",
            verdict(f"<= {it.at_most}", holds=it.round_trips <= it.at_most),
            f"{it.afterwards:g}",
            f"{it.scripts:g}",
            f"{it.commands:g}",
            it.detail,
        )
        for it in found.operations
    ]
    return f"""## Redis work per operation

{table(head, rows)}

Over Twilio, with receipts asked for. Counted by Redis until the answer was there: round
trips are the reads it made from clients, commands those in INFO commandstats. What is
noted after the answer is one round trip more, which all sends of a moment share. The
vendors' health is one every three seconds for each worker, country and channel, and
stands in no row: every number is a median."""
