"""The conversion breaker: whose codes nobody types gets no more of them (A07)."""

import random

import pytest

from services.abuse.asking import Caller
from services.abuse_events import ConversionJudged
from tests.services.abuse.world import HERE, LIFE, THERE, World, far_phone, phone, rule
from tests.services.stores import Store

ON = {"prefix_conversion": rule("block")}
CALLER = Caller("svc-a 192.0.2.1", "svc-a", client="svc-a")


def judged(store: Store, scope: str = "prefix") -> list[tuple[str, str]]:
    return [
        (it.state, it.cause)
        for it in store.events
        if isinstance(it, ConversionJudged) and it.scope == scope
    ]


def flood(it: World, count: int, *, typed: int = 0, first: int = 0) -> None:
    """Send to neighbours, and have the first of them type."""
    for last in range(first, first + count):
        room = it.send(phone(last), solution_key=f"key-{last}")
        if last < first + typed:
            it.type(phone(last), room)


def test_a_block_of_numbers_is_not_judged_before_a_codes_life_is_over(
    store: Store,
) -> None:
    it = World(store, ON)
    flood(it, 30)

    assert it.verdict(phone(99)) == "pass"


def test_ten_codes_of_which_few_are_typed_ask_for_a_challenge(store: Store) -> None:
    it = World(store, ON)
    flood(it, 10, typed=1)
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(99)) == "challenge prefix_conversion"
    assert it.verdict(phone(99), solution_key="key") == "pass"
    assert it.verdict(far_phone(1)) == "pass"
    assert judged(store) == [("challenged", "few")]


def test_twenty_codes_of_which_fewer_are_typed_block_their_numbers(
    store: Store,
) -> None:
    it = World(store, ON)
    flood(it, 20, typed=1)
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(99), solution_key="x") == "rate_limited prefix_conversion"
    assert it.verdict(far_phone(1)) == "pass"
    assert judged(store) == [("blocked", "few")]


def test_honest_people_never_see_it(store: Store) -> None:
    it = World(store, ON)
    for last in range(60):
        room = it.send(phone(last))
        if last % 5:
            it.type(phone(last), room)
        store.clock.advance(30)

    assert judged(store) == []


def test_who_types_every_tenth_code_is_found_out_a_little_later(store: Store) -> None:
    it = World(store, ON)
    draws = random.Random(7)  # noqa: S311 - traffic, no secret
    passed = 0
    for last in range(400):
        if it.verdict(phone(last), solution_key=f"key-{last}") == "pass":
            passed += 1
            if draws.random() < 0.1:
                it.type(phone(last), it.send(phone(last), solution_key=f"k-{last}"))
        store.clock.advance(20)

    assert passed < 120
    assert ("blocked", "few") in judged(store)


def test_a_block_ends_after_five_minutes_and_the_next_is_twice_as_long(
    store: Store,
) -> None:
    it = World(store, ON)
    flood(it, 20)
    store.clock.advance(LIFE + 61)
    assert it.verdict(phone(50)) == "rate_limited prefix_conversion"

    store.clock.advance(301)
    probes = [it.verdict(phone(60 + last)) for last in range(5)]
    store.clock.advance(LIFE + 1)

    assert probes == ["pass"] + ["rate_limited prefix_conversion"] * 4
    assert it.verdict(phone(70)) == "rate_limited prefix_conversion"
    store.clock.advance(590)
    assert it.verdict(phone(70)) == "rate_limited prefix_conversion"
    store.clock.advance(20)
    assert it.verdict(phone(70)) == "pass"
    assert judged(store) == [
        ("blocked", "few"),
        ("probing", "few"),
        ("blocked", "few"),
        ("probing", "few"),
    ]


def test_blocks_double_up_to_twelve_hours(store: Store) -> None:
    it = World(store, ON)
    flood(it, 20)
    store.clock.advance(LIFE + 61)
    it.verdict(phone(50))
    lengths = []
    for round_ in range(10):
        block = it.blocks.all()[0]
        lengths.append(round(block.until - block.since if round_ == 0 else 0))
        store.clock.advance(43_201)
        it.send(phone(100 + 10 * round_))
        store.clock.advance(LIFE + 1)
        it.verdict(phone(99))
        told = [e for e in store.events if isinstance(e, ConversionJudged)][-1]
        lengths[-1] = told.seconds

    assert lengths[:4] == [600, 1_200, 2_400, 4_800]
    assert max(lengths) == 43_200


def test_a_block_whose_next_codes_are_typed_is_open_again(store: Store) -> None:
    it = World(store, ON)
    flood(it, 20)
    store.clock.advance(LIFE + 61)
    it.verdict(phone(50))
    store.clock.advance(301)

    it.send_and_type(phone(60))

    assert [it.verdict(phone(70 + last)) for last in range(6)] == ["pass"] * 6
    assert judged(store)[-1] == ("open", "recovered")
    assert it.blocks.all() == []


def test_who_tries_whether_a_block_is_over_may_ask_again(store: Store) -> None:
    it = World(store, ON)
    flood(it, 20)
    store.clock.advance(LIFE + 61)
    it.verdict(phone(50))
    store.clock.advance(301)
    it.send(phone(60))
    assert it.verdict(phone(61)) == "rate_limited prefix_conversion"

    store.clock.advance(40)
    it.send_and_type(phone(60))

    assert it.verdict(phone(61)) == "pass"


def test_who_sends_too_slowly_for_an_hour_is_found_out_within_a_day(
    store: Store,
) -> None:
    it = World(store, ON)
    verdicts = []
    for last in range(48):
        verdicts.append(it.verdict(phone(last), solution_key=f"key-{last}"))
        store.clock.advance(3_600)

    assert verdicts.count("pass") <= 22
    assert ("blocked", "few") in judged(store)


def test_ten_codes_of_which_none_is_typed_are_enough(store: Store) -> None:
    it = World(store, ON)
    flood(it, 10)
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(99), solution_key="x") == "rate_limited prefix_conversion"


def test_who_bombs_one_phone_does_not_block_its_neighbours(store: Store) -> None:
    it = World(store, ON)
    for _ in range(40):
        it.send(phone(1))
        store.clock.advance(600)

    assert it.verdict(phone(2)) == "pass"
    assert judged(store) == []


def test_a_code_typed_after_a_resend_counts_as_typed(store: Store) -> None:
    it = World(store, ON)
    for last in range(12):
        it.send(phone(last))
    store.clock.advance(70)
    for last in range(12):
        it.send_and_type(phone(last))
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(50)) == "pass"


def test_known_phones_are_neither_counted_nor_kept_back(store: Store) -> None:
    it = World(store, ON)
    it.send_and_type(phone(1))
    flood(it, 20, first=10)
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(50)) == "rate_limited prefix_conversion"
    assert it.verdict(phone(1)) == "pass"
    store.clock.advance(91 * 86_400)
    flood(it, 1, first=100)
    assert it.verdict(phone(1)) == "rate_limited prefix_conversion"


def test_what_a_vendor_calls_fraud_is_blocked_at_once(store: Store) -> None:
    it = World(store, ON)

    it.aftermath.refused_as_fraud(phone(1))
    it.settle()

    assert it.verdict(phone(2)) == "rate_limited prefix_conversion"
    assert judged(store) == [("blocked", "vendor")]


def country_world(store: Store) -> World:
    return World(store, {"country_conversion": rule("block")})


def test_a_country_whose_codes_are_not_typed_is_blocked(store: Store) -> None:
    it = country_world(store)
    for number in range(50):
        room = it.send(far_phone(number))
        if number < 5:
            it.type(far_phone(number), room)
    store.clock.advance(LIFE + 301)

    assert it.verdict(far_phone(99)) == "rate_limited country_conversion"
    assert judged(store, "country") == [("blocked", "few")]


def test_a_country_that_falls_to_half_of_what_is_usual_is_blocked(
    store: Store,
) -> None:
    it = country_world(store)
    for number in range(300):
        it.send_and_type(far_phone(number))
        store.clock.advance(60)
    store.clock.advance(7_200)
    for number in range(1_000, 1_100):
        room = it.send(far_phone(number))
        if number % 10 < 4:
            it.type(far_phone(number), room)
    store.clock.advance(LIFE + 301)

    assert it.verdict(far_phone(99_99)) == "rate_limited country_conversion"
    assert judged(store, "country") == [("blocked", "half")]


def test_a_country_is_not_blocked_for_what_one_block_of_numbers_did(
    store: Store,
) -> None:
    rules = {
        "prefix_conversion": rule("block"),
        "country_conversion": rule("block"),
    }
    it = World(store, rules)
    for number in range(10):
        it.send_and_type(far_phone(number))
    flood(it, 60)
    store.clock.advance(LIFE + 61)
    assert it.verdict(phone(99)) == "rate_limited prefix_conversion"
    store.clock.advance(300)

    assert it.verdict(far_phone(99)) == "pass"
    assert judged(store, "country") == []


def test_a_service_whose_codes_are_not_typed_is_blocked_alone(store: Store) -> None:
    it = World(store, {"caller_conversion": rule("block")})
    for number in range(60):
        it.send(far_phone(number), CALLER)
    store.clock.advance(LIFE + 301)

    assert it.verdict(far_phone(99), CALLER) == "rate_limited caller_conversion"
    assert it.verdict(far_phone(99), HERE) == "pass"


def test_in_mode_challenge_nobody_is_refused(store: Store) -> None:
    it = World(store, {"prefix_conversion": rule("challenge")})
    flood(it, 20)
    store.clock.advance(LIFE + 61)

    assert it.verdict(phone(50)) == "challenge prefix_conversion"
    assert it.verdict(phone(50), solution_key="key") == "pass"


def test_an_operator_sees_a_block_and_what_it_saved_and_may_lift_it(
    store: Store,
) -> None:
    it = World(store, ON)
    flood(it, 20)
    store.clock.advance(LIFE + 61)
    for _ in range(3):
        it.verdict(phone(50), THERE, cost_micros=250_000)

    (block,) = it.blocks.all()

    assert (block.scope, block.name, block.state) == ("prefix", "+91987654", "blocked")
    assert (block.sent, block.typed, block.refused) == (20, 0, 3)
    assert block.saved == pytest.approx(0.75)
    assert "987654" not in str(store.dump())
    assert it.blocks.lift("prefix", "+91987654")
    assert not it.blocks.lift("prefix", "+91987654")
    assert it.verdict(phone(50)) == "pass"
    assert it.blocks.all() == []
    assert judged(store)[-1] == ("open", "operator")
