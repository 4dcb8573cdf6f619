"""What the defence against abuse costs a send: the service with it and without."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.load import run_wrk
from benchmarks.processes import Process
from benchmarks.workload import Phones, console_settings, sends
from services.abuse.rules import RULES

_REQUESTS_PER_SECOND = 6_000
_UNREACHABLE = "999999999/24h"
_MONEY = "9999999/1h, 9999999/24h"

# Every rule counts and none refuses: the codes are too young to be judged.
_ON = {
    "SENDS_PER_COUNTRY": _UNREACHABLE,
    "SENDS_GLOBAL": _UNREACHABLE,
    "SPEND_GLOBAL": _MONEY,
    "SPEND_PER_COUNTRY": _MONEY,
}


@dataclass(frozen=True, slots=True)
class DefenceRun:
    """Sends in a second without the defence and with it."""

    without: float
    with_all: float
    problem: str

    @property
    def ratio(self) -> float:
        """What is left of the sends."""
        return self.with_all / self.without


def undefended(redis: int) -> Mapping[str, str]:
    """Return the settings of a service whose shared rules are all off."""
    off = ", ".join(f"{name}=off" for name in RULES)
    return console_settings(redis, RULE_MODES=off)


def defended(redis: int) -> Mapping[str, str]:
    """Return the settings of a service with every shared rule on."""
    return console_settings(redis, **_ON)


def measure_defence(
    without: Process, with_all: Process, phones: Phones, *, seconds: int, rounds: int
) -> list[DefenceRun]:
    """Send through each for a while, one after the other."""
    for service in (without, with_all):
        _sends_per_second(service, phones, 1)
    runs = []
    for _ in range(rounds):
        plain, problem = _sends_per_second(without, phones, seconds)
        full, other = _sends_per_second(with_all, phones, seconds)
        runs.append(DefenceRun(plain, full, problem or other))
    return runs


def _sends_per_second(
    service: Process, phones: Phones, seconds: int
) -> tuple[float, str]:
    load = sends(phones.take(seconds * _REQUESTS_PER_SECOND))
    found = run_wrk(load, service.port, seconds)
    return found.requests / found.seconds, found.problem
