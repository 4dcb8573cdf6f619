"""Which message a typed code is credited to, and who is told."""

import pytest

from services.events import ConversionReported
from services.otp.conversions import credit
from services.sms.provider import (
    Accepted,
    Message,
    Reason,
    Scope,
    Unavailable,
)
from services.sms.receipts import Receipt
from tests.fakes import RecordingProvider
from tests.services.otp.world import Login
from tests.services.stores import Store

pytestmark = pytest.mark.contract


class Reporting(RecordingProvider):
    """A provider that wants to know."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.reports: list[tuple[str, bool]] = []
        self.refuses = False
        self.one_id = False

    def send(self, message: Message, deadline: float) -> Accepted:
        accepted = super().send(message, deadline)
        return Accepted("id") if self.one_id else accepted

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        if self.refuses:
            raise Unavailable(Reason.TRANSIENT, Scope.PROVIDER, "500")
        self.reports.append((message_id, converted))


@pytest.mark.parametrize(
    ("statuses", "place"),
    [
        (["accepted"], 0),
        (["accepted", "accepted"], 1),
        (["delivered", "accepted"], 0),
        (["delivered", "delivered"], 1),
        (["delivered", "undelivered"], 0),
        (["sent", "undelivered"], 0),
        (["undelivered", "undelivered"], 1),
        (["unknown", "undelivered", "sent"], 2),
    ],
)
def test_the_message_that_arrived_last_gets_the_credit(
    statuses: list[str], place: int
) -> None:
    assert credit([["twilio", status, "sms", 0] for status in statuses]) == place


@pytest.fixture
def vendor() -> Reporting:
    return Reporting("reporting")


@pytest.fixture
def login(store: Store, vendor: Reporting) -> Login:
    login = Login(store, more=[vendor])
    # It is the only one that serves this world.
    login.first.countries = login.second.countries = frozenset()
    return login


def test_a_vendor_is_told_that_its_code_was_typed(
    login: Login, vendor: Reporting
) -> None:
    started = login.send()
    login.settle()

    login.check(started, vendor.last_code)
    told_within_the_request = list(vendor.reports)
    login.settle()

    assert not told_within_the_request
    assert vendor.reports == [("id-1", True)]
    told = ConversionReported("reporting", converted=True, outcome="reported")
    assert told in login.store.events


def test_a_vendor_is_told_which_of_its_messages_was_of_no_use(
    login: Login, vendor: Reporting
) -> None:
    started = login.send()
    login.settle()
    login.receipt(vendor, Receipt("id-1", "delivered"))
    login.store.clock.advance(30)
    login.send(resend_of=started)
    login.settle()

    login.check(started, vendor.last_code)
    login.settle()

    assert sorted(vendor.reports) == [("id-1", True), ("id-2", False)]


def test_one_id_for_two_messages_is_reported_once(
    login: Login, vendor: Reporting
) -> None:
    vendor.one_id = True
    started = login.send()
    login.store.clock.advance(30)
    login.send(resend_of=started)
    login.settle()

    login.check(started, vendor.last_code)
    login.settle()

    assert vendor.reports == [("id", True)]


def test_a_report_that_fails_is_told_and_hurts_nobody(
    login: Login, vendor: Reporting
) -> None:
    vendor.refuses = True
    started = login.send()
    login.settle()

    assert login.check(started, vendor.last_code)
    login.settle()

    told = ConversionReported("reporting", converted=True, outcome="transient")
    assert told in login.store.events
