"""One phone on a store, and what can happen to it."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.otp.codes import VerificationId
from services.otp.records import (
    Attempt,
    PhoneLimits,
    Plan,
    Record,
    phone_key,
    read_record,
)
from services.otp.store import OtpStore
from tests.services.stores import Store

TAG = "tagtagtagtagtagt"
MARK = "mark"
LIMITS = PhoneLimits()


ON_WIN = (Path(__file__).with_name("on_win.lua"),)


@dataclass(frozen=True)
class FakePrize:
    keys: Sequence[str] = (f"ses:{{{TAG}}}",)
    argument: Mapping[str, Any] = field(default_factory=lambda: {"value": "session"})


NO_SESSION = FakePrize(argument={})


class Phone:
    """One phone and what can happen to it."""

    def __init__(self, store: Store, limits: PhoneLimits = LIMITS) -> None:
        self.store = store
        self.limits = limits
        self.otp = OtpStore(store.scripts, on_win=ON_WIN, offset_seconds=store.offset)
        self.count = itertools.count()
        self.last: Attempt | None = None
        self.part = ""
        # What the device of the phone's holder shows, once it logged in.
        self.device_at: int | None = None

    def attempt(self, part: str | None = None, op: str | None = None) -> Attempt:
        id_ = (
            VerificationId(TAG, part)
            if part
            else VerificationId.new(TAG, "login", mark=MARK)
        )
        return Attempt(id_, op or f"op-{next(self.count)}", "shop", self.limits)

    def start(
        self,
        resend_of: str | None = None,
        providers: tuple[str, ...] = ("twilio", "fast2sms"),
        attempt: Attempt | None = None,
        *,
        by_device: bool = False,
    ) -> Record:
        self.last = attempt or self.attempt()
        if by_device:
            self.last = replace(self.last, device_at=self.device_at)
        record = self.otp.start(
            self.last,
            resend_of=resend_of,
            plans=[Plan("sms", [(name, "accepted", 1) for name in providers])],
            channels=["sms"],
        )
        id_ = VerificationId(TAG, record.part)
        self.last = replace(self.last, id=id_)
        return record

    def check(self, part: str, *, right: bool = False, op: str | None = None) -> Record:
        return self.otp.check(
            self.attempt(part, op), prize=FakePrize() if right else None
        )

    def status(self, part: str) -> Record:
        call = self.otp.status_call(VerificationId(TAG, part), self.limits)
        return read_record(self.store.scripts.run(call))

    def log_in(self, *, by_device: bool = False) -> Record:
        """Log in, on a device that knows the phone from then on."""
        record = self.check(self.start(by_device=by_device).part, right=True)
        assert record.outcome == "verified"
        if self.device_at is None:
            self.device_at = record.at_ms
        return record

    def stored(self) -> Any:
        """The phone's record as it is in Redis."""
        return json.loads(self.store.dump()[phone_key(TAG)][0])

    def guess_wrong(self, times: int) -> list[int]:
        """Guess wrong, waiting locks out, with a new code where one is used up.

        Returns the wait that each guess was answered with. The last is not waited for.
        """
        waits: list[int] = []
        for _ in range(times):
            self.advance(waits[-1] if waits else 0)
            if not self.part or self.status(self.part).state != "pending":
                self.part = self.start().part
            record = self.check(self.part)
            assert record.outcome == "wrong"
            waits.append(record.check_wait)
        return waits

    def advance(self, seconds: float) -> None:
        self.store.clock.advance(seconds)
