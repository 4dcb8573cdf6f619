"""What a message costs: by the list, by receipts, and where nobody knows."""

from collections.abc import Sequence

import pytest

from services.sms.learned_prices import LearnedPrices
from services.sms.prices import Price, Prices
from services.sms.provider import Channel
from services.sms.receipts import Receipt
from tests.services.sms.fakes import GERMAN, INDIAN
from tests.services.stores import Store, open_embedded
from utils.phone import PhoneNumber

AMERICAN = PhoneNumber("+12125550123", "US", 1)
JAMAICAN = PhoneNumber("+18765550123", "JM", 1)
LISTED = [
    Price("twilio", 0.08, prefix="+91"),
    Price("twilio", 0.05),
    Price("vonage", 0.02, country="IN"),
]


@pytest.fixture
def store() -> Store:
    return open_embedded()


def learning(store: Store, rows: Sequence[Price] = LISTED) -> Prices:
    learned = LearnedPrices(store.scripts, currency="USD", offset_seconds=store.offset)
    return Prices(rows, unknown=0.1, currency="USD", learned=learned)


def receipt(price: float | None, currency: str = "USD") -> Receipt:
    return Receipt("SM1", "delivered", price=price, currency=currency)


def learned_from(
    prices: Prices,
    *receipts: Receipt,
    vendor: str = "twilio",
    phone: PhoneNumber = INDIAN,
) -> float | None:
    """Return the price after these receipts."""
    for it in receipts:
        prices.learn(vendor, phone, "sms", it)
    prices.exchange()
    return prices.of(vendor, phone, "sms")


# The list


def test_the_longest_prefix_counts() -> None:
    prices = Prices(LISTED)

    assert prices.of("twilio", INDIAN, "sms") == 0.08
    assert prices.of("twilio", GERMAN, "sms") == 0.05
    assert prices.of("plivo", INDIAN, "sms") is None
    assert prices.of("vonage", GERMAN, "sms") is None


def test_a_country_is_told_from_others_with_its_calling_code() -> None:
    prices = Prices(
        [
            Price("twilio", 0.01, prefix="+1"),
            Price("twilio", 0.02, country="JM"),
            Price("twilio", 0.03, prefix="+1212"),
            Price("twilio", 0.04, country="US"),
        ]
    )
    bostonian = PhoneNumber("+16175550123", "US", 1)
    barbadian = PhoneNumber("+12465550123", "BB", 1)

    assert prices.of("twilio", barbadian, "sms") == 0.01
    assert prices.of("twilio", JAMAICAN, "sms") == 0.02
    assert prices.of("twilio", AMERICAN, "sms") == 0.03
    assert prices.of("twilio", bostonian, "sms") == 0.04


def test_a_price_for_the_channel_comes_before_one_for_all() -> None:
    prices = Prices(
        [
            Price("webhook", 0.01, country="IN"),
            Price("webhook", 0.5, channel="voice"),
        ]
    )
    channels: tuple[Channel, ...] = ("sms", "whatsapp", "voice")

    found = [prices.of("webhook", INDIAN, channel) for channel in channels]

    assert found == [0.01, 0.01, 0.5]


def test_what_costs_nothing_has_a_price() -> None:
    prices = Prices([Price("webhook", 0.0, prefix="+91"), Price("webhook", 0.05)])

    assert prices.of("webhook", INDIAN, "sms") == 0.0


def test_the_console_costs_nothing() -> None:
    assert Prices().of("console", INDIAN, "sms") == 0.0
    assert Prices(unknown=5).micros("console", INDIAN, "sms") == 0


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        (0.0832, 83_200),
        (0.07, 70_000),
        (0.0000001, 1),
        (0.0000011, 2),
        (1.1, 1_100_000),
        (100.0, 100_000_000),
        (0.0, 0),
    ],
)
def test_millionths_are_whole_and_never_too_few(amount: float, micros: int) -> None:
    prices = Prices([Price("twilio", amount)])

    assert prices.micros("twilio", INDIAN, "sms") == micros


def test_what_nobody_knows_costs_what_the_operator_says() -> None:
    prices = Prices(unknown=0.25)

    assert prices.of("twilio", INDIAN, "sms") is None
    assert prices.micros("twilio", INDIAN, "sms") == 250_000


# What receipts tell


def test_what_a_receipt_tells_wins_over_the_list(store: Store) -> None:
    prices = learning(store)
    assert not prices.is_learned("twilio", INDIAN, "sms")

    assert learned_from(prices, receipt(0.09)) == 0.09

    assert prices.is_learned("twilio", INDIAN, "sms")
    assert prices.micros("twilio", INDIAN, "sms") == 90_000


def test_it_is_for_that_vendor_country_and_channel(store: Store) -> None:
    prices = learning(store)

    learned_from(prices, receipt(0.09))

    assert prices.of("twilio", GERMAN, "sms") == 0.05
    assert prices.of("vonage", INDIAN, "sms") == 0.02
    assert prices.of("twilio", INDIAN, "voice") == 0.08


def test_it_is_known_where_nothing_is_listed(store: Store) -> None:
    assert learned_from(learning(store), receipt(0.003), vendor="plivo") == 0.003


@pytest.mark.parametrize(
    "given",
    [
        receipt(None),
        receipt(0.0),
        receipt(0.09, "EUR"),
        receipt(0.09, ""),
        receipt(8.0),
        receipt(800.0),
        receipt(0.0008),
    ],
    ids=lambda it: f"{it.price} {it.currency}",
)
def test_what_cannot_be_the_price_is_not_believed(store: Store, given: Receipt) -> None:
    assert learned_from(learning(store), given) == 0.08
    assert store.dump() == {}


@pytest.mark.parametrize(("price", "believed"), [(0.0011, True), (0.0009, False)])
def test_without_a_list_the_unknown_price_is_what_is_expected(
    store: Store, price: float, *, believed: bool
) -> None:
    found = learned_from(learning(store, []), receipt(price))

    assert found == (price if believed else None)


def test_who_lists_nothing_as_free_learns_what_it_costs(store: Store) -> None:
    prices = learning(store, [Price("webhook", 0.0)])

    assert learned_from(prices, receipt(0.01), vendor="webhook") == 0.01


def test_a_price_listed_for_part_of_a_country_is_not_the_country_s(
    store: Store,
) -> None:
    prices = learning(store, [Price("twilio", 1.5, prefix="+9198")])
    elsewhere = PhoneNumber("+917012345678", "IN", 91)

    learned_from(prices, receipt(1.4))
    assert prices.of("twilio", elsewhere, "sms") is None

    learned_from(prices, receipt(0.09), phone=elsewhere)
    assert prices.of("twilio", elsewhere, "sms") == 0.09
    assert prices.of("twilio", INDIAN, "sms") == 1.5
    assert not prices.is_learned("twilio", INDIAN, "sms")


def test_without_a_store_nothing_is_learned() -> None:
    prices = Prices(LISTED)

    assert learned_from(prices, receipt(0.09)) == 0.08
