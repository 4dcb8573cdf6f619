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


def test_guesses_over_several_codes_at_once_stop_at_the_lock(
    real_store: Store,
) -> None:
    phone = Phone(real_store, PhoneLimits(cooldowns=()))
    parts = [phone.start().part for _ in range(3)]

    outcomes = at_once(90, lambda i: phone.check(parts[i % 3], op=f"{i}").outcome)

    assert outcomes.count("wrong") == 5
