"""Who wants one phone's account, or to keep its holder out: the attacks by name."""

import pytest

from services.abuse.asking import Caller
from services.errors import (
    AttemptsExhausted,
    PhoneLocked,
    RateLimited,
    VerificationGone,
    WrongCode,
)
from services.otp.answers import SendRequest, Started
from tests.services.otp.world import PHONE, SHOP, Login, other_than
from tests.services.stores import Store

pytestmark = pytest.mark.contract

DAY = 86_400


@pytest.fixture
def login(store: Store) -> Login:
    return Login(store)


def from_network(number: int) -> Caller:
    """One of many who never come twice; no two in one /16."""
    return Caller(f"{10 + number // 250}.{number % 250}.0.1", SHOP.storefront)


def test_a01_a_thousand_addresses_get_fifteen_guesses_at_one_phone(
    login: Login,
) -> None:
    pending: Started | None = None
    evaluated = 0
    for number in range(1_000):
        caller = from_network(number)
        try:
            pending = pending or login.service.start(SendRequest(PHONE), caller)
            login.check(pending, other_than(login.code), caller=caller)
        except WrongCode:
            evaluated += 1
        except (AttemptsExhausted, VerificationGone):
            pending = None
        except (RateLimited, PhoneLocked):
            pass
        # All within a day: they could not have come sooner.
        login.store.clock.advance(60)

    assert evaluated == 15
    assert login.store.clock.offset < DAY
    # Nor does the right code help them then.
    with pytest.raises(PhoneLocked):
        login.service.start(SendRequest(PHONE), from_network(1_000))


def test_a05_a_resend_gives_no_guess_back(login: Login) -> None:
    started = login.send()
    for _ in range(3):
        with pytest.raises(WrongCode):
            login.check(started, other_than(login.code))
    login.store.clock.advance(30)

    resent = login.send(resend_of=started)

    assert (resent.id, resent.attempts_left) == (started.id, 2)


def test_a05_no_send_clears_a_lock(login: Login) -> None:
    started = login.send()
    for _ in range(5):
        with pytest.raises(WrongCode):
            login.check(started, other_than(login.code))
    sent = dict(login.sent)

    # The wait for the next message is over when the lock is: 30 s both.
    login.store.clock.advance(29)
    for asked in (None, str(started.id)):
        with pytest.raises((PhoneLocked, VerificationGone)):
            login.service.start(SendRequest(PHONE, verification_id=asked), SHOP)

    assert login.sent == sent
    login.store.clock.advance(1)
    assert login.check(login.send(), login.code)
