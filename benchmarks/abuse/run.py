"""Attack the service and write benchmarks/abuse.md: ``make attack``.

``make attack ARGS="--seed 7 --only bombing --scale 0.2"`` looks at less, and leaves the
report alone.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from benchmarks.abuse.enumeration import compare
from benchmarks.abuse.findings import Findings
from benchmarks.abuse.guessing import Guessed, guess_one, guess_reversed
from benchmarks.abuse.levels import LEVELS, Level
from benchmarks.abuse.pumping import Pumped, run_pump
from benchmarks.abuse.pumps import PUMPS, draw_pump
from benchmarks.abuse.quiet import quiet_day
from benchmarks.abuse.report import write_report
from benchmarks.abuse.town import Honest
from benchmarks.abuse.victim import Bombed, Burnt, bomb, lock_out

_REPORT = Path(__file__).parent.parent / "abuse.md"
_SEED = 1

_SCENES: Mapping[str, Callable[..., object]] = {
    "bombing": bomb,
    "guessing": guess_one,
    "reverse": guess_reversed,
    "lockout": lock_out,
}
NAMES = ("quiet", *PUMPS, *_SCENES, "enumeration")

# What takes longest begins first, so that nobody waits for it alone at the end.
_LONG = ("quiet", "slow", "hidden", "reverse")


class Job(NamedTuple):
    """One thing to look at, at one level of defence."""

    name: str
    level: Level


def main() -> int:
    """Attack, print, and write the report; 1 if a target of the issue is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse.run")
    parser.add_argument("--seed", type=int, default=_SEED)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if not 0 < given.scale <= 1:
        parser.error("--scale: above 0, up to 1")
    findings = attack(
        given.only, seed=given.seed, scale=given.scale, processes=given.processes
    )
    report = write_report(findings, seed=given.seed)
    print(report)
    if (given.seed, given.scale, tuple(given.only)) == (_SEED, 1.0, NAMES):
        _REPORT.write_text(report)
    return 0 if findings.holds else 1


def attack(
    names: Sequence[str], *, seed: int, scale: float, processes: int = 2
) -> Findings:
    """Run what is named, each at every level, in a town and a store of its own."""
    jobs = [
        Job(name, level)
        for name in sorted(names, key=lambda it: it not in _LONG)
        for level in (("ours",) if name in {"quiet", "enumeration"} else LEVELS[::-1])
        if name != "enumeration"
    ]
    results: dict[Job, object] = {}
    began = time.monotonic()
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        futures = {
            pool.submit(partial(run_job, job, seed=seed, scale=scale)): job
            for job in jobs
        }
        for future in as_completed(futures):
            job = futures[future]
            results[job] = future.result()
            seconds = time.monotonic() - began
            print(f"{job.name}, {job.level}: {seconds:.0f} s", file=sys.stderr)
    findings = _found(results, names, seed=seed, scale=scale)
    if "enumeration" in names:
        # Alone, because time is measured.
        findings.compared = compare(seed=seed, scale=scale)
    return findings


def run_job(job: Job, *, seed: int, scale: float) -> object:
    """Look at one thing."""
    if job.name == "quiet":
        return quiet_day(seed=seed, scale=scale)
    if job.name in PUMPS:
        return run_pump(draw_pump(job.name, seed, scale), job.level, seed=seed)
    return _SCENES[job.name](job.level, seed=seed, scale=scale)


def _found(
    results: Mapping[Job, object], names: Sequence[str], *, seed: int, scale: float
) -> Findings:
    """Sort results by what they are, in the order of the names."""
    findings = Findings()
    for job in sorted(
        results, key=lambda it: (names.index(it.name), LEVELS.index(it.level))
    ):
        match results[job]:
            case Honest() as found:
                findings.quiet = found
            case Pumped() as found:
                findings.pumps[job.name] = draw_pump(job.name, seed, scale)
                findings.pumped.setdefault(job.name, {})[job.level] = found
            case Bombed() as found:
                findings.bombed[job.level] = found
            case Guessed() as found:
                findings.guessed.setdefault(job.name, {})[job.level] = found
            case Burnt() as found:
                findings.burnt[job.level] = found
    return findings


if __name__ == "__main__":
    sys.exit(main())
