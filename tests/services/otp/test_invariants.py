"""Whatever happens to a phone, in whatever order, the caps hold."""

import json
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.otp.records import PhoneLimits
from tests.services.otp.phones import TAG, FakePrize, Phone
from tests.services.stores import Store, open_embedded, open_real

LIMITS = PhoneLimits(disable_after=12)
DAY = 86_400


@dataclass(frozen=True)
class Token:
    """What a device was told at a login, of which holder (they are counted)."""

    at_ms: int
    holder: int


class PhoneLife(RuleBasedStateMachine):
    """Sends, resends, failures, guesses right and wrong, and time, in any order.

    Strangers ask, devices that the holder logged in on, and those of holders before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.store = self.open_store()
        self.phone = Phone(self.store, LIMITS)
        self.parts: list[str] = []
        self.born: dict[str, float] = {}
        # Each with whether it was a known device's.
        self.sends: list[tuple[float, bool]] = []
        self.wrongs: list[tuple[float, str]] = []
        self.by_device: dict[str, bool] = {}
        self.tokens: list[Token] = []
        self.holder = 0
        self.has_logged_in = False
        self.in_a_row = {False: 0, True: 0}
        self.won: list[str] = []
        self.sessions = 0

    def open_store(self) -> Store:
        """Return an empty store."""
        return open_embedded()

    def teardown(self) -> None:
        self.store.close()

    @property
    def now(self) -> float:
        return self.store.clock.offset

    @rule()
    def send(self) -> None:
        told = self._wait_told()
        record = self.phone.start()
        if record.outcome == "disabled":
            assert self.in_a_row[False] >= LIMITS.disable_after
            return
        assert (record.outcome == "started") == (told == 0)
        if record.outcome == "started":
            self._sent(record.part, by_device=False)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def send_by_device(self, data: Any) -> None:
        token = data.draw(st.sampled_from(self.tokens))
        is_known = self.has_logged_in and token.holder == self.holder
        self.phone.device_at = token.at_ms
        record = self.phone.start(by_device=True)
        if record.outcome == "disabled":
            assert self.in_a_row[is_known] >= LIMITS.disable_after
        if record.outcome == "started":
            self._sent(record.part, by_device=is_known)

    @rule()
    def forget_holder(self) -> None:
        self.phone.otp.forget_holder(TAG, LIMITS)
        self.holder += 1
        self.has_logged_in = False
        # Logins are known to the second.
        self.phone.advance(1)

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def resend(self, data: Any) -> None:
        part = data.draw(st.sampled_from(self.parts))
        before = self.phone.status(part)
        record = self.phone.start(resend_of=part)
        if record.outcome == "resent":
            assert record.part == part
            assert record.attempts_left == before.attempts_left
            assert record.expires_in <= before.expires_in
            self.sends.append((self.now, self.by_device[part]))
        elif record.outcome == "started":
            assert before.expires_in < 60
            self._sent(record.part, by_device=self.by_device[part])

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def resend_that_fails(self, data: Any) -> None:
        part = data.draw(st.sampled_from(self.parts))
        before = self.phone.status(part)
        record = self.phone.start(resend_of=part)
        if record.outcome not in {"resent", "started"}:
            return
        assert self.phone.last is not None
        self.phone.otp.settle(self.phone.last)
        after = self.phone.status(part)
        assert after.state == before.state
        assert (after.attempt, after.provider) == (before.attempt, before.provider)

    @rule(keep_count=st.booleans())
    def send_that_fails(self, *, keep_count: bool) -> None:
        record = self.phone.start()
        if record.outcome != "started":
            return
        assert self.phone.last is not None
        self.phone.otp.settle(self.phone.last, keep_count=keep_count)
        assert self.phone.status(record.part).state == "none"
        if keep_count:
            self.sends.append((self.now, False))

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def guess_wrong(self, data: Any) -> None:
        part = data.draw(st.sampled_from(self.parts))
        record = self.phone.check(part)
        by_device = self.by_device[part]
        if record.outcome == "disabled":
            assert self.in_a_row[by_device] >= LIMITS.disable_after
        if record.outcome == "wrong":
            self.wrongs.append((self.now, part))
            self.in_a_row[by_device] += 1

    @precondition(lambda self: self.parts)
    @rule(data=st.data())
    def guess_right(self, data: Any) -> None:
        part = data.draw(st.sampled_from(self.parts))
        locked = self.phone.status(part).check_wait > 0
        self.store.client.delete(*FakePrize().keys)
        record = self.phone.check(part, right=True)
        won = record.outcome == "verified"
        if won:
            assert not locked
            assert part not in self.won
            assert self.now - self.born[part] < LIMITS.life
            assert record.by_device == self.by_device[part]
            self.won.append(part)
            self.in_a_row = {False: 0, True: 0}
            self.has_logged_in = True
            told = record.at_ms - record.at_ms % 1000
            self.tokens.append(Token(told, self.holder))
        # No session without a won check, no won check without a session.
        assert bool(self.store.client.exists(*FakePrize().keys)) == won

    @rule(seconds=st.sampled_from([1, 29, 30, 61, 119, 241, 300, 601, 3_601, DAY]))
    def wait(self, seconds: int) -> None:
        self.phone.advance(seconds)

    @invariant()
    def sends_keep_within_every_window(self) -> None:
        for by_device, (most, window) in product((False, True), LIMITS.sends):
            sends = [at for at, its in self.sends if its == by_device]
            assert sum(at > self.now - window for at in sends) <= most

    @invariant()
    def wrong_checks_keep_within_the_day_and_the_code(self) -> None:
        recent = [self.by_device[it] for at, it in self.wrongs if at > self.now - DAY]
        assert recent.count(False) <= 15
        assert recent.count(True) <= 10
        for part in self.parts:
            guesses = sum(1 for _, guessed in self.wrongs if guessed == part)
            assert guesses <= LIMITS.max_checks

    @invariant()
    def every_key_has_an_end_and_the_record_stays_small(self) -> None:
        for _, ttl in self.store.dump().values():
            assert ttl > 0
        stored = self.store.client.get(f"otp:{{{TAG}}}")
        if stored:
            record = json.loads(stored)
            pending = [
                it
                for part in record["verifications"] or {}
                if (it := self.phone.status(part)).state == "pending"
            ]
            assert len(pending) <= 2 * LIMITS.max_live

    def _wait_told(self) -> int:
        unknown = self.phone.attempt().id.part
        return self.phone.status(unknown).send_wait

    def _sent(self, part: str, *, by_device: bool) -> None:
        self.parts.append(part)
        self.born[part] = self.now
        self.by_device[part] = by_device
        self.sends.append((self.now, by_device))


FREQUENT = settings(max_examples=60, stateful_step_count=40, deadline=None)

PhoneLife.TestCase.settings = FREQUENT
TestOnTheEmbeddedStore = PhoneLife.TestCase


@pytest.mark.contract
def test_on_a_real_server(redis_url: str) -> None:
    class OnRealServer(PhoneLife):
        def open_store(self) -> Store:
            store = open_real(redis_url)
            store.client.flushall()
            return store

    run_state_machine_as_test(OnRealServer, settings=FREQUENT)
