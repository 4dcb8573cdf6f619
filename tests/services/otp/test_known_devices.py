"""What strangers do to a phone and what its own devices may do, apart: both stores."""

import json
from dataclasses import replace

import pytest

from services.errors import RateLimited
from services.otp.locks import Locks
from services.otp.records import PhoneLimits, Plan, phone_key
from tests.services.otp.phones import LIMITS, TAG, Phone
from tests.services.stores import Store

pytestmark = pytest.mark.contract

DAY = 86_400
# Sends without end, so that wrong checks can be.
GUESSING = PhoneLimits(cooldowns=(), sends=())


@pytest.fixture
def phone(store: Store) -> Phone:
    """A phone whose holder logged in on a device, a day ago."""
    known = Phone(store)
    known.log_in()
    known.advance(DAY)
    return known


def guess(phone: Phone, times: int, *, by_device: bool) -> list[str]:
    """Guess wrong so often, by new codes where one is used up or locked away."""
    outcomes: list[str] = []
    part = ""
    while len(outcomes) < times:
        if not part or phone.status(part).state != "pending":
            started = phone.start(by_device=by_device)
            if started.outcome != "started":
                return outcomes
            part = started.part
        checked = phone.check(part)
        outcomes.append(checked.outcome)
        phone.advance(checked.check_wait if checked.check_wait < DAY / 2 else 0)
    return outcomes


class TestLockOut:
    """A10: a stranger who wants the holder locked out."""

    def test_a10_who_burns_the_sends_leaves_the_known_device_its_own(
        self, phone: Phone
    ) -> None:
        for wait in (30, 60, 0):
            phone.start()
            phone.advance(wait)
        assert phone.start().limit == "sends_per_phone"

        login = phone.log_in(by_device=True)

        assert login.by_device

    def test_a10_who_locks_the_phone_locks_the_known_device_neither_way(
        self, phone: Phone
    ) -> None:
        waiting = phone.start(by_device=True).part
        phone.guess_wrong(5)
        assert phone.start().limit == "phone_locked"

        assert phone.start(resend_of=waiting).limit == "resend_cooldown"
        assert phone.check(waiting, right=True).outcome == "verified"
        assert phone.start().limit == "phone_locked"

    def test_a10_fifteen_wrong_codes_of_the_day_are_the_strangers_own(
        self, store: Store
    ) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        assert guess(phone, 16, by_device=False).count("wrong") == 15

        phone.log_in(by_device=True)

        # The holder is there, and who guesses is as locked as before.
        assert phone.start().limit == "phone_locked"

    def test_a10_a_stranger_cannot_push_out_what_the_device_waits_for(
        self, store: Store
    ) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        waiting = phone.start(by_device=True).part
        for _ in range(LIMITS.max_live + 1):
            phone.start()
            phone.advance(1)

        assert phone.check(waiting, right=True).outcome == "verified"

    def test_the_waits_that_are_told_are_those_of_the_budget_that_binds(
        self, phone: Phone
    ) -> None:
        stranger = phone.start()
        device = phone.start(by_device=True)
        phone.advance(30)
        again = phone.start(by_device=True)

        assert (stranger.send_wait, device.send_wait, again.send_wait) == (30, 30, 60)
        assert phone.status(stranger.part).send_wait == 0
        assert phone.status(device.part).send_wait == 60

    def test_a_message_to_a_stranger_opens_no_call_to_the_device(
        self, phone: Phone
    ) -> None:
        phone.start()
        phone.advance(60)

        asked = replace(phone.attempt(), device_at=phone.device_at)
        called = phone.otp.start(
            asked,
            resend_of=None,
            plans=[Plan("voice", [("twilio_voice", "accepted", 1)])],
            channels=["sms", "voice"],
        )

        assert (called.outcome, called.reason) == ("closed", "no_message_yet")


class TestTheOtherWayRound:
    def test_the_device_has_ten_wrong_codes_a_day_and_strangers_keep_theirs(
        self, store: Store
    ) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()

        outcomes = guess(phone, 20, by_device=True)

        assert outcomes.count("wrong") == 10
        assert phone.start(by_device=True).limit == "phone_locked"
        assert phone.start().outcome == "started"

    def test_the_devices_of_a_phone_share_one_budget(self, phone: Phone) -> None:
        assert phone.device_at is not None
        phone.start(by_device=True)

        another = replace(phone.attempt(), device_at=phone.device_at + 5_000)

        assert phone.start(attempt=another).limit == "resend_cooldown"

    def test_the_day_of_the_device_ends_too(self, store: Store) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        guess(phone, 11, by_device=True)
        phone.advance(DAY)

        assert phone.log_in(by_device=True).outcome == "verified"
        phone.advance(DAY)
        phone.start()
        assert "device" not in phone.stored()

    def test_the_lock_of_the_device_climbs_the_same_ladder(self, store: Store) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        waits = []
        for _ in range(9):
            if not phone.part or phone.status(phone.part).state != "pending":
                phone.part = phone.start(by_device=True).part
            waits.append(phone.check(phone.part).check_wait)
            phone.advance(waits[-1])

        assert waits == [0] * 4 + [30] + [0] * 2 + [120] + [0]


class TestWhoIsKnown:
    def test_no_device_is_known_before_a_login(self, store: Store) -> None:
        phone = Phone(store)
        phone.device_at = 2**50
        part = phone.start(by_device=True).part

        assert phone.start().limit == "resend_cooldown"
        assert not phone.check(part, right=True).by_device

    def test_what_a_device_was_told_with_the_login_is_good_at_once(
        self, store: Store
    ) -> None:
        phone = Phone(store)
        told = phone.log_in().at_ms
        phone.device_at = told - told % 1000  # Tokens are of whole seconds.
        phone.start()

        assert phone.start(by_device=True).outcome == "started"

    def test_the_devices_of_the_former_holder_are_strangers(self, phone: Phone) -> None:
        former = phone.device_at
        phone.otp.forget_holder(TAG, phone.limits)
        phone.device_at = None
        phone.advance(DAY)
        phone.log_in()
        phone.start()

        ours, phone.device_at = phone.device_at, former
        assert phone.start(by_device=True).limit == "resend_cooldown"
        phone.device_at = ours
        assert phone.start(by_device=True).outcome == "started"

    def test_a_login_long_ago_is_none(self, phone: Phone) -> None:
        phone.advance(90 * DAY)
        phone.start()

        assert phone.start(by_device=True).limit == "resend_cooldown"

    def test_later_logins_leave_earlier_devices_known(self, phone: Phone) -> None:
        phone.log_in()
        phone.start()

        assert phone.start(by_device=True).outcome == "started"

    def test_a_resend_is_bound_by_what_bound_the_first(self, phone: Phone) -> None:
        strangers = phone.start().part
        devices = phone.start(by_device=True).part
        phone.advance(30)

        assert phone.start(resend_of=devices).outcome == "resent"
        assert phone.start(resend_of=strangers, by_device=True).outcome == "resent"
        assert phone.status(strangers).send_wait == 60
        assert phone.status(devices).send_wait == 60

    def test_a_resend_that_begins_anew_stays_the_devices(self, phone: Phone) -> None:
        devices = phone.start(by_device=True).part
        phone.advance(250)
        phone.start()

        anew = phone.start(resend_of=devices)

        assert anew.outcome == "started"
        assert phone.check(anew.part, right=True).by_device

    def test_what_follows_a_message_counts_where_that_one_did(
        self, phone: Phone
    ) -> None:
        part = phone.start(by_device=True).part
        assert phone.last is not None
        phone.otp.follow(
            replace(phone.last, op="follow"),
            number=1,
            status="undelivered",
            closings=[],
            plans=[Plan("sms", [("fast2sms", "accepted", 1)])],
        )

        stored = phone.stored()

        assert phone.status(part).attempt == 2
        assert (len(stored["sends"]), len(stored["device"]["sends"])) == (0, 2)

    def test_a_send_of_the_device_that_failed_gives_back_to_the_device(
        self, phone: Phone
    ) -> None:
        phone.start()
        phone.start(by_device=True)
        assert phone.last is not None

        record = phone.otp.settle(phone.last)

        assert (record.outcome, record.send_wait) == ("settled", 0)
        assert phone.start().limit == "resend_cooldown"
        assert phone.start(by_device=True).outcome == "started"


class TestUnlock:
    def test_it_opens_the_budget_of_devices_too(self, store: Store) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        guess(phone, 11, by_device=True)
        locks = Locks(store.scripts, limits=GUESSING, offset_seconds=store.offset)
        before = locks.look(TAG)

        after = locks.unlock(TAG)

        assert (before.locked_for, before.device_wrong_checks) == (0, 10)
        assert before.device_locked_for > DAY / 2
        assert (after.device_locked_for, after.device_wrong_checks) == (0, 5)
        assert after.forgiven == 5
        assert phone.log_in(by_device=True).by_device

    def test_both_budgets_together_are_forgiven_no_more_than_one(
        self, store: Store
    ) -> None:
        phone = Phone(store, GUESSING)
        phone.log_in()
        locks = Locks(store.scripts, limits=GUESSING, offset_seconds=store.offset)
        for _ in range(3):
            guess(phone, 16, by_device=False)
            guess(phone, 11, by_device=True)
            locks.unlock(TAG)
        guess(phone, 16, by_device=False)
        guess(phone, 11, by_device=True)

        with pytest.raises(RateLimited):
            locks.unlock(TAG)

        # The last five of 35 went to the holder's own devices.
        lock = locks.look(TAG)
        assert (lock.forgiven, lock.checks_left) == (35, 0)
        assert (lock.device_wrong_checks, lock.device_locked_for) == (5, 0)


class TestCounted:
    def test_a_won_check_tells_whether_its_messages_counted(self, phone: Phone) -> None:
        shadowed = replace(phone.attempt(), counted=False)
        part = phone.start(attempt=shadowed).part

        assert not phone.check(part, right=True).counted
        assert phone.log_in().counted

    def test_one_message_that_counted_is_enough(self, phone: Phone) -> None:
        part = phone.start(attempt=replace(phone.attempt(), counted=False)).part
        phone.advance(30)
        phone.start(resend_of=part)

        assert phone.check(part, right=True).counted

    def test_messages_bear_the_time_of_their_admission(self, phone: Phone) -> None:
        part = phone.start(attempt=replace(phone.attempt(), admitted_ms=1_234)).part
        phone.advance(30)
        attempt = replace(phone.attempt(), admitted_ms=5_678)
        phone.start(resend_of=part, attempt=attempt)

        won = phone.check(part, right=True)

        assert [it[3] for it in won.sends] == [1_234, 5_678]


def test_a_record_of_the_version_before_is_read(store: Store) -> None:
    # As it was written before there were devices, or a count over days.
    now = Phone(store).log_in().at_ms
    part = "lmark" + "A" * 22
    record = {
        "sends": [now - 1_000],
        "streak": 1,
        "cooldown_until": now + 29_000,
        "wrongs": [now - 900] * 4,
        "in_a_row": 4,
        "logged_in_at": now - DAY * 1000,
        "closed": {"whatsapp": [now + 10**7, "unreachable"]},
        "verifications": {
            part: {
                "expires": now + 299_000,
                "left": 1,
                "storefront": "shop",
                "sends": [["twilio", "accepted", "sms", now - 1_000]],
                "channels": ["sms"],
                "send_op": "op",
            }
        },
    }
    store.client.set(phone_key(TAG), json.dumps(record), px=90 * DAY * 1000)
    phone = Phone(store)
    lock = Locks(store.scripts, limits=LIMITS, offset_seconds=store.offset).look(TAG)

    assert phone.status(part).attempts_left == 1
    assert phone.start().limit == "resend_cooldown"
    assert (lock.in_a_row, lock.since_right, lock.disabled) == (4, 0, False)
    # It had told no device anything yet.
    phone.device_at = now
    assert phone.start(by_device=True).limit == "resend_cooldown"
    assert phone.check(part).check_wait == 30
    phone.advance(30)
    login = phone.check(phone.start().part, right=True)
    assert not login.first_login
    phone.device_at = login.at_ms
    phone.start()
    assert phone.start(by_device=True).outcome == "started"
