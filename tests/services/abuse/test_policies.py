"""The operator's policy: kept, sealed, changed by many, followed by all."""

import threading
import time
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest
import redis

from services.abuse.entries import EntryRows, ListEntry
from services.abuse.overrides import Override, PolicyRefused
from services.abuse.policies import MOST_ENTRIES, Policies
from services.abuse.policy import Entry, EntryKind
from services.abuse.rules import RULES, Rule
from services.abuse_events import PolicyFollowed
from services.errors import StoreUnavailable
from services.scripts import ScriptRunner
from tests.services.abuse.operators import PEER, PHONE, SEAL_KEYS, TAG, Worker
from tests.services.stores import Store, open_real
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

KEY = "policy:{all}"
STRICT = Rule("block", ((1, 60),))


@pytest.fixture
def worker(store: Store) -> Worker:
    return Worker(store)


@pytest.fixture
def other(store: Store) -> Worker:
    return Worker(store)


# Rules


def test_the_defaults_hold_where_nothing_is_set(store: Store) -> None:
    worker = Worker(store, defaults={"sends_per_ip": STRICT})

    policy = worker.policies.current()

    assert policy.version == 0
    assert policy.rules["sends_per_ip"] == STRICT
    assert policy.rules["sends_per_prefix"] == RULES["sends_per_prefix"].default
    assert set(policy.rules) == set(RULES)
    assert worker.events == []


def test_what_is_set_wins_until_it_is_reset(store: Store, worker: Worker) -> None:
    worker.policies.set_rule("sends_per_ip", STRICT)

    assert worker.policies.current().rules["sends_per_ip"] == STRICT
    later = Worker(store, defaults={"sends_per_ip": Rule("off")})
    assert later.policies.current().rules["sends_per_ip"] == STRICT
    assert later.policies.reset_rule("sends_per_ip")
    assert later.policies.current().rules["sends_per_ip"] == Rule("off")
    assert not later.policies.reset_rule("sends_per_ip")


def test_parts_that_are_not_set_follow_the_settings(
    store: Store, worker: Worker
) -> None:
    worker.policies.change_rule("sends_per_ip", mode="monitor")
    deployed = Worker(store, defaults={"sends_per_ip": STRICT})

    found = deployed.policies.current().rules["sends_per_ip"]

    assert found == Rule("monitor", STRICT.windows)
    assert deployed.policies.overrides() == {"sends_per_ip": Override(mode="monitor")}


def test_single_subjects_have_windows_of_their_own(
    worker: Worker, other: Worker
) -> None:
    special = {"IN": ((100, 3_600), (500, 86_400)), "AE": ()}
    worker.policies.set_rule("sends_per_country", Rule("block", ((5, 60),), special))

    rule = other.policies.current().rules["sends_per_country"]

    assert rule.windows_of("IN") == special["IN"]
    assert rule.windows_of("AE") == ()
    assert rule.windows_of("US") == ((5, 60),)


def test_a_rule_that_cannot_be_is_not_set(worker: Worker) -> None:
    with pytest.raises(PolicyRefused):
        worker.policies.set_rule("wrong_checks_per_ip", Rule("challenge"))
    with pytest.raises(PolicyRefused):
        worker.policies.change_rule("sends_per_moon", mode="off")
    with pytest.raises(PolicyRefused):
        worker.policies.reset_rule("sends_per_moon")

    assert worker.policies.current().version == 0


# Lists


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", TAG),
        ("prefix", "+91987"),
        ("country", "IN"),
        ("ip", "198.51.100.0/24"),
    ],
)
def test_an_entry_holds_until_it_is_removed(
    worker: Worker, other: Worker, kind: EntryKind, value: str
) -> None:
    assert other.blocked() is None
    put = worker.put(kind, value)

    other.policies.follow()

    assert worker.blocked() == other.blocked() == kind
    assert other.policies.entries() == [put]
    assert other.policies.current().entries == (put.entry,)
    assert other.policies.remove_entry(put.id)
    assert not worker.policies.remove_entry(put.id)
    assert worker.blocked() is other.blocked() is None


def test_who_names_the_same_again_replaces_it(worker: Worker) -> None:
    first = worker.put("ip", "198.51.100.7")
    second = worker.put("ip", f"{PEER}/32", "allow")

    assert first.id == second.id == worker.policies.id_of("ip", PEER)
    assert worker.policies.entries() == [second]
    assert worker.blocked() is None


def test_an_entry_tells_who_and_why(worker: Worker) -> None:
    put = worker.put("phone", TAG, label="+91********10", hours=1)

    (found,) = Worker(worker.store).policies.entries()

    assert found == put
    assert (found.label, found.reason, found.actor) == (
        *("+91********10", "a test", "cli:asha"),
    )
    assert found.at == int(worker.store.clock.now())
    assert found.entry.until == found.at + 3_600


def test_an_entry_ends_by_itself_and_goes_with_the_next_change(
    store: Store, worker: Worker
) -> None:
    ended = worker.put("country", "IN", hours=1)
    worker.put("country", "AE", hours=3)
    worker.put("country", "US")

    store.clock.advance(3_600)

    assert worker.blocked() is None
    assert ended not in worker.policies.entries()
    assert fields_of(store, "entry:") == 3
    worker.policies.set_rule("sends_per_ip", STRICT)
    assert fields_of(store, "entry:") == 2
    assert len(worker.policies.current().entries) == 2


def test_what_cannot_be_on_the_lists_is_refused(worker: Worker) -> None:
    with pytest.raises(PolicyRefused) as refused:
        worker.put("ip", "0.0.0.0/0")

    assert refused.value.field == "value"
    assert worker.policies.current().version == 0


def test_full_lists_take_no_more_but_replace(store: Store, worker: Worker) -> None:
    put = worker.put("country", "IN")
    rows = {f"entry:{number}": "0:x" for number in range(MOST_ENTRIES - 1)}
    put_rows(store, rows)

    with pytest.raises(PolicyRefused, match="10000 entries"):
        worker.put("country", "AE")
    assert worker.put("country", "IN", "allow").id == put.id

    assert fields_of(store, "entry:") == MOST_ENTRIES


def put_rows(store: Store, rows: Mapping[Any, Any]) -> None:
    store.client.hset(KEY, mapping={**rows})


def fields_of(store: Store, beginning: str) -> int:
    keys: list[bytes] = store.client.hkeys(KEY)  # type: ignore[assignment]
    return sum(it.startswith(beginning.encode()) for it in keys)


# Following


def test_a_worker_that_runs_follows_without_a_restart(
    worker: Worker, other: Worker
) -> None:
    before = other.policies.current()
    worker.policies.set_rule("sends_per_ip", STRICT)
    worker.put("country", "IN")
    assert other.policies.current() is before

    other.policies.follow()

    assert other.policies.current().rules["sends_per_ip"] == STRICT
    assert other.blocked() == "country"
    assert other.events == [PolicyFollowed(version=2, rules=1, entries=1)]


def test_what_did_not_change_is_neither_read_nor_told_again(
    worker: Worker, other: Worker
) -> None:
    worker.put("country", "IN")
    other.policies.follow()
    policy, lists = other.policies.current(), other.policies.lists()

    for _ in range(3):
        other.policies.follow()

    assert other.policies.current() is policy
    assert other.policies.lists() is lists
    assert len(other.events) == 1


def test_it_is_told_from_memory(store: Store, worker: Worker) -> None:
    worker.policies.follow()
    store.events.clear()

    worker.policies.current()
    worker.blocked()
    worker.policies.entries()

    assert store.events == []


def no_answer(commands: object, *, once: bool = False) -> NoReturn:
    """The exchange with a Redis that is not there."""
    raise redis.ConnectionError


@pytest.fixture
def away(store: Store) -> Policies:
    """A policy whose Redis is not there."""
    scripts = ScriptRunner(no_answer, emit=lambda _: None)
    return Policies(scripts, defaults={}, keys=SEAL_KEYS, clock=store.clock, emit=print)


def test_before_the_policy_was_read_once_nobody_is_let_by(away: Policies) -> None:
    with pytest.raises(StoreUnavailable):
        away.lists()
    with pytest.raises(StoreUnavailable):
        away.current()


def test_the_last_policy_holds_while_redis_is_away(
    worker: Worker, other: Worker, away: Policies
) -> None:
    worker.put("country", "IN")
    other.policies.follow()
    there, other.policies._scripts = other.policies._scripts, away._scripts

    with pytest.raises(StoreUnavailable):
        other.policies.follow()

    assert other.blocked() == "country"
    worker.put("country", "IN", "allow")
    other.policies._scripts = there
    other.policies.follow()
    assert other.blocked() is None


def test_a_policy_that_was_lost_is_no_policy(store: Store, worker: Worker) -> None:
    """And the one made after it is followed, though it has the same version."""
    worker.policies.set_rule("sends_per_ip", STRICT)
    store.client.delete(KEY)
    Worker(store).policies.set_rule("sends_per_prefix", STRICT)

    worker.policies.follow()

    rules = worker.policies.current().rules
    assert worker.policies.current().version == 1
    assert rules["sends_per_ip"] == RULES["sends_per_ip"].default
    assert rules["sends_per_prefix"] == STRICT


def test_a_policy_that_redis_lost_holds_and_is_told_once(
    store: Store, worker: Worker
) -> None:
    worker.put("country", "IN")
    worker.policies.set_rule("sends_per_ip", STRICT)
    kept: Any = store.client.hgetall(KEY)
    worker.events.clear()
    store.client.delete(KEY)

    for _ in range(3):
        worker.policies.follow()

    assert worker.blocked() == "country"
    assert worker.policies.current().rules["sends_per_ip"] == STRICT
    assert worker.policies.broken() == ("everything",)
    lost = PolicyFollowed(version=2, rules=1, entries=1, broken=1, lost=True)
    assert worker.events == [lost]
    # And it is restored.
    put_rows(store, kept)
    worker.policies.follow()
    assert worker.policies.broken() == ()
    assert worker.events == [lost, PolicyFollowed(version=2, rules=1, entries=1)]


def test_what_was_changed_after_the_loss_is_the_policy(
    store: Store, worker: Worker
) -> None:
    worker.put("country", "IN")
    store.client.delete(KEY)
    worker.policies.follow()
    Worker(store).put("country", "AE")

    worker.policies.follow()

    assert worker.blocked() is None
    assert worker.policies.broken() == ()


def test_lists_that_were_emptied_are_not_lost(worker: Worker, other: Worker) -> None:
    put = worker.put("country", "IN")
    other.policies.follow()

    worker.policies.remove_entry(put.id)
    other.policies.follow()

    assert other.blocked() is None
    assert other.policies.broken() == ()


class Mute:
    """A Redis that takes its time, and says nothing in the end."""

    def __init__(self, threads: int) -> None:
        self.asked = 0
        self._threads = threads
        self._gone = 0
        self._all_gone = threading.Event()

    def __call__(self, commands: object, *, once: bool = False) -> NoReturn:
        self.asked += 1
        assert self._all_gone.wait(30)
        raise redis.TimeoutError

    def leave(self) -> None:
        """One more has its answer; when all the others have, it says nothing."""
        self._gone += 1
        if self._gone == self._threads - 1:
            self._all_gone.set()


def test_nobody_waits_in_turn_for_a_mute_redis(store: Store) -> None:
    """All but the one who asks are turned away while that one still waits."""
    mute = Mute(16)
    scripts = ScriptRunner(mute, emit=lambda _: None)
    policies = Policies(
        scripts, defaults={}, keys=SEAL_KEYS, clock=store.clock, emit=print
    )

    def ask(_: int) -> float:
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            policies.current()
        mute.leave()
        return time.monotonic() - began

    waited = at_once(16, ask)

    assert mute.asked == 1
    # A second each, together; the rest is for a busy machine.
    assert max(waited) < 8


def test_many_who_ask_first_read_once(store: Store) -> None:
    Worker(store).put("country", "IN")
    worker = Worker(store)
    store.events.clear()

    assert set(at_once(16, lambda _: worker.blocked())) == {"country"}

    assert len(store.events) == 1


JUNK = {
    "entry:abc": "0:not sealed",
    "entry:abd": "0:bm90LXNlYWxlZA",
    "entry:": "",
    "entry": "x",
    "rule:sends_per_ip:mode": "BLOCK",
    "rule:sends_per_ip:mood": "block",
    "rule:sends_per_moon:mode": "off",
    "rule:wrong_checks_per_ip:mode": "challenge",
    "rule:sends_global:windows": "1/0",
    "rule": "off",
    "x": "y",
    "": "",
    b"\xff\xfe": b"\xff",
    "entry:\n": "0:\x00",
}


def test_junk_is_passed_over_and_told(store: Store, worker: Worker) -> None:
    worker.put("country", "IN")
    put_rows(store, {**JUNK, "stamp": "another"})

    worker.policies.follow()

    assert worker.blocked() == "country"
    assert worker.policies.current().rules == {
        name: it.default for name, it in RULES.items()
    }
    assert len(worker.policies.broken()) == len(JUNK)
    told = worker.events[-1]
    assert isinstance(told, PolicyFollowed)
    assert told.broken == len(JUNK)
    assert told.entries == 1


def test_junk_can_be_taken_away(store: Store, worker: Worker) -> None:
    put_rows(store, {"entry:abc": "x", "rule:sends_per_ip:mode": "x"})

    assert sorted(worker.policies.broken()) == ["entry:abc", "rule:sends_per_ip:mode"]
    assert worker.policies.remove_entry("abc")
    assert worker.policies.reset_rule("sends_per_ip")
    assert worker.policies.broken() == ()


@pytest.mark.parametrize("version", ["", "x", "-1", "nan", "inf", "1e999", "9" * 400])
def test_a_version_that_is_none_stops_nothing(
    store: Store, worker: Worker, version: str
) -> None:
    put_rows(store, {"version": version, "stamp": "?!\xff"})

    worker.policies.set_rule("sends_per_ip", STRICT)

    assert worker.policies.current().rules["sends_per_ip"] == STRICT


def test_a_row_in_anothers_place_counts_for_nothing(
    store: Store, worker: Worker
) -> None:
    """Whoever may write to Redis makes no entry, and turns none into another."""
    put = worker.put("country", "IN", hours=1)
    row: bytes = store.client.hget(KEY, f"entry:{put.id}")  # type: ignore[assignment]
    store.client.hdel(KEY, f"entry:{put.id}")
    _, _, sealed = row.decode().partition(":")
    moved = {"entry:abc": row, f"entry:{put.id}": f"0:{sealed}", "stamp": "another"}
    put_rows(store, moved)

    worker.policies.follow()

    assert worker.policies.entries() == []
    assert len(worker.policies.broken()) == 2


def test_entries_sealed_with_other_keys_are_junk(store: Store, worker: Worker) -> None:
    worker.put("country", "IN")

    stranger = Worker(store, keys=(b"x" * 32,))

    assert stranger.blocked() is None
    assert len(stranger.policies.broken()) == 1
    both = Worker(store, keys=(b"x" * 32, *SEAL_KEYS))
    assert both.blocked() == "country"


# What Redis holds


def test_a_dump_of_redis_tells_nothing(store: Store, worker: Worker) -> None:
    worker.put("phone", TAG, label=PHONE)
    worker.put("prefix", "+91987")
    worker.put("country", "IN")
    worker.put("ip", "198.51.100.0/24")
    worker.policies.set_rule("sends_per_country", Rule("block", (), {"AE": ((5, 60),)}))

    dump = str(store.dump())

    for secret in (PHONE[1:], "9198", "91987", "198.51", TAG, '"IN"', "asha", "a test"):
        assert secret not in dump, secret


def test_it_stands_and_nothing_else_is_left(store: Store, worker: Worker) -> None:
    worker.put("country", "IN", hours=1)

    assert {key: left for key, (_, left) in store.dump().items()} == {KEY: -1}


# Races


def test_workers_that_change_at_once_undo_nothing(store: Store) -> None:
    names = [it for it in RULES if "monitor" in RULES[it].modes]
    workers = [Worker(store) for _ in names]

    at_once(
        len(names),
        lambda it: workers[it].policies.change_rule(names[it], mode="monitor"),
    )

    for worker in workers:
        worker.policies.follow()
        policy = worker.policies.current()
        assert policy.version == len(names)
        assert {policy.rules[it].mode for it in names} == {"monitor"}


def test_mode_and_windows_changed_at_once_are_both_there(store: Store) -> None:
    workers = [Worker(store) for _ in range(8)]

    def change(index: int) -> None:
        if index % 2:
            workers[index].policies.change_rule("sends_per_ip", mode="block")
        else:
            workers[index].policies.change_rule("sends_per_ip", windows=((1, 60),))

    at_once(len(workers), change)

    assert Worker(store).policies.current().rules["sends_per_ip"] == STRICT


def test_lists_that_fill_at_once_hold_no_more_than_they_may(store: Store) -> None:
    rows = {f"entry:{number}": "0:x" for number in range(MOST_ENTRIES - 3)}
    put_rows(store, rows)
    workers = [Worker(store) for _ in range(8)]

    def put(index: int) -> bool:
        try:
            workers[index].put("prefix", f"+9198{index}")
        except PolicyRefused:
            return False
        return True

    assert sum(at_once(len(workers), put)) == 3
    assert fields_of(store, "entry:") == MOST_ENTRIES


def test_a_change_whose_answer_was_lost_is_made_once(
    store: Store, worker: Worker
) -> None:
    put = worker.put("country", "IN")

    class Repeating:
        """Runs each change twice, and returns what the second run says."""

        def __call__(self, commands: object, *, once: bool = False) -> object:
            inner = store.scripts._exchange
            inner(commands)  # type: ignore[arg-type]
            return inner(commands)  # type: ignore[arg-type]

    again = Worker(store)
    again.policies._scripts = ScriptRunner(
        Repeating(),  # type: ignore[arg-type]
        emit=lambda _: None,
    )

    assert again.policies.remove_entry(put.id)
    assert again.policies.current().version == 2


# Ten thousand entries


def many_rows(count: int) -> dict[str, str]:
    """Rows as they would be, if somebody blocked so many ranges."""
    rows, found = EntryRows(SEAL_KEYS), {}
    for number in range(count):
        value = f"10.{number // 256}.{number % 256}.0/24"
        entry = Entry("ip", value, "block")
        id_ = rows.id_of("ip", value)
        put = ListEntry(id_, entry, value, "abuse, case 4711", "client:svc-desk", 1)
        found[f"entry:{id_}"] = rows.write(put)
    return found


def test_ten_thousand_entries_are_read_once_and_looked_up_fast(redis_url: str) -> None:
    store = open_real(redis_url)
    worker = Worker(store)
    worker.policies.follow()
    put_rows(store, {**many_rows(MOST_ENTRIES - 1), "stamp": "bulk"})

    began = time.process_time()
    worker.policies.follow()
    first = time.process_time() - began
    began = time.process_time()
    worker.put("country", "IN")
    change = time.process_time() - began
    began = time.process_time()
    for number in range(1_000):
        worker.blocked(peer=f"10.{number % 39}.{number % 256}.9")
    look = (time.process_time() - began) / 1_000

    assert worker.blocked(peer="10.0.0.9") == "ip"
    assert len(worker.policies.entries()) == MOST_ENTRIES
    # Measured: 0.15 s, 0.03 s and 6 us; the rest is for a busy machine.
    assert first < 1.5
    assert change < 0.5
    assert look < 100e-6
    store.close()
