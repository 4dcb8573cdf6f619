"""Simulate a day of logins and write benchmarks/simulation.md: ``make simulate``.

``make simulate ARGS="--logins 5000 --seed 7"`` looks at a smaller day, or at one in
another world, and leaves the report alone.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.simulation.day import Day, Login, OpenDesk
from benchmarks.simulation.desk import ServiceDesk
from benchmarks.simulation.oracle import Oracle
from benchmarks.simulation.people import draw_people
from benchmarks.simulation.report import Run, write_report
from benchmarks.simulation.vendors import Routing, Strategy
from benchmarks.simulation.world import World
from tests.redis_server import RedisServer

_REPORT = Path(__file__).parent.parent / "simulation.md"
_LOGINS = 100_000
# A person's phone number has six digits to differ in.
_MOST_LOGINS = 1_000_000
_SEED = 1

_ROUTINGS: tuple[Routing, ...] = ("order", "priorities", "adaptive")


def main() -> int:
    """Simulate, print, and write the report; 1 if a claim does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation.run")
    parser.add_argument("--logins", type=int, default=_LOGINS)
    parser.add_argument("--seed", type=int, default=_SEED)
    given = parser.parse_args()
    seed, how_many = given.seed, given.logins
    if not 0 < how_many <= _MOST_LOGINS:
        parser.error(f"--logins: from 1 to {_MOST_LOGINS}")
    began = time.monotonic()
    days: dict[str, list[Login]] = {}
    simulate = partial(simulate_service, seed=seed, how_many=how_many)
    with ProcessPoolExecutor(len(_ROUTINGS), get_context("spawn")) as pool:
        for routing, day in zip(_ROUTINGS, pool.map(simulate, _ROUTINGS), strict=True):
            days[routing] = day
            print(f"{routing}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    days["oracle"] = _simulate(seed, how_many, Oracle)
    run = Run(seed, World(seed), days)
    report = write_report(run)
    print(report)
    if (how_many, seed) == (_LOGINS, _SEED):
        _REPORT.write_text(report)
    return 0 if run.holds else 1


def simulate_service(routing: Routing, *, seed: int, how_many: int) -> list[Login]:
    """Let a day pass at the service, on a store of its own."""
    server = RedisServer()
    try:
        desk = partial(
            ServiceDesk, strategy=Strategy(routing), seed=seed, redis_url=server.url
        )
        return _simulate(seed, how_many, desk)
    finally:
        server.close()


def _simulate(seed: int, how_many: int, open_desk: OpenDesk) -> list[Login]:
    return Day(draw_people(seed, how_many), World(seed), open_desk).run()


if __name__ == "__main__":
    sys.exit(main())
