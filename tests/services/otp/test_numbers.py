"""Which numbers are read, and the test numbers among them."""

from datetime import UTC, date, datetime

import pytest

from services.errors import PhoneInvalid, PhoneNotSupported
from services.otp.number_policy import NumberPolicy
from services.otp.numbers import Numbers, TestRange
from tests.fakes import FakeClock

RANGE = TestRange(first=15550100000, last=15550199999, code="123456")
FILM = TestRange(first=12125550100, last=12125550199, code="123456")
NOON = datetime(2027, 1, 15, 12, tzinfo=UTC).timestamp()


def numbers(
    *,
    until: date | None = date(2027, 1, 15),
    clock: FakeClock | None = None,
    policy: NumberPolicy | None = None,
) -> Numbers:
    return Numbers(
        default_region="IN",
        policy=policy or NumberPolicy.allowing(["IN"]),
        test_ranges=[RANGE, FILM] if until else [],
        test_until=until,
        clock=clock or FakeClock(NOON),
    )


def test_a_number_is_read_as_of_the_default_country() -> None:
    assert numbers().read("98765 43210").e164 == "+919876543210"


@pytest.mark.parametrize(
    "text",
    [
        "+33612345678",
        "+912266778899",
        "+911800123456",
        "+88213456789",
    ],
    ids=["another country", "a fixed line", "toll-free", "no country"],
)
def test_what_no_channel_reaches_is_refused(text: str) -> None:
    with pytest.raises(PhoneNotSupported):
        numbers().read(text)


def test_what_one_channel_reaches_is_read() -> None:
    policy = NumberPolicy(
        {"IN": {"voice": "challenge"}}, {"fixed_line": {"voice": "allow"}}
    )

    phone = numbers(policy=policy).read("+912266778899")

    assert phone.kind == "fixed_line"


def test_nobody_is_read_where_no_country_is_served() -> None:
    with pytest.raises(PhoneNotSupported):
        numbers(policy=NumberPolicy({})).read("+919876543210")


def test_a_number_set_aside_for_films_is_refused_where_its_country_is_served() -> None:
    known = numbers(policy=NumberPolicy.allowing(["US", "GB"]))

    assert known.read("+12014567890").region == "US"
    for text in ["+12015550123", "+447700900123"]:
        with pytest.raises(PhoneNotSupported):
            known.read(text)


def test_a_test_number_may_be_set_aside_for_films() -> None:
    phone = numbers().read("+12125550123")

    assert numbers().test_code(phone) == "123456"


@pytest.mark.parametrize("text", ["+15550100000", "+1 (555) 019-9999"])
def test_a_test_number_need_not_exist(text: str) -> None:
    phone = numbers().read(text)

    assert numbers().test_code(phone) == "123456"


@pytest.mark.parametrize("text", ["+15550099999", "+15550200000", "15550100000"])
def test_what_is_not_in_the_range_is_no_test_number(text: str) -> None:
    with pytest.raises((PhoneInvalid, PhoneNotSupported)):
        numbers().read(text)


def test_a_real_number_has_no_fixed_code() -> None:
    assert numbers().test_code(numbers().read("+919876543210")) is None


def test_test_numbers_end_with_their_day() -> None:
    clock = FakeClock(NOON)
    known = numbers(clock=clock)
    phone = known.read("+15550100000")

    clock.advance(12 * 3_600)

    assert known.test_code(phone) is None
    with pytest.raises(PhoneInvalid):
        known.read("+15550100000")


def test_without_a_last_day_there_are_no_test_numbers() -> None:
    with pytest.raises(PhoneInvalid):
        numbers(until=None).read("+15550100000")
