"""Credits a code that was typed to the message that brought it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from services.background import Background
from services.events import ConversionReported, Emit
from services.otp.records import Record
from services.sms.provider import ProviderFailure
from services.sms.routing.health import VendorHealth
from services.sms.routing.standing import Route
from services.sms.service import SmsService
from utils.clock import Clock

# Nobody waits for a report.
_REPORT_SECONDS = 10.0

# A message as the store has it; messages of older records lack all but the first two.
_NAME, _STATUS, _CHANNEL, _AT, _MESSAGE_ID = range(5)


class Conversions:
    """Tells the vendors' health, and the vendors. Safe to share between threads."""

    def __init__(
        self,
        *,
        sms: SmsService,
        health: VendorHealth,
        background: Background,
        clock: Clock,
        emit: Emit,
    ) -> None:
        self._sms = sms
        self._health = health
        self._background = background
        self._clock = clock
        self._emit = emit

    def verified(self, record: Record, region: str) -> None:
        """Take in a won check: its messages are in ``record``."""
        if not record.sends:
            return
        credited = credit(record.sends)
        sent = record.sends[credited]
        if len(sent) > _AT:
            self._health.converted(
                Route(sent[_CHANNEL], region, sent[_NAME]),
                first=credited == 0,
                age_seconds=(record.at_ms - sent[_AT]) / 1000,
            )
        # Two messages may have one id: what Twilio Verify sends within ten minutes is
        # one verification to it.
        reports: dict[tuple[str, str], bool] = {}
        for place, sent in enumerate(record.sends):
            if len(sent) > _MESSAGE_ID:
                key = sent[_NAME], sent[_MESSAGE_ID]
                reports[key] = reports.get(key, False) or place == credited
        for (name, message_id), converted in reports.items():
            self._background.submit(
                partial(self._report, name, region, message_id, converted=converted)
            )

    def _report(
        self, name: str, region: str, message_id: str, *, converted: bool
    ) -> None:
        reporter = self._sms.reporter(name)
        if reporter is None or self._sms.is_open(Route("sms", region, name)):
            return
        outcome = "reported"
        deadline = self._clock.monotonic() + _REPORT_SECONDS
        try:
            reporter.report_conversion(
                message_id, converted=converted, deadline=deadline
            )
        except ProviderFailure as failure:
            outcome = failure.reason
        self._emit(ConversionReported(name, converted, outcome))


def credit(sends: Sequence[Sequence[Any]]) -> int:
    """Return the place of the message that most likely brought the code.

    The last that arrived for certain; else the last that is not known to be lost: every
    message of a verification carries the same code, so nobody can know.
    """
    last = len(sends) - 1
    for wanted in ({"delivered"}, {"accepted", "sent", "unknown", "console"}):
        for place in range(last, -1, -1):
            if sends[place][_STATUS] in wanted:
                return place
    return last
