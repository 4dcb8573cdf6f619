"""Which rules bind whom, and how strictly."""

import pytest

from services.abuse.asking import Caller, ChallengeWanted
from services.errors import RateLimited
from services.events import LimitReached
from tests.services.abuse.world import (
    HERE,
    THERE,
    World,
    far_phone,
    phone,
    rule,
    tag_of,
)
from tests.services.stores import Store

SERVICE = Caller("svc-a 192.0.2.1", "svc-a", client="svc-a")


def test_an_address_has_its_own_limit(store: Store) -> None:
    it = World(store, {"sends_per_ip": rule("block", (2, 600))})
    for last in range(2):
        it.send(far_phone(last))

    assert it.verdict(far_phone(2)) == "rate_limited sends_per_ip"
    assert it.send(far_phone(2), THERE).send_wait == 0


def test_a_wider_network_has_a_limit_of_its_own(store: Store) -> None:
    it = World(store, {"sends_per_network": rule("block", (2, 600))})
    callers = [
        Caller(f"2001:db8:0:{last}::/64", "direct", wider="2001:db8::/48")
        for last in range(3)
    ]
    for last in range(2):
        it.send(far_phone(last), callers[last])

    assert it.verdict(far_phone(2), callers[2]) == "rate_limited sends_per_network"
    assert it.verdict(far_phone(2), HERE) == "pass"


def test_a_block_of_numbers_has_a_limit_whoever_asks(store: Store) -> None:
    it = World(store, {"sends_per_prefix": rule("block", (2, 600))})
    it.send(phone(1), HERE)
    it.send(phone(2), THERE)

    with pytest.raises(RateLimited) as refusal:
        it.send(phone(3))

    assert refusal.value.limit == "sends_per_prefix"
    assert 600 <= (refusal.value.retry_after or 0) <= 660


def test_all_sends_together_have_a_limit_when_asked_for(store: Store) -> None:
    it = World(store, {"sends_global": rule("block", (1, 600))})
    it.send(phone(1), HERE)

    assert it.verdict(far_phone(1), THERE) == "rate_limited sends_global"


def test_countries_and_services_may_have_windows_of_their_own(store: Store) -> None:
    it = World(
        store,
        {
            "sends_per_country": rule("block", (3, 600), IN=((2, 600),)),
            "sends_per_caller": rule("block", (1, 600)),
        },
    )
    it.send(far_phone(1), SERVICE)

    assert it.verdict(far_phone(2), SERVICE) == "rate_limited sends_per_caller"
    assert it.verdict(far_phone(2)) == "pass"
    assert it.verdict(far_phone(3)) == "rate_limited sends_per_country"


def test_a_refusal_names_the_phone_by_its_tag(store: Store) -> None:
    rules = {
        "sends_per_ip": rule("block", (1, 600)),
        "wrong_checks_per_ip": rule("block", (1, 600)),
    }
    it = World(store, rules)
    it.send(phone(1))
    it.guard.count_wrong_check(HERE, phone(1), digits=6)

    with pytest.raises(RateLimited):
        it.send(phone(2))
    with pytest.raises(RateLimited):
        it.guard.admit_check(HERE, phone(3), tag_of(phone(3)))

    told = [event for event in store.events if isinstance(event, LimitReached)]
    assert [(event.limit, event.action, event.phone_tag) for event in told] == [
        ("sends_per_ip", "send", tag_of(phone(2))),
        ("wrong_checks_per_ip", "check", tag_of(phone(3))),
    ]


def test_a_refused_send_takes_nothing(store: Store) -> None:
    rules = {
        "sends_per_ip": rule("block", (5, 600)),
        "sends_per_prefix": rule("block", (1, 600)),
    }
    it = World(store, rules)
    it.send(phone(1))
    assert it.verdict(phone(2)) == "rate_limited sends_per_prefix"

    room = it.send(far_phone(1))

    assert room.quotas[0].left == 3


def test_over_a_limit_a_solved_challenge_lets_pass_up_to_three_times_as_many(
    store: Store,
) -> None:
    it = World(store, {"sends_per_ip": rule("challenge", (2, 600))})
    verdicts = [
        it.verdict(far_phone(last), solution_key=f"key-{last}") for last in range(7)
    ]

    assert verdicts == ["pass"] * 6 + ["rate_limited sends_per_ip"]


def test_without_a_solution_a_challenge_is_asked_at_the_limit(store: Store) -> None:
    it = World(store, {"sends_per_ip": rule("challenge", (2, 600))})
    for last in range(2):
        it.send(far_phone(last))

    assert it.verdict(far_phone(2)) == "challenge sends_per_ip"


def test_the_challenge_is_harder_the_further_a_limit_is_passed(store: Store) -> None:
    it = World(store, {"sends_per_ip": rule("challenge", (2, 600))})
    difficulties = []
    for last in range(5):
        try:
            it.send(far_phone(last))
        except ChallengeWanted as wanted:
            difficulties.append(wanted.difficulty)
            it.send(far_phone(last), solution_key=f"key-{last}")

    assert difficulties == [1, 1, 2]


def test_a_solution_lets_one_send_pass(store: Store) -> None:
    it = World(store, {"sends_per_ip": rule("challenge", (1, 600))})
    it.send(far_phone(1))
    it.send(far_phone(2), solution_key="key")

    with pytest.raises(ChallengeWanted) as again:
        it.send(far_phone(3), solution_key="key")

    assert again.value.spent


def test_a_solution_is_not_spent_on_a_send_that_is_refused(store: Store) -> None:
    rules = {
        "sends_per_ip": rule("challenge", (1, 600)),
        "sends_global": rule("block", (2, 60)),
    }
    it = World(store, rules)
    it.send(far_phone(1))
    it.send(far_phone(9), THERE)
    assert it.verdict(far_phone(2), solution_key="key") == "rate_limited sends_global"

    store.clock.advance(70)

    assert it.verdict(far_phone(2), solution_key="key") == "pass"


def test_many_phones_of_one_address_meet_a_challenge(store: Store) -> None:
    """A06: who asks for many phones from one place is no household."""
    it = World(store, {"phones_per_ip": rule("challenge", (2, 3_600))})
    for _ in range(5):
        it.send(far_phone(1))
    it.send(far_phone(2))

    assert it.verdict(far_phone(3)) == "challenge phones_per_ip"
    assert it.verdict(far_phone(1)) == "pass"
    assert it.verdict(far_phone(3), THERE) == "pass"


def test_what_an_app_calls_its_device_asks_for_challenges_and_refuses_nobody(
    store: Store,
) -> None:
    it = World(store, {"phones_per_device": rule("challenge", (2, 3_600))})
    for number in range(2):
        it.send(far_phone(number), device_id="a")

    assert it.verdict(far_phone(2), device_id="a") == "challenge phones_per_device"
    assert it.verdict(far_phone(2), device_id="b") == "pass"
    for number in range(3, 20):
        assert (
            it.verdict(far_phone(number), device_id="a", solution_key=f"k-{number}")
            == "pass"
        )


def test_five_hundred_people_behind_one_address_are_no_crowd_if_they_type(
    store: Store,
) -> None:
    rules = {
        "phones_per_ip": rule("challenge", (5, 3_600), (20, 86_400)),
        "sends_per_ip": rule("challenge", (10, 600), (30, 3_600), (100, 86_400)),
    }
    it = World(store, rules)
    for number in range(500):
        it.send_and_type(far_phone(number))
        store.clock.advance(10)

    assert it.verdict(far_phone(500)) == "pass"


@pytest.mark.parametrize("mode", ["challenge", "block"])
def test_units_are_free_again_when_the_window_is_over(store: Store, mode: str) -> None:
    rules = {
        "sends_per_ip": rule(mode, (1, 600)),  # type: ignore[arg-type]
        "phones_per_ip": rule(mode, (1, 600)),  # type: ignore[arg-type]
    }
    it = World(store, rules)
    it.send(far_phone(1))
    assert it.verdict(far_phone(2)) != "pass"

    store.clock.advance(661)

    assert it.verdict(far_phone(2)) == "pass"


def test_a_known_device_is_not_bound_by_what_strangers_use_up(store: Store) -> None:
    rules = {
        "sends_per_ip": rule("block", (1, 600)),
        "sends_per_prefix": rule("block", (1, 600)),
    }
    it = World(store, rules)
    it.send_and_type(phone(1), THERE)
    it.send(phone(2))

    assert it.verdict(phone(1)) != "pass"
    assert it.verdict(phone(1), knows_device=True) == "pass"


def test_the_word_of_a_device_is_nothing_for_a_phone_that_never_logged_in(
    store: Store,
) -> None:
    it = World(store, {"sends_per_ip": rule("block", (1, 600))})
    it.send(phone(2))

    assert it.verdict(phone(1), knows_device=True) == "rate_limited sends_per_ip"


def test_a_message_that_follows_another_is_asked_no_challenge(store: Store) -> None:
    it = World(store, {"sends_per_prefix": rule("challenge", (1, 600))})
    it.send(phone(1))

    assert it.verdict(phone(2)) == "challenge sends_per_prefix"
    assert it.verdict(phone(2), None) == "pass"


@pytest.mark.parametrize("to_caller", [True, False])
def test_a_send_that_did_not_take_place_is_given_back(
    store: Store, *, to_caller: bool
) -> None:
    rules = {
        "sends_per_ip": rule("block", (1, 600)),
        "phones_per_ip": rule("block", (1, 600)),
        "sends_per_prefix": rule("block", (1, 600)),
        "sends_global": rule("block", (1, 600)),
    }
    it = World(store, rules)
    ask = it.ask(phone(1))
    room = it.guard.admit_send(ask)

    it.aftermath.give_back(ask, room, to_caller=to_caller)

    assert it.verdict(phone(2), THERE) == "pass"
    it = World(store, {"sends_per_ip": rule("block", (1, 600))})
    expected = "pass" if to_caller else "rate_limited sends_per_ip"
    assert it.verdict(phone(3)) == expected


def test_a_check_that_met_nothing_counts_for_the_caller_alone(store: Store) -> None:
    rules = {
        "wrong_checks_per_ip": rule("block", (1, 600)),
        "wrong_checks_global": rule("challenge", (1, 3_600)),
    }
    it = World(store, rules)

    it.guard.count_wrong_check(HERE, phone(1), digits=None)

    assert it.guard.admit_check(THERE, phone(1), "tag").check_wait == 0
    with pytest.raises(RateLimited):
        it.guard.admit_check(HERE, phone(1), "tag")
    assert it.verdict(phone(1), THERE) == "pass"


def test_a_number_policy_asks_a_challenge_of_every_stranger(store: Store) -> None:
    it = World(store, {})

    assert (
        it.verdict(phone(1), wants_challenge="country_policy")
        == "challenge country_policy"
    )
    assert (
        it.verdict(phone(1), wants_challenge="country_policy", solution_key="key")
        == "pass"
    )


def test_what_is_said_of_waiting_is_true(store: Store) -> None:
    rules = {
        "sends_per_ip": rule("block", (2, 600)),
        "calls_global": rule("block", (1, 3_600)),
        "wrong_checks_per_ip": rule("block", (1, 600)),
    }
    it = World(store, rules)
    assert it.send(far_phone(1)).send_wait == 0
    room = it.send(far_phone(2), by_voice=True)
    assert 3_600 <= room.call_wait <= 3_960
    assert 540 <= room.send_wait <= 660

    store.clock.advance(room.send_wait)

    assert it.verdict(far_phone(3)) == "pass"


def test_a_notice_may_go_to_a_phone_once_an_hour(store: Store) -> None:
    it = World(store, {})

    assert it.guard.admit_notice(it.ask(phone(1), None))
    assert not it.guard.admit_notice(it.ask(phone(1), None))
    assert it.guard.admit_notice(it.ask(phone(2), None))
    store.clock.advance(4_000)
    assert it.guard.admit_notice(it.ask(phone(1), None))


def test_nothing_in_the_store_is_an_address_or_a_number_or_lives_for_ever(
    store: Store,
) -> None:
    rules = {
        "sends_per_ip": rule("challenge", (1, 600)),
        "phones_per_ip": rule("challenge", (1, 600)),
        "sends_per_prefix": rule("block", (9, 600)),
        "prefix_conversion": rule("block"),
        "country_conversion": rule("block"),
        "spend_global": rule("block", (1_000_000_000, 600)),
        "wrong_checks_per_ip": rule("block", (9, 600)),
        "wrong_checks_global": rule("challenge", (9, 3_600)),
    }
    it = World(store, rules)
    for last in range(3):
        room = it.send(phone(last), solution_key=f"key-{last}", cost_micros=10_000)
        it.aftermath.settle(it.ask(phone(last)), room, 10_000)
        it.type(phone(last), room)
        it.guard.count_wrong_check(HERE, phone(last), digits=6)
    it.verdict(phone(9))

    dump = store.dump()
    assert len(dump) > 8
    assert [key for key, (_, left) in dump.items() if left < 0] == []
    text = str(dump)
    assert "192.0.2" not in text
    assert "987654" not in text
