"""A hundred wrong codes in a row end SMS on a phone until somebody helps."""

from dataclasses import replace

import pytest

from services.otp.locks import Locks
from services.otp.records import PhoneLimits, Plan
from tests.services.otp.phones import NO_SESSION, TAG, Phone
from tests.services.stores import Store

pytestmark = pytest.mark.contract

DAY = 86_400
KEY = f"otp:{{{TAG}}}"
# What a day has does not matter here, and the waits would take many calls.
LIMITS = PhoneLimits(cooldowns=(), sends=(), locks=())
QUICK = replace(LIMITS, disable_after=7)


def spend_days(phone: Phone, wrongs: int) -> None:
    """Guess wrong so often, fifteen times a day."""
    while wrongs > 0:
        phone.guess_wrong(min(wrongs, 15))
        wrongs -= 15
        phone.advance(DAY)


def locks_of(store: Store, limits: PhoneLimits = QUICK) -> Locks:
    return Locks(store.scripts, limits=limits, offset_seconds=store.offset)


@pytest.mark.parametrize(
    ("wrong", "outcomes"),
    [(99, ("started", "verified")), (100, ("disabled", "disabled"))],
    ids=["99", "100"],
)
def test_100_wrong_codes_in_a_row_disable_a_phone(
    store: Store, wrong: int, outcomes: tuple[str, str]
) -> None:
    # NIST SP 800-63B 3.2.2, over a week and more.
    phone = Phone(store, LIMITS)
    spend_days(phone, wrong - 1)
    live = phone.start().part
    told = phone.check(phone.start().part)

    assert (told.outcome, told.disabled_now) == ("wrong", wrong == 100)
    assert told.since_right == (100 if told.disabled_now else 0)
    assert (
        phone.start().outcome,
        phone.check(live, right=True).outcome,
    ) == outcomes


def test_of_the_hundred_one_tells_that_it_was_the_last(store: Store) -> None:
    phone = Phone(store, QUICK)
    for _ in range(6):
        assert not phone.check(phone.start().part).disabled_now
        phone.advance(1)
    part, other = phone.start().part, phone.start().part

    told = [phone.check(part, op="one") for _ in range(2)]

    # The same request run again gets the same answer; any other is refused.
    assert [it.disabled_now for it in told] == [True, True]
    assert not phone.check(other).disabled_now


def test_no_wait_ends_it(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.guess_wrong(7)
    for days in (1, 29, 60, 300):
        phone.advance(days * DAY)

        refused = phone.start()

        assert (refused.outcome, refused.disabled) == ("disabled", True)


@pytest.mark.parametrize(
    ("wrong", "days"), [(4, 1), (5, 30), (99, 30), (100, 400)], ids=str
)
def test_the_count_lives_as_long_as_it_matters(
    store: Store, wrong: int, days: int
) -> None:
    phone = Phone(store, replace(LIMITS, wrongs=()))
    phone.guess_wrong(wrong)

    _, ttl = store.dump()[KEY]

    assert days * DAY - 5 < ttl / 1000 <= days * DAY


def test_a_right_code_ends_the_row(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.guess_wrong(6)
    phone.otp.check(phone.attempt(phone.start().part), prize=NO_SESSION)

    assert phone.guess_wrong(6)
    assert phone.start().outcome == "started"
    assert "since_right" in phone.stored()


def test_a_resend_and_a_forgotten_login_end_nothing(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.log_in()
    phone.guess_wrong(6)
    phone.start(resend_of=phone.start().part)
    phone.otp.forget_holder(TAG, phone.limits)

    assert phone.check(phone.start().part).disabled_now


def test_a_known_device_goes_on_and_its_login_enables_the_phone(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.log_in()
    phone.guess_wrong(7)
    assert phone.start().outcome == "disabled"

    phone.log_in(by_device=True)

    assert phone.start().outcome == "started"
    assert "since_right" not in phone.stored()


def test_devices_are_disabled_by_their_own_wrong_codes_alone(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.log_in()
    for _ in range(7):
        told = phone.check(phone.start(by_device=True).part)

    assert told.disabled_now
    assert phone.start(by_device=True).outcome == "disabled"
    assert phone.start().outcome == "started"
    lock = locks_of(store).look(TAG)
    assert (lock.disabled, lock.device_disabled) == (False, True)
    _, ttl = store.dump()[KEY]
    assert ttl / 1000 > 399 * DAY


def test_an_operator_sees_it_and_ends_it(store: Store) -> None:
    phone = Phone(store, QUICK)
    phone.guess_wrong(7)
    phone.advance(3 * DAY)
    locks = locks_of(store)
    before = locks.look(TAG)

    after = locks.unlock(TAG)

    assert (before.disabled, before.since_right, before.locked_for) == (True, 7, 0)
    assert (after.disabled, after.since_right) == (False, 0)
    assert phone.log_in().outcome == "verified"


@pytest.mark.parametrize(("wrong", "outcome"), [(6, "followed"), (7, "moved")], ids=str)
def test_a_disabled_phone_is_sent_nothing_by_itself_either(
    store: Store, wrong: int, outcome: str
) -> None:
    phone = Phone(store, QUICK)
    phone.guess_wrong(wrong - 1)
    phone.start()
    sent = phone.last
    assert sent is not None
    phone.check(phone.start().part)

    followed = phone.otp.follow(
        replace(sent, op="follow"),
        number=1,
        status="undelivered",
        closings=[],
        plans=[Plan("sms", [("fast2sms", "accepted", 1)])],
    )

    assert followed.outcome == outcome
