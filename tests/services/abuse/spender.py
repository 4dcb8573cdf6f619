"""A worker that spends until there is no more, as a process of its own."""

from threading import Barrier

from services.errors import SpendLimit
from tests.services.abuse.world import World, far_phone, money
from tests.services.stores import open_real

UNIT = 1_000_000
CAP, MOST, PRICE = 1_000, 3, 1
DAY = 86_400

_START_SECONDS = 60.0


def spend_all(redis_url: str, worker: int, start: Barrier) -> None:
    """Send what may cost MOST and costs PRICE, until three sends are refused."""
    store = open_real(redis_url)
    it = World(store, {"spend_global": money("block", (CAP, DAY))})
    start.wait(_START_SECONDS)
    sent = refused = 0
    while refused < 3:
        # No two sends of all workers are to one block.
        ask = it.ask(far_phone(worker * CAP + sent), cost_micros=MOST * UNIT)
        try:
            room = it.guard.admit_send(ask)
        except SpendLimit:
            refused += 1
            continue
        sent += 1
        it.aftermath.settle(ask, room, PRICE * UNIT)
        it.settle()
    store.close()
