"""The service over a store and providers that do as they are told."""

import pytest

from services.abuse.asking import Caller
from services.errors import (
    AttemptsExhausted,
    AuthError,
    DeliveryUnavailable,
    PhoneLocked,
    PhoneNotSupported,
    RateLimited,
    RecipientUnreachable,
    VerificationGone,
    WrongCode,
)
from services.events import CodeChecked, DeliveryFailed, LimitReached
from services.otp.answers import SendRequest
from services.otp.codes import VerificationId
from services.sms.provider import ProviderFailure, Reason, Scope, Unavailable
from tests.services.otp.world import (
    DEAD,
    DOWN,
    FRAUD,
    LOST,
    MARK,
    OTHER,
    PHONE,
    SHOP,
    TEST_PHONE,
    FakePrize,
    Login,
    other_than,
    shared_limits,
    tag_of,
)
from tests.services.stores import Store


@pytest.fixture
def login(store: Store) -> Login:
    return Login(store)


def test_the_code_that_was_sent_logs_in(login: Login) -> None:
    started = login.send()

    assert login.check(started, login.code)


def test_the_text_holds_code_and_brand(login: Login) -> None:
    login.send()

    assert login.first.messages[0].text.startswith(f"{login.code} is your Shop code")


def test_a_verify_makes_no_session(login: Login) -> None:
    request = SendRequest(PHONE, purpose="verify")
    started = login.service.start(request, SHOP)

    assert not login.check(started, login.code)


def test_a_wrong_code_says_how_many_are_left(login: Login) -> None:
    started = login.send()

    with pytest.raises(WrongCode) as refusal:
        login.check(started, other_than(login.code))

    assert refusal.value.attempts_left == 4
    assert refusal.value.next_step is not None
    assert refusal.value.next_step.check.allowed


def test_used_up_guesses_lock_and_say_so(login: Login) -> None:
    started = login.send()
    for _ in range(5):
        with pytest.raises(WrongCode) as last:
            login.check(started, other_than(login.code))

    assert last.value.next_step is not None
    assert not last.value.next_step.check.allowed
    assert last.value.next_step.sms.retry_in == 30
    with pytest.raises(AttemptsExhausted):
        login.check(started, login.code)
    with pytest.raises(PhoneLocked) as locked:
        login.send()
    assert locked.value.retry_after == 30


@pytest.mark.parametrize(
    ("phone", "storefront"), [(OTHER, "https://shop.example"), (PHONE, "direct")]
)
def test_a_code_is_good_for_its_phone_and_storefront_only(
    login: Login, phone: str, storefront: str
) -> None:
    started = login.send()
    caller = Caller(SHOP.network, storefront)

    with pytest.raises(VerificationGone):
        login.check(started, login.code, phone, caller)

    assert login.check(started, login.code), "and no guess was spent on it"


def test_an_id_with_another_purpose_is_gone(login: Login) -> None:
    started = login.send()
    forged = str(VerificationId(started.id.tag, "v" + started.id.part[1:]))

    with pytest.raises(VerificationGone):
        login.service.check(
            verification_id=forged,
            phone_text=PHONE,
            code=login.code,
            caller=SHOP,
            prize=FakePrize,
        )


@pytest.mark.parametrize("guess", ["foreign tag", "unknown part"])
def test_whose_tag_it_is_cannot_be_found_out_by_asking(
    store: Store, guess: str
) -> None:
    login = Login(store, shared_limits(wrong_checks_per_ip=((2, 600),)))
    tag = tag_of(OTHER if guess == "foreign tag" else PHONE)
    asked = str(VerificationId.new(tag, "login", mark=MARK))

    answers = []
    for _ in range(3):
        with pytest.raises(AuthError) as refusal:
            login.service.check(
                verification_id=asked,
                phone_text=PHONE,
                code="000000",
                caller=SHOP,
                prize=FakePrize,
            )
        answers.append(refusal.value.code)

    assert answers == ["verification_gone", "verification_gone", "rate_limited"]


def test_asking_in_vain_uses_up_nobody_elses_limit(store: Store) -> None:
    neighbour = "+919876543219"
    login = Login(store, shared_limits(sends_per_prefix=((2, 600),)))
    login.send()
    for _ in range(5):
        with pytest.raises(RateLimited):
            login.send()

    assert login.send(neighbour).delivery.status == "accepted"


def test_an_outage_uses_up_no_shared_limit(store: Store) -> None:
    login = Login(store, shared_limits(sends_per_ip=((1, 600),)))
    login.fails(DOWN, DOWN)
    with pytest.raises(DeliveryUnavailable):
        login.send()

    assert login.send().delivery.status == "accepted"


def test_over_a_shared_limit_nothing_is_learnt_of_a_phone(store: Store) -> None:
    login = Login(store, shared_limits(sends_per_ip=((1, 10),)))
    started = login.send()
    before = store.dump()

    told = []
    for phone, resend_of in ((PHONE, None), (OTHER, None), (PHONE, started)):
        with pytest.raises(RateLimited) as refusal:
            login.send(phone, resend_of=resend_of)
        step = refusal.value.next_step
        assert step is not None
        told.append((refusal.value.limit, step.sms, refusal.value.retry_after))

    assert len(set(told)) == 1
    assert {it for it in store.dump() if it[:5] != "tally"} == before.keys()


def test_over_the_limit_on_wrong_checks_every_id_gets_the_same_answer(
    store: Store,
) -> None:
    login = Login(store, shared_limits(wrong_checks_per_ip=((1, 600),)))
    started = login.send()
    with pytest.raises(WrongCode):
        login.check(started, other_than(login.code))

    told = []
    for phone in (PHONE, OTHER):
        with pytest.raises(RateLimited) as refusal:
            login.check(started, login.code, phone)
        told.append((refusal.value.next_step, refusal.value.retry_after))

    assert told[0] == told[1]


def test_a_number_that_vendors_fault_does_not_cost_them_without_end(
    login: Login,
) -> None:
    no_route = Unavailable(Reason.TRANSIENT, Scope.NUMBER, "21612")
    login.fails(no_route, no_route)
    with pytest.raises(DeliveryUnavailable):
        login.send()

    with pytest.raises(RateLimited) as refusal:
        login.send()

    assert refusal.value.limit == "resend_cooldown"


def test_a_resend_goes_through_the_other_provider_with_the_same_code(
    login: Login,
) -> None:
    started = login.send()
    login.store.clock.advance(30)

    again = login.send(resend_of=started)

    assert again.id == started.id
    assert again.delivery.attempt == 2
    assert login.second.last_code == login.first.last_code


def test_a_failover_is_invisible_and_spends_the_budget_once(login: Login) -> None:
    login.fails(DOWN)

    started = login.send()

    assert started.delivery.status == "accepted"
    assert started.next.sms.retry_in == 30
    login.store.clock.advance(30)
    login.send(resend_of=started)
    assert [len(it.messages) for it in (login.first, login.second)] == [1, 1]


def test_all_providers_down_leaves_nothing(login: Login) -> None:
    for _ in range(4):
        login.fails(DOWN, DOWN)
        with pytest.raises(DeliveryUnavailable) as outage:
            login.send()

    assert (outage.value.retry_after or 0) >= 1
    assert outage.value.next_step is not None
    assert outage.value.next_step.sms.retry_in == outage.value.retry_after
    assert login.send().delivery.attempt == 1


def test_a_message_that_may_have_left_stays_counted_without_a_cooldown(
    login: Login,
) -> None:
    for _ in range(3):
        login.fails(DOWN, LOST)
        with pytest.raises(DeliveryUnavailable):
            login.send()

    with pytest.raises(RateLimited) as refusal:
        login.send()

    assert refusal.value.limit == "sends_per_phone"
    failed = [it for it in login.store.events if isinstance(it, DeliveryFailed)]
    assert [it.budget_returned for it in failed] == [False] * 3


@pytest.mark.parametrize(
    ("failure", "error"), [(DEAD, RecipientUnreachable), (FRAUD, PhoneNotSupported)]
)
def test_a_refusal_stops_and_leaves_no_verification(
    login: Login, failure: ProviderFailure, error: type[AuthError]
) -> None:
    login.fails(failure)

    with pytest.raises(error) as refusal:
        login.send()

    assert not login.second.messages
    assert refusal.value.next_step is not None
    assert not refusal.value.next_step.sms.allowed
    with pytest.raises((RecipientUnreachable, RateLimited)):
        login.send()
    assert not login.first.messages


def test_a_failed_resend_keeps_the_first_code_alive(login: Login) -> None:
    started = login.send()
    login.store.clock.advance(30)
    login.fails(DOWN, DOWN)
    with pytest.raises(DeliveryUnavailable):
        login.send(resend_of=started)

    assert login.check(started, login.code)


def test_a_country_that_no_provider_serves_is_not_supported(store: Store) -> None:
    login = Login(store)
    login.first.countries = frozenset({"US"})
    login.second.countries = frozenset({"US"})

    with pytest.raises(PhoneNotSupported):
        login.send()

    assert not store.dump()


def test_a_test_number_costs_nothing_and_takes_its_code(login: Login) -> None:
    for _ in range(20):
        started = login.send(TEST_PHONE)
        assert started.delivery.status == "test"
        assert login.check(started, "123456", TEST_PHONE)

    assert not login.first.messages


def test_a_test_number_can_be_locked_like_any_other(login: Login) -> None:
    started = login.send(TEST_PHONE)
    for _ in range(5):
        with pytest.raises(WrongCode):
            login.check(started, "000000", TEST_PHONE)

    with pytest.raises(PhoneLocked):
        login.send(TEST_PHONE)


def test_a_send_refused_by_an_address_limit_reaches_no_phone(store: Store) -> None:
    login = Login(store, shared_limits(sends_per_ip=((1, 600),)))
    login.send()

    with pytest.raises(RateLimited) as refusal:
        login.send(OTHER)

    assert refusal.value.limit == "sends_per_ip"
    assert len(login.first.messages) == 1
    assert f"otp:{{{tag_of(OTHER)}}}" not in store.dump()


def test_wrong_codes_count_against_the_address_over_all_phones(store: Store) -> None:
    login = Login(store, shared_limits(wrong_checks_per_ip=((2, 600),)))
    for phone in (PHONE, OTHER):
        started = login.send(phone)
        with pytest.raises(WrongCode):
            login.check(started, other_than(login.code), phone)

    with pytest.raises(RateLimited) as refusal:
        login.check(started, login.code, OTHER)

    assert refusal.value.limit == "wrong_checks_per_ip"
    assert LimitReached("wrong_checks_per_ip", "check", 660) in [
        LimitReached(it.limit, it.action, 660)
        for it in store.events
        if isinstance(it, LimitReached)
    ]


def test_right_codes_do_not_count_as_wrong(store: Store) -> None:
    login = Login(store, shared_limits(wrong_checks_per_ip=((1, 600),)))
    for phone in (PHONE, OTHER):
        started = login.send(phone)
        assert login.check(started, login.first.last_code, phone)


def test_a_wait_of_zero_is_never_followed_by_a_refusal(store: Store) -> None:
    login = Login(store, shared_limits(sends_per_ip=((4, 900),)))
    waits = []
    for _ in range(6):
        wait = login.send().next.sms.retry_in
        assert wait is not None
        waits.append(wait)
        store.clock.advance(wait)

    assert max(waits) > 600


def test_who_holds_no_live_id_learns_nothing_of_the_phone(login: Login) -> None:
    started = login.send()
    unknown = VerificationId.new(started.id.tag, "login", mark=started.id.mark)

    status = login.service.status(unknown, SHOP)

    assert status.state == "none"
    assert status.delivery is None
    assert status.next.sms.retry_in is None


def test_a_status_tells_all_limits(store: Store) -> None:
    login = Login(store, shared_limits(sends_per_ip=((1, 900),)))
    started = login.send()

    status = login.service.status(started.id, SHOP)

    assert (status.state, status.attempts_left) == ("pending", 5)
    assert (status.next.sms.retry_in or 0) > 800


def test_events_name_no_phone_and_no_code(login: Login) -> None:
    started = login.send()
    with pytest.raises(WrongCode):
        login.check(started, other_than(login.code))
    login.check(started, login.code)

    told = repr(login.store.events)

    assert any(isinstance(it, CodeChecked) for it in login.store.events)
    assert PHONE[3:] not in told
    assert login.code not in told
    assert str(started.id) not in told
