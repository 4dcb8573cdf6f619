"""A code is checked with the pepper that made it, while another one takes over."""

import pytest

from services.errors import VerificationGone
from services.otp.codes import Peppers, VerificationId
from tests.services.otp.world import PHONE, SHOP, Login, tag_of
from tests.services.stores import Store

OLD, NEW = b"the old pepper", b"the new pepper"


@pytest.mark.parametrize("later", [(OLD, NEW), (NEW, OLD)])
def test_both_orders_of_peppers_take_the_code(
    store: Store, later: tuple[bytes, ...]
) -> None:
    first, second = Login(store, peppers=(OLD,)), Login(store, peppers=later)

    started = first.send()

    assert second.check(started, first.code)


def test_new_codes_are_made_with_the_current_pepper(store: Store) -> None:
    between, last = Login(store, peppers=(NEW, OLD)), Login(store, peppers=(NEW,))

    started = between.send()

    assert started.id.mark == Peppers((NEW,)).mark
    assert last.check(started, between.code)


def test_without_its_pepper_a_verification_is_gone(store: Store) -> None:
    before, after = Login(store, peppers=(OLD,)), Login(store, peppers=(NEW,))
    started = before.send()

    status = after.service.status(started.id, SHOP)
    with pytest.raises(VerificationGone):
        after.check(started, before.code)

    assert status.state == "none"
    assert before.check(started, before.code), "and no guess was spent on it"


def test_a_resend_without_the_pepper_is_gone(store: Store) -> None:
    before, after = Login(store, peppers=(OLD,)), Login(store, peppers=(NEW,))
    started = before.send()
    store.clock.advance(30)

    with pytest.raises(VerificationGone):
        after.send(resend_of=started)

    assert after.sent == {}


def test_a_mark_tells_nothing_of_the_pepper_and_stays_the_same() -> None:
    mark = Peppers((OLD,)).mark

    assert mark == Peppers((OLD, NEW)).mark
    assert mark != Peppers((NEW,)).mark
    assert len(mark) == 4
    made = VerificationId.new(tag_of(PHONE), "login", mark=mark)
    assert made.mark == mark
    assert len(made.part) == 27
