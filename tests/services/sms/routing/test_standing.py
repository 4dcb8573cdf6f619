"""What can be told from counts."""

import pytest

from services.sms.routing.standing import DELAY_NAMES, Counts, delay_name


def delays(**counts: float) -> tuple[float, ...]:
    return tuple(counts.get(name, 0.0) for name in DELAY_NAMES)


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0, 0), (0.5, 0), (0.6, 1), (8, 4), (8.1, 5), (512, 10), (513, 11), (1e9, 11)],
)
def test_a_delay_falls_into_the_bucket_that_ends_above_it(
    seconds: float, bucket: int
) -> None:
    assert delay_name(seconds) == f"delay_{bucket}"


@pytest.mark.parametrize(
    ("counts", "median"),
    [
        (delays(delay_4=10), 4 * 2**0.5),
        (delays(delay_3=5, delay_9=5), 4),
        (delays(delay_3=4, delay_9=6), 128 * 2 ** (1 / 6)),
        (delays(delay_11=3), 512),
    ],
)
def test_the_median_lies_within_its_bucket(
    counts: tuple[float, ...], median: float
) -> None:
    assert Counts(delays=counts).p50_seconds == pytest.approx(median)


def test_of_nothing_nothing_is_told() -> None:
    nothing = Counts(delays=delays())

    assert nothing.p50_seconds is None
    assert nothing.error_share is None
    assert nothing.conversion is None
    assert nothing.delivered_share is None


def test_a_vendor_without_receipts_has_no_share_of_delivered() -> None:
    assert Counts(judged=10).delivered_share is None
    assert Counts(judged=10, receipts=1).delivered_share == 0


def test_no_share_is_above_the_whole() -> None:
    assert Counts(tries=0.99, converted=1).conversion == 1
