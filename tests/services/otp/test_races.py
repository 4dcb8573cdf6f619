"""Many threads at once, on real Redis: what must never happen twice."""

import pytest

from services.otp.records import PhoneLimits
from tests.services.otp.phones import Phone
from tests.services.stores import Store
from tests.services.threads import at_once

ROUNDS = 10


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_200_wrong_guesses_at_once_5_are_evaluated(
    real_store: Store, round_: int
) -> None:
    phone = Phone(real_store)
    part = phone.start().part

    outcomes = at_once(200, lambda i: phone.check(part, op=f"guess-{i}").outcome)

    assert outcomes.count("wrong") == 5
    assert set(outcomes) == {"wrong", "exhausted"}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_50_right_codes_at_once_one_wins(real_store: Store, round_: int) -> None:
    phone = Phone(real_store)
    part = phone.start().part

    outcomes = at_once(
        50, lambda i: phone.check(part, right=True, op=f"try-{i}").outcome
    )

    assert sorted(outcomes) == ["gone"] * 49 + ["verified"]


def test_of_50_starts_at_once_one_is_sent(real_store: Store) -> None:
    phone = Phone(real_store)

    outcomes = at_once(50, lambda _: phone.start().outcome)

    assert sorted(outcomes) == ["limited"] * 49 + ["started"]


def test_without_a_cooldown_the_window_still_holds(real_store: Store) -> None:
    phone = Phone(real_store, PhoneLimits(cooldowns=()))

    outcomes = at_once(50, lambda _: phone.start().outcome)

    assert outcomes.count("started") == 3


def test_of_50_resends_at_once_one_is_sent(real_store: Store) -> None:
    phone = Phone(real_store)
    part = phone.start().part
    phone.advance(30)

    outcomes = at_once(50, lambda _: phone.start(resend_of=part).outcome)

    assert sorted(outcomes) == ["limited"] * 49 + ["resent"]


def test_what_strangers_and_the_device_do_at_once_counts_apart(
    real_store: Store,
) -> None:
    phone = Phone(real_store)
    phone.log_in()
    phone.advance(86_400)

    outcomes = at_once(60, lambda i: phone.start(by_device=i % 2 == 0).outcome)

    assert sorted(outcomes) == ["limited"] * 58 + ["started"] * 2


def test_a_device_wins_while_strangers_guess(real_store: Store) -> None:
    phone = Phone(real_store, PhoneLimits(cooldowns=()))
    phone.log_in()
    strangers = phone.start().part
    devices = phone.start(by_device=True).part

    outcomes = at_once(
        60,
        lambda i: (
            phone.check(devices, right=True, op=f"{i}").outcome
            if i == 30
            else phone.check(strangers, op=f"{i}").outcome
        ),
    )

    assert outcomes[30] == "verified"
    assert outcomes.count("wrong") == 5


def test_of_50_guesses_at_once_one_disables_the_phone(real_store: Store) -> None:
    phone = Phone(real_store, PhoneLimits(cooldowns=(), locks=(), disable_after=7))
    parts = [phone.start().part for _ in range(3)]

    records = at_once(50, lambda i: phone.check(parts[i % 3], op=f"{i}"))

    outcomes = [it.outcome for it in records]
    assert outcomes.count("wrong") == 7
    assert sum(it.disabled_now for it in records) == 1
    assert set(outcomes) <= {"wrong", "exhausted", "disabled"}


def test_guesses_over_several_codes_at_once_stop_at_the_lock(
    real_store: Store,
) -> None:
    phone = Phone(real_store, PhoneLimits(cooldowns=()))
    parts = [phone.start().part for _ in range(3)]

    outcomes = at_once(90, lambda i: phone.check(parts[i % 3], op=f"{i}").outcome)

    assert outcomes.count("wrong") == 5
