"""The store's contract, on the embedded store and on a real server."""

import json
from dataclasses import replace

import pytest

from services.otp.codes import VerificationId
from services.otp.records import PhoneLimits, Plan, Record, phone_key
from tests.services.otp.phones import MARK, NO_SESSION, TAG, FakePrize, Phone
from tests.services.stores import Store

pytestmark = pytest.mark.contract


def same_answer(first: Record, second: Record) -> bool:
    """Compare but for the second that may have gone by between them."""
    aligned = replace(
        second,
        expires_in=first.expires_in,
        send_wait=first.send_wait,
        at_ms=first.at_ms,
    )
    return first == aligned


@pytest.fixture
def phone(store: Store) -> Phone:
    return Phone(store)


def test_a_start_makes_a_pending_verification(phone: Phone) -> None:
    record = phone.start()

    assert (record.outcome, record.state) == ("started", "pending")
    assert (record.attempts_left, record.attempt) == (5, 1)
    assert (record.provider, record.delivery) == ("twilio", "accepted")
    assert record.expires_in == 300
    assert (record.send_wait, record.check_wait) == (30, 0)


def test_a_right_code_works_once(phone: Phone) -> None:
    part = phone.start().part

    first = phone.check(part, right=True)
    second = phone.check(part, right=True)

    assert (first.outcome, second.outcome) == ("verified", "gone")
    assert phone.status(part).state == "verified"


def test_a_won_check_makes_the_session_with_its_life(phone: Phone) -> None:
    part = phone.start().part

    phone.check(part, right=True)

    value, ttl = phone.store.dump()[FakePrize().keys[0]]
    assert value == b"session"
    assert 590_000 < ttl <= 600_000


def test_what_was_won_is_told_again_to_the_same_request(phone: Phone) -> None:
    part = phone.start().part

    told = [phone.check(part, right=True, op="one").won for _ in range(2)]

    assert told == [{"value": "session"}] * 2


def test_what_wins_is_told_how_the_last_code_came(phone: Phone) -> None:
    part = phone.start().part

    checked = phone.otp.check(phone.attempt(part), prize=NO_SESSION)

    assert checked.won == {"channel": "sms"}


def test_a_forgotten_login_makes_the_next_one_the_first(store: Store) -> None:
    phone = Phone(store, PhoneLimits(cooldowns=(), sends=()))
    phone.check(phone.start().part, right=True)
    phone.guess_wrong(1)
    phone.otp.forget_holder(TAG, phone.limits)

    login = phone.check(phone.start().part, right=True)

    assert login.first_login


def test_a_code_is_void_once_its_holder_is_forgotten(phone: Phone) -> None:
    part = phone.start().part
    phone.otp.forget_holder(TAG, phone.limits)

    assert phone.check(part, right=True).outcome == "gone"
    assert phone.status(part).state == "none"
    # Who has the number now may not be sent more than anybody.
    assert phone.start().outcome == "limited"


def test_an_erased_phone_is_forgotten(phone: Phone) -> None:
    part = phone.start().part
    phone.check(part)

    phone.otp.erase(TAG)

    assert phone_key(TAG) not in phone.store.dump()
    assert phone.check(part).outcome == "gone"


def test_a_lost_check_makes_no_session(phone: Phone) -> None:
    part = phone.start().part

    phone.otp.check(phone.attempt(part), prize=None)

    assert FakePrize().keys[0] not in phone.store.dump()


def test_wrong_codes_use_the_guesses_up(phone: Phone) -> None:
    part = phone.start().part

    records = [phone.check(part) for _ in range(5)]

    assert [it.attempts_left for it in records] == [4, 3, 2, 1, 0]
    assert {it.outcome for it in records} == {"wrong"}
    assert phone.check(part, right=True).outcome == "exhausted"
    assert phone.status(part).state == "exhausted"


def test_a_code_dies_with_its_life(phone: Phone) -> None:
    part = phone.start().part

    phone.advance(299)
    alive = phone.status(part).state
    phone.advance(1)

    assert (alive, phone.status(part).state) == ("pending", "expired")
    assert phone.check(part, right=True).outcome == "gone"
    phone.advance(300)
    assert phone.status(part).state == "none"


@pytest.mark.parametrize(("seconds", "outcome"), [(299, "verified"), (300, "gone")])
def test_a_code_is_good_until_the_last_second(
    phone: Phone, seconds: int, outcome: str
) -> None:
    part = phone.start().part

    phone.advance(seconds)

    assert phone.check(part, right=True).outcome == outcome


def test_an_unknown_verification_is_gone(phone: Phone) -> None:
    phone.start()
    unknown = VerificationId.new(TAG, "login", mark=MARK).part

    assert phone.check(unknown, right=True).outcome == "gone"
    assert phone.start(resend_of=unknown).outcome == "gone"
    assert phone.status(unknown).state == "none"


def test_a_resend_keeps_id_guesses_and_end_of_life(phone: Phone) -> None:
    part = phone.start().part
    phone.check(part)
    phone.advance(31)

    record = phone.start(resend_of=part)

    assert (record.outcome, record.part) == ("resent", part)
    assert (record.attempts_left, record.attempt) == (4, 2)
    assert record.expires_in == pytest.approx(300 - 31, abs=1)


def test_a_resend_prefers_a_provider_not_used_yet(phone: Phone) -> None:
    part = phone.start().part
    used = []
    for wait in (30, 60):
        phone.advance(wait)
        used.append(phone.start(resend_of=part).provider)

    assert used == ["fast2sms", "twilio"]


def test_a_resend_with_little_life_left_begins_anew(phone: Phone) -> None:
    part = phone.start().part
    phone.advance(241)

    record = phone.start(resend_of=part)

    assert record.outcome == "started"
    assert record.part != part
    assert (record.attempts_left, record.expires_in) == (5, 300)


def test_a_resend_with_just_enough_life_left_stays(phone: Phone) -> None:
    part = phone.start().part
    phone.advance(239)

    assert phone.start(resend_of=part).part == part


@pytest.mark.parametrize("how", ["verified", "exhausted", "expired"])
def test_an_ended_verification_cannot_be_sent_again(phone: Phone, how: str) -> None:
    part = phone.start().part
    if how == "verified":
        phone.check(part, right=True)
    elif how == "exhausted":
        for _ in range(5):
            phone.check(part)
    phone.advance(301)

    assert phone.start(resend_of=part).outcome == "gone"


def test_the_cooldown_climbs_its_ladder(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),)))
    waits = []
    for _ in range(6):
        record = phone.start()
        waits.append(record.send_wait)
        phone.advance(record.send_wait)

    assert waits == [30, 60, 120, 300, 300, 300]


def test_the_wait_that_is_told_is_exact(phone: Phone) -> None:
    for _ in range(12):
        wait = phone.start().send_wait
        phone.advance(wait - 1)
        early = phone.start()
        phone.advance(1)

        assert (early.outcome, early.send_wait) == ("limited", 1)


@pytest.mark.parametrize(
    ("window", "most"), [(600, 3), (3_600, 5), (86_400, 10)], ids=str
)
def test_no_window_holds_more_sends_than_its_limit(
    phone: Phone, window: int, most: int
) -> None:
    times = []
    while phone.store.clock.offset < 2 * 86_400:
        record = phone.start()
        assert record.outcome == "started"
        times.append(phone.store.clock.offset)
        phone.advance(record.send_wait)

    for at in times:
        assert sum(at <= other < at + window for other in times) <= most


def test_a_login_clears_the_cooldown_but_not_the_windows(phone: Phone) -> None:
    part = phone.start().part

    record = phone.check(part, right=True)

    assert record.send_wait == 0
    for _ in range(2):
        phone.check(phone.start().part, right=True)
    assert phone.start().limit == "sends_per_phone"


def test_calm_takes_the_cooldown_back_to_its_first_rung(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),)))
    for _ in range(3):
        phone.advance(phone.start().send_wait)

    phone.advance(3_601)

    assert phone.start().send_wait == 30


def test_the_lock_climbs_its_ladder(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),), cooldowns=()))
    waits = phone.guess_wrong(14)

    assert waits == [0] * 4 + [30] + [0] * 2 + [120] + [0] + [900] + [0] + [3_600, 0, 0]


def test_a_locked_phone_gets_no_send_and_no_check(store: Store) -> None:
    phone = Phone(store, PhoneLimits(cooldowns=()))
    other = phone.start().part
    phone.guess_wrong(5)

    sent, checked = phone.start(), phone.check(other, right=True)

    assert (sent.outcome, sent.limit, sent.send_wait) == ("limited", "phone_locked", 30)
    assert (checked.outcome, checked.check_wait) == ("locked", 30)
    phone.advance(30)
    assert phone.check(other, right=True).outcome == "verified"


def test_fifteen_wrong_codes_lock_the_phone_for_the_rest_of_the_day(
    store: Store,
) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),), cooldowns=(), locks=()))
    phone.guess_wrong(15)
    since_first = phone.store.clock.offset

    record = phone.start()

    assert (record.outcome, record.limit) == ("limited", "phone_locked")
    assert record.send_wait == pytest.approx(86_400 - since_first, abs=2)


@pytest.mark.parametrize(
    ("wrong", "outcome"), [(14, "verified"), (15, "locked")], ids=str
)
def test_resends_do_not_reset_the_wrong_checks(
    store: Store, wrong: int, outcome: str
) -> None:
    # NIST SP 800-63B 3.1.3.2, in two arms: kept is not the same as gone.
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),), cooldowns=()))
    phone.guess_wrong(wrong - 1)
    other = phone.start().part
    phone.check(phone.part)
    resent = phone.start(resend_of=other)

    assert resent.outcome == ("limited" if outcome == "locked" else "resent")
    assert phone.check(other, right=True).outcome == outcome


def test_a_login_forgives_the_ladder_but_not_the_day(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),), cooldowns=()))
    for _ in range(3):
        assert phone.guess_wrong(4) == [0, 0, 0, 0]
        phone.check(phone.part, right=True)

    waits = phone.guess_wrong(3)

    assert waits[:2] == [0, 0]
    assert waits[2] > 86_000


def test_a_fourth_live_verification_replaces_the_oldest(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=(), cooldowns=()))
    parts = []
    for _ in range(4):
        parts.append(phone.start().part)
        phone.advance(1)

    assert [phone.status(it).state for it in parts] == ["none"] + ["pending"] * 3


def test_ended_verifications_do_not_pile_up(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=(), cooldowns=()))
    for _ in range(50):
        phone.check(phone.start().part, right=True)

    value, _ = phone.store.dump()[f"otp:{{{TAG}}}"]
    assert len(json.loads(value)["verifications"]) <= 11


def test_a_send_that_failed_for_sure_leaves_no_trace(phone: Phone) -> None:
    phone.start()
    assert phone.last is not None

    record = phone.otp.settle(phone.last)

    assert (record.outcome, record.state, record.send_wait) == ("settled", "none", 0)
    stored = json.loads(phone.store.dump()[f"otp:{{{TAG}}}"][0])
    assert not stored["sends"]
    assert not stored["verifications"]


def test_a_failed_resend_leaves_the_first_send_as_it_was(phone: Phone) -> None:
    part = phone.start().part
    phone.advance(30)
    phone.start(resend_of=part)
    assert phone.last is not None

    phone.otp.settle(phone.last)

    record = phone.status(part)
    assert (record.state, record.attempt, record.provider) == ("pending", 1, "twilio")
    assert record.send_wait == 0


def test_a_send_that_may_have_left_stays_counted(phone: Phone) -> None:
    phone.start()
    assert phone.last is not None

    record = phone.otp.settle(phone.last, keep_count=True)

    assert (record.state, record.send_wait) == ("none", 0)
    assert len(json.loads(phone.store.dump()[f"otp:{{{TAG}}}"][0])["sends"]) == 1


def test_a_refused_recipient_has_to_wait_all_the_same(phone: Phone) -> None:
    phone.start()
    assert phone.last is not None

    record = phone.otp.settle(phone.last, keep_count=True, keep_cooldown=True)

    assert (record.state, record.send_wait) == ("none", 30)


def test_a_failover_is_remembered_for_the_resend(phone: Phone) -> None:
    part = phone.start().part
    assert phone.last is not None
    phone.otp.settle(phone.last, sent=("fast2sms", "accepted", "sms"))
    phone.advance(30)

    assert phone.start(resend_of=part).provider == "twilio"


def test_settling_twice_changes_nothing_more(phone: Phone) -> None:
    phone.start()
    assert phone.last is not None
    phone.otp.settle(phone.last)
    before = phone.store.dump()[f"otp:{{{TAG}}}"][0]

    record = phone.otp.settle(phone.last)

    assert record.outcome == "gone"
    assert phone.store.dump()[f"otp:{{{TAG}}}"][0] == before


def test_a_start_run_again_counts_once(phone: Phone) -> None:
    attempt = phone.attempt()

    first, second = phone.start(attempt=attempt), phone.start(attempt=attempt)

    assert same_answer(first, second)
    assert len(json.loads(phone.store.dump()[f"otp:{{{TAG}}}"][0])["sends"]) == 1


def test_a_resend_run_again_counts_once(phone: Phone) -> None:
    part = phone.start().part
    phone.advance(30)
    attempt = phone.attempt()

    first = phone.start(resend_of=part, attempt=attempt)
    second = phone.start(resend_of=part, attempt=attempt)

    assert same_answer(first, second)
    assert second.attempt == 2


@pytest.mark.parametrize("right", [True, False])
def test_a_check_run_again_counts_once(phone: Phone, *, right: bool) -> None:
    part = phone.start().part

    first = phone.check(part, right=right, op="same")
    second = phone.check(part, right=right, op="same")

    assert same_answer(first, second)
    assert second.attempts_left == 4


def test_only_the_first_login_is_a_first_login(store: Store) -> None:
    phone = Phone(store, PhoneLimits(cooldowns=(), sends=()))
    logins = [phone.check(phone.start().part, right=True) for _ in range(2)]
    phone.advance(90 * 86_400 + 1)

    assert [it.first_login for it in logins] == [True, False]


def test_a_verified_phone_has_not_logged_in(phone: Phone) -> None:
    part = phone.start().part
    phone.otp.check(phone.attempt(part), prize=NO_SESSION)

    login = phone.check(phone.start().part, right=True)

    assert login.first_login


def test_every_key_has_an_end(phone: Phone) -> None:
    part = phone.start().part
    phone.check(part)
    phone.check(part, right=True)

    ttls = {key: ttl for key, (_, ttl) in phone.store.dump().items()}

    assert set(ttls) == {f"otp:{{{TAG}}}", *FakePrize().keys}
    assert all(ttl > 0 for ttl in ttls.values())


def test_a_status_changes_nothing(phone: Phone) -> None:
    part = phone.start().part
    before = phone.store.dump()[f"otp:{{{TAG}}}"][0]

    phone.status(part)

    assert phone.store.dump()[f"otp:{{{TAG}}}"][0] == before


def test_a_script_cache_that_was_flushed_goes_unnoticed(phone: Phone) -> None:
    part = phone.start().part

    phone.store.client.script_flush()

    assert phone.check(part, right=True).outcome == "verified"


@pytest.mark.parametrize(
    "limits",
    [
        PhoneLimits(sends=((10, 30 * 86_400),)),
        PhoneLimits(wrongs=((15, 7 * 86_400),)),
        PhoneLimits(locks=((12, 7 * 86_400),)),
        PhoneLimits(cooldowns=(2 * 86_400,)),
    ],
    ids=["sends", "wrongs", "locks", "cooldowns"],
)
def test_a_record_outlives_whatever_it_has_to_remember(
    store: Store, limits: PhoneLimits
) -> None:
    Phone(store, limits).start()

    spans = (*limits.sends, *limits.wrongs, *limits.locks)
    longest = max(*limits.cooldowns, *(seconds for _, seconds in spans))
    _, ttl = store.dump()[f"otp:{{{TAG}}}"]
    assert ttl > longest * 1000 - 5_000


def test_another_storefront_finds_nothing_and_spends_nothing(phone: Phone) -> None:
    part = phone.start().part
    phone.advance(30)
    stranger = replace(phone.attempt(part), storefront="another")

    checked = phone.otp.check(stranger, prize=FakePrize())
    resent = phone.otp.start(
        stranger,
        resend_of=part,
        plans=[Plan("sms", [("twilio", "accepted", 1)])],
        channels=["sms"],
    )

    assert (checked.outcome, resent.outcome) == ("gone", "gone")
    assert phone.status(part).attempts_left == 5
    assert phone.check(part, right=True).outcome == "verified"


def test_the_ladder_stands_when_time_goes_back(store: Store) -> None:
    phone = Phone(store, PhoneLimits(sends=((100, 86_400),), cooldowns=()))
    phone.check(phone.start().part, right=True)
    phone.advance(-3_600)

    assert phone.guess_wrong(5)[-1] == 30


def test_a_short_life_still_leaves_room_for_a_resend(store: Store) -> None:
    phone = Phone(store, PhoneLimits(life=60))
    part = phone.start().part
    phone.advance(30)

    assert phone.start(resend_of=part).part == part
