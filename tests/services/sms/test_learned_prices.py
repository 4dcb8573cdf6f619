"""Prices that receipts told, as workers share them through Redis."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from services.errors import StoreUnavailable
from services.scripts import Command, EmbeddedConnections, Exchange, ScriptRunner
from services.sms.learned_prices import LearnedPrices, Name
from tests.services.stores import Store, open_embedded
from tests.services.threads import at_once

KEY = "price:{all}"
INDIA: Name = ("twilio", "IN", "sms")
GERMANY: Name = ("twilio", "DE", "sms")
DAY = 86_400


def worker(store: Store, currency: str = "USD") -> LearnedPrices:
    return LearnedPrices(store.scripts, currency=currency, offset_seconds=store.offset)


def tell(learned: LearnedPrices, micros: int, name: Name = INDIA) -> int | None:
    learned.add(name, micros)
    learned.exchange()
    return learned.of(name)


def test_what_one_worker_learns_every_worker_knows(store: Store) -> None:
    one, other = worker(store), worker(store)

    tell(one, 90_000)
    assert other.of(INDIA) is None

    other.exchange()
    assert other.of(INDIA) == 90_000
    assert other.of(GERMANY) is None


def test_it_is_kept_for_thirty_days_after_the_last_receipt(store: Store) -> None:
    learned = worker(store)
    tell(learned, 90_000)
    [(value, ttl)] = store.dump().values()
    assert list(value) == [b"twilio|IN|sms"]
    assert 29 * DAY * 1000 < ttl <= 30 * DAY * 1000

    store.clock.advance(29 * DAY)
    tell(learned, 50_000, GERMANY)
    assert learned.of(INDIA) == 90_000

    store.clock.advance(1 * DAY)
    learned.exchange()
    assert learned.of(INDIA) is None
    assert learned.of(GERMANY) == 50_000


def test_what_is_too_old_goes_with_the_next_receipt(store: Store) -> None:
    learned = worker(store)
    tell(learned, 90_000)
    store.clock.advance(30 * DAY)

    assert tell(learned, 50_000, GERMANY) == 50_000

    assert store.client.hkeys(KEY) == [b"twilio|DE|sms"]


def test_a_price_that_came_back_counts_from_then(store: Store) -> None:
    learned = worker(store)
    tell(learned, 90_000)
    store.clock.advance(30 * DAY)

    assert tell(learned, 10_000) == 10_000


def test_a_dearer_one_counts_at_once_and_a_cheaper_one_by_and_by(store: Store) -> None:
    learned = worker(store)

    assert tell(learned, 80_000) == 80_000
    assert tell(learned, 96_000) == 96_000
    assert tell(learned, 88_000) == 95_000

    for _ in range(100):
        tell(learned, 88_000)
    assert learned.of(INDIA) == 88_000


def test_of_several_at_once_the_dearest_counts(store: Store) -> None:
    learned = worker(store)
    for micros in (50_000, 90_000, 70_000):
        learned.add(INDIA, micros)

    learned.exchange()

    assert learned.of(INDIA) == 90_000


def test_to_look_writes_nothing(store: Store) -> None:
    worker(store).exchange()

    assert store.dump() == {}


def test_prices_in_another_currency_are_forgotten(store: Store) -> None:
    tell(worker(store), 90_000)
    rupees = worker(store, "INR")
    rupees.exchange()
    assert rupees.of(INDIA) is None

    assert tell(rupees, 15_000) == 15_000


@pytest.mark.parametrize(
    "junk",
    ["", "[", "17", "[]", "{}", '{"micros":"1","at_ms":1,"currency":"USD"}', "null"],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(
    store: Store, junk: str
) -> None:
    learned = worker(store)
    tell(learned, 50_000, GERMANY)
    store.client.hset(KEY, "twilio|IN|sms", junk)

    learned.exchange()
    assert (learned.of(INDIA), learned.of(GERMANY)) == (None, 50_000)

    assert tell(learned, 90_000) == 90_000


def test_there_are_only_so_many(store: Store) -> None:
    learned = worker(store)
    for number in range(2_005):
        learned.add((f"vendor{number}", "IN", "sms"), 1_000)
    learned.exchange()
    assert store.client.hlen(KEY) == 2_000

    known = next(it for it in names(2_005) if learned.of(it))
    assert tell(learned, 2_000, known) == 2_000
    assert tell(learned, 2_000, INDIA) is None
    assert store.client.hlen(KEY) == 2_000


def names(count: int) -> list[Name]:
    return [(f"vendor{number}", "IN", "sms") for number in range(count)]


class Flaky:
    """An exchange with a store that is away until it is not."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.away = True

    def __call__(self, commands: Sequence[Command], *, once: bool = False) -> list[Any]:
        if self.away:
            raise redis.ConnectionError
        return self._exchange(commands, once=once)


def test_what_cannot_be_told_is_told_later() -> None:
    flaky = Flaky(EmbeddedConnections(open_embedded().client))
    scripts = ScriptRunner(flaky, emit=lambda _: None)
    learned = LearnedPrices(scripts, currency="USD")
    learned.add(INDIA, 90_000)
    with pytest.raises(StoreUnavailable):
        learned.exchange()
    learned.add(INDIA, 80_000)
    assert learned.of(INDIA) is None

    flaky.away = False
    learned.exchange()

    assert learned.of(INDIA) == 90_000


def test_workers_at_once_lose_nothing(real_store: Store) -> None:
    workers = [worker(real_store) for _ in range(8)]

    def learn(place: int) -> None:
        for turn in range(10):
            tell(workers[place], 1_000 + turn, (f"vendor{place}", "IN", "sms"))

    at_once(8, learn)

    learned = worker(real_store)
    learned.exchange()
    found = [learned.of((f"vendor{place}", "IN", "sms")) for place in range(8)]
    assert found == [1_009] * 8


def test_redis_holds_prices_and_nothing_of_any_message(store: Store) -> None:
    tell(worker(store), 90_000)

    [(value, _)] = store.dump().values()

    written = {field: json.loads(it) for field, it in value.items()}
    now_ms = written[b"twilio|IN|sms"].pop("at_ms")
    assert written == {b"twilio|IN|sms": {"micros": 90_000, "currency": "USD"}}
    assert now_ms == pytest.approx(time.time() * 1000, abs=60_000)
