"""What attackers tried against breaker, money and marks, and may not have."""

from services.abuse_events import ConversionJudged
from tests.services.abuse.world import (
    HERE,
    LIFE,
    THERE,
    World,
    far_phone,
    money,
    phone,
    rule,
)
from tests.services.stores import Store

UNIT = 1_000_000
PREFIX = {"prefix_conversion": rule("block")}


def blocked(store: Store, scope: str) -> bool:
    return any(
        isinstance(it, ConversionJudged) and it.scope == scope and it.state == "blocked"
        for it in store.events
    )


def pump(it: World, count: int, *, block: int = 987654, first: int = 0) -> None:
    for last in range(first, first + count):
        it.send(phone(last, block), solution_key=f"{block}-{last}")


def probing(store: Store) -> World:
    """A block of numbers whose first block is over."""
    it = World(store, PREFIX)
    pump(it, 20)
    store.clock.advance(LIFE + 61)
    it.verdict(phone(50))
    store.clock.advance(301)
    return it


def test_asking_in_vain_again_does_not_erase_a_try(store: Store) -> None:
    it = probing(store)
    passed = 0
    for last in range(100, 120):
        if it.verdict(phone(last)) != "pass":
            continue
        passed += 1
        ask = it.ask(phone(last))
        again = it.guard.admit_send(ask)
        it.aftermath.give_back(ask, again, to_caller=False)
        store.clock.advance(1)

    assert passed == 1


def test_many_blocks_of_numbers_explain_little_of_a_country(store: Store) -> None:
    """Else whoever triggers each block would hide all of them from the country."""
    it = World(store, {**PREFIX, "country_conversion": rule("block")})
    for number in range(12):
        pump(it, 10, block=900000 + number)
    store.clock.advance(LIFE + 61)
    for number in range(12):
        it.verdict(phone(99, 900000 + number))
    store.clock.advance(301)

    it.verdict(far_phone(1))

    assert blocked(store, "country")


def test_a_block_of_numbers_that_is_only_watched_explains_nothing(
    store: Store,
) -> None:
    rules = {
        "prefix_conversion": rule("monitor"),
        "country_conversion": rule("block"),
    }
    it = World(store, rules)
    pump(it, 60)
    store.clock.advance(LIFE + 361)

    it.verdict(far_phone(1))

    assert blocked(store, "country")


def test_a_country_is_blocked_for_half_an_hour_at_most(store: Store) -> None:
    it = World(store, {"country_conversion": rule("block")})
    for round_ in range(6):
        for number in range(60):
            it.verdict(far_phone(1_000 * round_ + number))
        store.clock.advance(LIFE + 301)
        it.verdict(far_phone(9_000))
        store.clock.advance(1_801)
    told = [
        it.seconds
        for it in store.events
        if isinstance(it, ConversionJudged) and it.state == "blocked"
    ]

    assert len(told) > 3
    assert max(told) == 1_800


def test_a_phone_that_types_no_more_is_not_known_any_more(store: Store) -> None:
    it = probing(store)
    it.send_and_type(far_phone(1))
    it.aftermath.forget("x" * 16)
    it.send_and_type(phone(61))
    pump(it, 20, first=200)
    store.clock.advance(LIFE + 61)
    assert it.verdict(phone(300)) == "rate_limited prefix_conversion"

    verdicts = [it.verdict(phone(61)) for _ in range(7)]

    assert verdicts == ["pass"] * 5 + ["rate_limited prefix_conversion"] * 2


def test_strangers_do_not_use_up_what_a_known_device_may(store: Store) -> None:
    it = World(store, {"sends_per_prefix": rule("block", (8, 600))})
    it.send_and_type(phone(1))
    for _ in range(8):
        it.send(phone(1), THERE)

    assert it.verdict(phone(1), THERE) == "rate_limited sends_per_prefix"
    assert it.verdict(phone(1), HERE, knows_device=True) == "pass"


def test_asking_who_is_a_customer_costs_what_a_send_does(store: Store) -> None:
    """A08: while its block of numbers is blocked, a known phone is still served."""
    rules = {**PREFIX, "sends_per_ip": rule("block", (5, 600))}
    it = World(store, {**PREFIX})
    it.send_and_type(phone(1))
    pump(it, 20, first=10)
    store.clock.advance(LIFE + 61)
    it = World(store, rules)

    verdicts = [it.verdict(phone(100 + last)) for last in range(7)]

    assert verdicts[:5] == ["rate_limited prefix_conversion"] * 5
    assert verdicts[5:] == ["rate_limited sends_per_ip"] * 2
    assert it.verdict(phone(1)) == "rate_limited sends_per_ip"


def test_what_was_not_taken_is_not_given_back(store: Store) -> None:
    it = World(store, {**PREFIX, "country_conversion": rule("block")})
    for number in range(60):
        it.send(far_phone(number))
    pump(it, 12)
    for _ in range(60):
        ask = it.ask(phone(50))
        it.aftermath.give_back(ask, it.guard.admit_send(ask), to_caller=False)
    store.clock.advance(LIFE + 301)

    it.verdict(far_phone(99))

    assert blocked(store, "country")


def test_what_vendors_say_at_once_makes_one_block(store: Store) -> None:
    it = World(store, PREFIX)
    for last in range(8):
        it.aftermath.refused_as_fraud(phone(last))
    it.settle()

    (block,) = it.blocks.all()
    assert round(block.until - block.since) == 300


def test_a_hold_whose_set_is_gone_is_let_go_of(store: Store) -> None:
    it = World(store, {"spend_global": money("block", (1, 86_400))})
    it.send(far_phone(1), cost_micros=UNIT)
    store.client.delete("hold:{all}:spend_global:")

    assert it.verdict(far_phone(2), cost_micros=UNIT) == "pass"


def test_what_is_told_twice_counts_once(store: Store) -> None:
    rules = {
        "spend_global": money("block", (5, 86_400)),
        "sends_per_prefix": rule("block", (3, 600)),
    }
    it = World(store, rules)
    ask = it.ask(phone(1), cost_micros=UNIT)
    room = it.guard.admit_send(ask)
    for last in (2, 3):
        it.send(phone(last))
    it.aftermath.settle(ask, room, UNIT)
    it.aftermath.typed(ask, sent_at_ms=[room.ticket.at_ms], counted=True)
    notes = list(it.aftermath._notes._items)
    it.settle()

    it.aftermath._note_all(notes)

    spent = store.client.hgetall("spend:{all}:spend_global:")
    assert [int(it) for field, it in spent.items() if b":" in field[:9]] == [UNIT]
    assert it.verdict(phone(4)) == "pass"
    assert it.verdict(phone(5)) == "rate_limited sends_per_prefix"


def test_who_comes_back_after_ninety_days_is_counted_whole(store: Store) -> None:
    it = World(store, PREFIX)
    it.send_and_type(phone(1))
    store.clock.advance(95 * 86_400)
    for last in range(1, 12):
        it.send_and_type(phone(last))
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(50)) == "pass"


def test_an_escalation_ends_whatever_became_of_its_window(store: Store) -> None:
    it = World(store, {"wrong_checks_global": rule("challenge", (5, 600))})
    for number in range(6):
        it.guard.count_wrong_check(HERE, far_phone(number), digits=6)
    assert it.guessing.look().escalated
    it = World(store, {"wrong_checks_global": rule("challenge", (5, 3_600))})

    store.clock.advance(7_500)

    assert not it.guessing.look().escalated
