"""What an operator sees of a phone's lock, and how far an unlock goes: both stores."""

import pytest

from services.errors import RateLimited
from services.otp.locks import Lock, Locks
from services.otp.records import PhoneLimits
from tests.services.otp.phones import TAG, Phone
from tests.services.stores import Store
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

KEY = f"otp:{{{TAG}}}"
# Sends without end, so that wrong checks can be.
LIMITS = PhoneLimits(cooldowns=(), sends=())


@pytest.fixture
def phone(store: Store) -> Phone:
    return Phone(store, LIMITS)


@pytest.fixture
def locks(store: Store) -> Locks:
    return Locks(store.scripts, limits=LIMITS, offset_seconds=store.offset)


def test_a_phone_that_nobody_knows_is_not_locked(locks: Locks, store: Store) -> None:
    free = Lock(
        locked_for=0,
        wrong_checks=0,
        in_a_row=0,
        checks_left=15,
        forgiven=0,
        since_right=0,
        disabled=False,
        device_locked_for=0,
        device_wrong_checks=0,
        device_disabled=False,
    )

    assert locks.look(TAG) == free
    assert locks.unlock(TAG) == free
    assert store.dump() == {}


def test_a_lock_is_seen_with_what_led_to_it(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(5)

    lock = locks.look(TAG)
    assert (lock.locked_for, lock.wrong_checks, lock.in_a_row) == (30, 5, 5)
    assert (lock.checks_left, lock.forgiven) == (10, 0)


def test_a_look_changes_nothing(phone: Phone, locks: Locks, store: Store) -> None:
    phone.guess_wrong(5)
    before = store.client.get(KEY)

    locks.look(TAG)

    assert store.client.get(KEY) == before


def test_an_unlocked_phone_can_be_used_at_once(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(5)
    assert phone.start().outcome == "limited"

    lock = locks.unlock(TAG)

    assert (lock.locked_for, lock.in_a_row, lock.checks_left) == (0, 0, 10)
    assert phone.check(phone.start().part, right=True).outcome == "verified"


def test_the_ladder_begins_anew(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(8)
    locks.unlock(TAG)

    assert phone.guess_wrong(5) == [0, 0, 0, 0, 30]


def test_a_phone_that_spent_its_day_gets_five_checks_more(
    phone: Phone, locks: Locks
) -> None:
    phone.guess_wrong(15)
    assert locks.look(TAG).locked_for > 3_600

    lock = locks.unlock(TAG)

    assert (lock.locked_for, lock.checks_left) == (0, 5)
    assert (lock.wrong_checks, lock.forgiven) == (10, 5)
    phone.guess_wrong(5)
    assert locks.look(TAG).checks_left == 0


def test_the_guesses_of_a_day_have_an_end_however_often_it_is_unlocked(
    phone: Phone, locks: Locks
) -> None:
    phone.guess_wrong(15)
    for _ in range(7):
        locks.unlock(TAG)
        phone.guess_wrong(5)

    with pytest.raises(RateLimited) as refusal:
        locks.unlock(TAG)

    # 50 guesses by now.
    assert refusal.value.limit == "unlocks_per_phone"
    wait = refusal.value.retry_after or 0
    assert 0 < wait <= 86_400
    assert locks.look(TAG).locked_for > 0
    phone.advance(wait)
    assert locks.unlock(TAG).locked_for == 0


def test_unlocks_in_vain_cost_nothing(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(5)
    for _ in range(50):
        locks.unlock(TAG)

    lock = locks.look(TAG)
    assert (lock.wrong_checks, lock.forgiven) == (5, 0)


def test_the_same_unlock_twice_at_once_is_one(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(15)

    at_once(4, lambda _: locks.unlock(TAG))

    assert locks.look(TAG).forgiven == 5


def test_a_day_later_nothing_is_left_of_it(phone: Phone, locks: Locks) -> None:
    phone.guess_wrong(15)
    locks.unlock(TAG)
    phone.advance(86_400)

    lock = locks.look(TAG)
    assert (lock.wrong_checks, lock.forgiven, lock.checks_left) == (0, 0, 15)


def test_every_window_gets_room(store: Store) -> None:
    limits = PhoneLimits(cooldowns=(), sends=(), wrongs=((3, 600), (8, 86_400)))
    phone = Phone(store, limits)
    locks = Locks(store.scripts, limits=limits, offset_seconds=store.offset)
    phone.guess_wrong(3)
    phone.advance(600)
    phone.guess_wrong(3)

    lock = locks.unlock(TAG)

    assert (lock.locked_for, lock.checks_left) == (0, 3)
    # Of the short window all three; that also made room in the long one.
    assert (lock.wrong_checks, lock.forgiven) == (3, 3)


def test_without_limits_on_wrong_checks_only_the_lock_is_lifted(store: Store) -> None:
    limits = PhoneLimits(cooldowns=(), sends=(), wrongs=())
    phone = Phone(store, limits)
    locks = Locks(store.scripts, limits=limits, offset_seconds=store.offset)
    phone.guess_wrong(5)

    lock = locks.unlock(TAG)

    assert (lock.locked_for, lock.checks_left, lock.forgiven) == (0, None, 0)
