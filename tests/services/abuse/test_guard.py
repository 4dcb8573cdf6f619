"""Which limits bind whom."""

import pytest

from services.abuse.guard import Caller, Guard, SharedLimits
from services.errors import RateLimited
from services.events import LimitReached
from tests.services.stores import Store
from utils.phone import PhoneNumber

HERE = Caller("192.0.2.1", "direct")
THERE = Caller("192.0.2.2", "direct")


def phone(last: int) -> PhoneNumber:
    return PhoneNumber(e164=f"+91987654{last:04}", region="IN", country_code=91)


def guard(store: Store, **limits: tuple[tuple[int, int], ...]) -> Guard:
    off: dict[str, tuple[tuple[int, int], ...]] = dict.fromkeys(
        SharedLimits.__dataclass_fields__, ()
    )
    return Guard(
        store.scripts,
        SharedLimits(**(off | limits)),
        key=b"key",
        tag_of=lambda e164: f"tag of {e164[-4:]}",
        emit=store.events.append,
        offset_seconds=store.offset,
    )


def test_an_address_has_its_own_limit(store: Store) -> None:
    it = guard(store, sends_per_ip=((2, 600),))
    for last in range(2):
        it.admit_send(HERE, phone(last))

    with pytest.raises(RateLimited):
        it.admit_send(HERE, phone(2))
    assert it.admit_send(THERE, phone(2)).send_wait == 0


def test_a_block_of_numbers_has_a_limit_whoever_asks(store: Store) -> None:
    it = guard(store, sends_per_prefix=((2, 600),))
    it.admit_send(HERE, phone(1))
    it.admit_send(THERE, phone(2))

    with pytest.raises(RateLimited) as refusal:
        it.admit_send(HERE, phone(3))

    assert refusal.value.limit == "sends_per_prefix"
    assert 600 <= (refusal.value.retry_after or 0) <= 660


def test_all_sends_together_have_a_limit_when_asked_for(store: Store) -> None:
    it = guard(store, sends_global=((1, 600),))
    it.admit_send(HERE, phone(1))

    with pytest.raises(RateLimited) as refusal:
        it.admit_send(THERE, phone(9999))

    assert refusal.value.limit == "sends_global"


def test_a_refusal_names_the_phone_by_its_tag(store: Store) -> None:
    it = guard(store, sends_per_ip=((1, 600),), wrong_checks_per_ip=((1, 600),))
    it.admit_send(HERE, phone(1))
    it.count_wrong_check(HERE, phone(1), evaluated=True)

    with pytest.raises(RateLimited):
        it.admit_send(HERE, phone(2))
    with pytest.raises(RateLimited):
        it.admit_check(HERE, phone(3))

    told = [event for event in store.events if isinstance(event, LimitReached)]
    assert [(event.limit, event.phone_tag) for event in told] == [
        ("sends_per_ip", "tag of 0002"),
        ("wrong_checks_per_ip", "tag of 0003"),
    ]


def test_a_refused_send_takes_nothing(store: Store) -> None:
    it = guard(store, sends_per_ip=((5, 600),), sends_per_prefix=((1, 600),))
    it.admit_send(HERE, phone(1))
    with pytest.raises(RateLimited):
        it.admit_send(HERE, phone(2))

    room = it.admit_send(HERE, PhoneNumber("+918765432100", "IN", 91))

    assert room.quotas[0].left == 3


def test_all_wrong_checks_together_have_a_limit(store: Store) -> None:
    it = guard(store, wrong_checks_global=((2, 3_600),))
    for caller in (HERE, THERE):
        it.admit_check(caller, phone(1))
        it.count_wrong_check(caller, phone(1), evaluated=True)

    with pytest.raises(RateLimited) as refusal:
        it.admit_check(HERE, phone(2))

    assert refusal.value.limit == "wrong_checks_global"


def test_a_check_that_met_nothing_counts_for_the_caller_alone(store: Store) -> None:
    it = guard(store, wrong_checks_per_ip=((1, 600),), wrong_checks_global=((1, 600),))

    it.count_wrong_check(HERE, phone(1), evaluated=False)

    assert it.admit_check(THERE, phone(1)).check_wait == 0
    with pytest.raises(RateLimited):
        it.admit_check(HERE, phone(1))


@pytest.mark.parametrize("to_caller", [True, False])
def test_a_send_that_did_not_take_place_is_given_back(
    store: Store, *, to_caller: bool
) -> None:
    it = guard(
        store,
        sends_per_ip=((9, 600),),
        sends_per_prefix=((1, 600),),
        sends_global=((1, 600),),
    )
    taken = it.admit_send(HERE, phone(1))

    it.give_back(HERE, phone(1), taken, to_caller=to_caller)

    room = it.admit_send(HERE, phone(2))
    assert room.quotas[0].left == (8 if to_caller else 7)


def test_with_every_limit_off_all_is_admitted(store: Store) -> None:
    it = guard(store)

    room = it.admit_send(HERE, phone(1))

    assert (room.send_wait, room.check_wait, room.quotas) == (0, 0, ())
    assert not store.dump()


def test_no_address_and_no_number_is_in_a_key(store: Store) -> None:
    it = guard(store, sends_per_ip=((5, 600),), sends_per_prefix=((5, 600),))

    it.admit_send(HERE, phone(1))

    told = repr(store.dump())
    assert HERE.network not in told
    assert "987654" not in told
