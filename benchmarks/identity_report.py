"""What the report says of sessions and of the Python kit."""

from benchmarks.identity import FEW, Crowd
from benchmarks.tables import table, verdict

_MOST_BYTES = 600
# As little as two runs of the same load differ by on a shared machine.
_MOST_SLOWER = 1.25
_MOST_KIT = 1.25


def write_sessions(found: Crowd) -> str:
    """Return the section on memory and latency with many sessions."""
    title = "## Sessions"
    if found.problem:
        return f"{title}\n\nvoid"
    slower = found.many_p50_ms / found.few_p50_ms
    rows = [
        (
            f"{found.sessions:,}",
            f"{found.bytes_each:.0f}",
            verdict(f"<= {_MOST_BYTES}", holds=found.bytes_each <= _MOST_BYTES),
            f"{found.many_p50_ms:.2f}",
            f"{found.many_p99_ms:.2f}",
            verdict(f"<= {_MOST_SLOWER} x few", holds=slower <= _MOST_SLOWER),
        ),
        (f"{FEW:,}", "", "", f"{found.few_p50_ms:.2f}", f"{found.few_p99_ms:.2f}", ""),
    ]
    head = ("sessions", "bytes each", "target", "refresh p50 ms", "p99 ms", "target")
    return f"""{title}

{table(head, rows)}

Copies of a real login under other names, each of a person of their own, which is the
dearest case. Refreshes come one at a time on one connection."""


def write_kit(found: tuple[float, float]) -> str:
    """Return the section on checking a token offline."""
    ours, bare = found
    ratio = ours / bare
    row = (
        f"{ours:.0f}",
        f"{bare:.0f}",
        f"{ratio:.2f}",
        verdict(f"<= {_MOST_KIT}", holds=ratio <= _MOST_KIT),
    )
    head = ("kit us", "PyJWT us", "ratio", "target")
    return f"""## Offline check by the Python kit

{table(head, [row])}

CPU time of one check with the keys at hand, the two by turns; PyJWT is given the parsed
key and checks signature, issuer, audience and times. No network call is made."""
