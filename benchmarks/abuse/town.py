"""A town: honest people with a past, the service at one level of defence, vendors."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.abuse.customers import Customer, draw_customers, ordinary_spend
from benchmarks.abuse.desk import Desk
from benchmarks.abuse.levels import Level, settings_of
from benchmarks.abuse.vendors import Vendors, price_list
from benchmarks.abuse.visits import Visit, Visits
from benchmarks.simulation.agenda import Agenda
from services.events import Emit
from tests.redis_server import RedisServer
from tests.simulator.vendor import ReceiptCall

# People come before an attack begins, and some time after it ended.
BEFORE_SECONDS, AFTER_SECONDS = 1_200.0, 900.0


@dataclass(frozen=True, slots=True)
class Honest:
    """How honest logins fared: how many came, got in, and met a rule for many."""

    came: int = 0
    completed: int = 0
    refused: int = 0
    challenged: int = 0
    refused_by: tuple[tuple[str, int], ...] = ()

    @property
    def refused_share(self) -> float:
        """Of those who came, at most 1."""
        return self.refused / max(1, self.came)

    @property
    def challenged_share(self) -> float:
        """Of those who came, at most 1."""
        return self.challenged / max(1, self.came)


@dataclass(frozen=True, slots=True)
class Town:
    """All that is there, for an attack to be put down in."""

    agenda: Agenda
    desk: Desk
    vendors: Vendors
    visits: Visits
    logins: Sequence[Visit]


@contextmanager
def open_town(
    level: Level,
    *,
    seed: int,
    logins_a_day: int,
    between: tuple[float, float],
    emit: Emit = lambda _: None,
) -> Iterator[Town]:
    """Open one, with those of a day who come between two moments and their past."""
    day = draw_customers(seed, logins_a_day)
    customers = [it for it in day if between[0] <= it.came_at < between[1]]
    server = RedisServer()
    try:
        yield _build(
            level,
            seed=seed,
            day=day,
            customers=customers,
            redis_url=server.url,
            emit=emit,
        )
    finally:
        server.close()


def around(begins: float, ends: float) -> tuple[float, float]:
    """Return when honest people come around an attack."""
    return begins - BEFORE_SECONDS, ends + AFTER_SECONDS


def fared(visits: Sequence[Visit], *, since: float) -> Honest:
    """Count how those fared who came from a moment on."""
    found = [it for it in visits if it.customer.came_at >= since]
    refused = [it.refused_by for it in found if it.refused_by]
    return Honest(
        came=len(found),
        completed=sum(it.state == "done" for it in found),
        refused=len(refused),
        challenged=sum(it.challenged for it in found),
        refused_by=tuple(
            (name, refused.count(name)) for name in sorted(frozenset(refused))
        ),
    )


def _build(
    level: Level,
    *,
    seed: int,
    day: tuple[Customer, ...],
    customers: Sequence[Customer],
    redis_url: str,
    emit: Emit,
) -> Town:
    agenda = Agenda()
    visits = Visits(agenda)

    def take_receipt(vendor: str, call: ReceiptCall) -> None:
        desk.take_receipt(vendor, call)

    vendors = Vendors(
        agenda,
        seed=seed,
        prices=price_list(),
        arrive=visits.arrive,
        take_receipt=take_receipt,
    )
    settings = settings_of(level, redis_url=redis_url, ordinary=ordinary_spend(day))
    desk = Desk(agenda, vendors, settings, seed=seed, emit=emit)
    visits.remember(desk, customers)
    logins = visits.expect(desk, customers)
    return Town(agenda, desk, vendors, visits, logins)
