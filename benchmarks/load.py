"""Load from wrk: what to send, and what came of it."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

_SCRIPT = Path(__file__).parent / "load.lua"
# As many as keep two cores busy without a queue that would be all the latency.
CONNECTIONS = 16

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Load:
    """Prepared requests to one route: bodies for POST, paths for GET."""

    path: str
    lines: Sequence[str]
    status: int
    method: str = "POST"
    # The same request again and again: else each is sent once.
    repeats: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)


@dataclass(frozen=True, slots=True)
class Answered:
    """What wrk saw; ``problem`` says why it counts for nothing, or is empty."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    issued: int
    problem: str
    bodies: Sequence[bytes] = field(default=(), repr=False)


def run_wrk(
    load: Load,
    port: int,
    seconds: float,
    *,
    connections: int = CONNECTIONS,
    keep_bodies: bool = False,
) -> Answered:
    """Send ``load`` for a while, from one thread."""
    with tempfile.TemporaryDirectory(prefix="quickcart-wrk-") as folder:
        requests, bodies = Path(folder, "requests"), Path(folder, "bodies")
        requests.write_text("\n".join(load.lines) + "\n")
        done = subprocess.run(
            [
                *("wrk", "--threads", "1", "--connections", str(connections)),
                *("--duration", f"{seconds:.0f}s", "--timeout", "15s"),
                *("--script", str(_SCRIPT), f"http://127.0.0.1:{port}", "--"),
                *(str(requests), load.method, load.path),
                str(bodies) if keep_bodies else "-",
                *(word for header in load.headers.items() for word in header),
            ],
            check=True,
            capture_output=True,
        )
        report = orjson.loads(done.stdout.splitlines()[-1])
        return Answered(
            requests=report["requests"],
            seconds=report["seconds"],
            p50_ms=report["p50_ms"],
            p99_ms=report["p99_ms"],
            issued=report["issued"],
            problem=_problem(report, load),
            bodies=bodies.read_bytes().splitlines() if keep_bodies else (),
        )


def missing_tool() -> str:
    """Say how to get wrk where it is not there."""
    if shutil.which("wrk"):
        return ""
    return "wrk is not on PATH. On Debian and Ubuntu: apt-get install wrk"


def _problem(report: dict[str, object], load: Load) -> str:
    problems = []
    statuses = report["statuses"]
    if statuses != {str(load.status): report["requests"]}:
        problems.append(f"{load.status} was due, answers were {statuses}")
    if report["broken"]:
        problems.append(f"{report['broken']} connections broke or timed out")
    if report["ran_out"] and not load.repeats:
        problems.append("ran out of prepared requests")
    return "; ".join(problems)
