"""The service: who is asked, in which order, and what is told of it."""

from collections.abc import Mapping, Sequence

import pytest

from services.events import ProviderCalled
from services.sms.learned_prices import LearnedPrices
from services.sms.outgoing import Delivery, NotDelivered
from services.sms.prices import Price, Prices
from services.sms.provider import Channel, ProviderFailure, Reason, Refused, Scope
from services.sms.receipts import Receipt
from tests.fakes import FakeClock
from tests.services.sms.fakes import (
    GERMAN,
    INDIAN,
    ScriptedProvider,
    ambiguous,
    refused,
    unavailable,
)
from tests.services.sms.worlds import (
    ACCOUNT_COUNTRY,
    World,
    failing,
    make_sms,
    pair,
)
from tests.services.stores import open_embedded

# Who serves a region


def test_candidates_stand_in_the_configured_order() -> None:
    world = World(
        ScriptedProvider("world"),
        ScriptedProvider("india", countries={"IN"}),
        ScriptedProvider("last"),
    )

    assert world.candidates() == ("world", "india", "last")
    assert world.candidates(GERMAN) == ("world", "last")


def test_a_provider_with_an_open_breaker_stands_last() -> None:
    world = pair([unavailable()] * 5)
    world.send_until_open("a")

    assert world.candidates() == ("b", "a")


def test_a_provider_blocked_in_one_country_stands_last_there_only() -> None:
    world = pair([ACCOUNT_COUNTRY])
    world.send("a")

    assert world.candidates() == ("b", "a")
    assert world.candidates(GERMAN) == ("a", "b")


def test_a_provider_due_for_a_probe_has_its_place_back() -> None:
    world = pair([unavailable()] * 5)
    world.send_until_open("a")
    world.clock.advance(30.0)

    assert world.candidates() == ("a", "b")


def test_the_status_of_a_provider_is_known_before_it_is_asked() -> None:
    world = World(ScriptedProvider("a"), ScriptedProvider("console", status="console"))

    assert world.sms.status_of("a") == "accepted"
    assert world.sms.status_of("console") == "console"


def test_two_providers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="one name"):
        World(ScriptedProvider("a"), ScriptedProvider("a"))


# One send


def test_the_first_provider_takes_it() -> None:
    world = pair()

    delivery = world.send("b")

    assert delivery == Delivery(
        provider="b",
        channel="sms",
        status="accepted",
        message_id="b-1",
        billed=("b",),
    )
    assert world.calls == [("b", "accepted")]


@pytest.mark.parametrize(
    "failure",
    [
        unavailable(),
        unavailable(Reason.ACCOUNT),
        unavailable(Reason.CONTENT, Scope.COUNTRY),
        unavailable(scope=Scope.NUMBER),
        ambiguous(),
    ],
)
def test_a_failure_that_is_not_final_goes_to_the_next(failure: ProviderFailure) -> None:
    world = pair([failure])

    delivery = world.send("a")

    assert delivery.provider == "b"
    assert world.calls == [("a", failure.reason), ("b", "accepted")]


@pytest.mark.parametrize("reason", [Reason.RECIPIENT, Reason.FRAUD])
def test_a_refusal_is_final(reason: Reason) -> None:
    world = pair([refused(reason)])

    with pytest.raises(Refused) as caught:
        world.send("a")

    assert caught.value.reason is reason
    assert not caught.value.may_have_left
    assert world.calls == [("a", reason)]


def test_a_delivery_tells_who_failed_before_and_how() -> None:
    world = World(
        failing("a", unavailable()), failing("b", ambiguous()), ScriptedProvider("c")
    )

    assert world.send("a").failed == (
        _told("a", unavailable()),
        _told("b", ambiguous()),
    )
    assert world.send("c").failed == ()


def test_a_refusal_tells_who_was_asked() -> None:
    world = World(failing("a", ambiguous()), failing("b", refused()))

    with pytest.raises(Refused) as caught:
        world.send("a")

    assert caught.value.failed == (_told("a", ambiguous()), _told("b", refused()))


def test_an_outage_tells_who_was_asked_and_who_was_left_alone() -> None:
    down = [unavailable(), unavailable()]
    world = World(failing("a", unavailable(Reason.ACCOUNT)), failing("b", *down))
    with pytest.raises(NotDelivered):
        world.send("a")

    with pytest.raises(NotDelivered) as caught:
        world.send("b")

    assert caught.value.failed == (_told("b", unavailable()), "a left_alone")


def _told(name: str, failure: ProviderFailure) -> str:
    return f"{name} {failure.reason} {failure.vendor_code}".strip()


@pytest.mark.parametrize(
    ("failures", "billed"),
    [
        ((), ("a",)),
        ((unavailable(),), ("b",)),
        ((ambiguous(),), ("a", "b")),
        ((ambiguous(), ambiguous()), ("a", "b", "c")),
        ((ambiguous(), unavailable()), ("a", "c")),
    ],
    ids=["first", "second", "maybe", "both maybe", "not the second"],
)
def test_whoever_took_it_or_may_have_will_send_a_bill(
    failures: tuple[ProviderFailure, ...], billed: tuple[str, ...]
) -> None:
    vendors = [failing(name, it) for name, it in zip("ab", failures, strict=False)]
    rest = [ScriptedProvider(it) for it in "abc"[len(vendors) :]]
    world = World(*vendors, *rest)

    assert world.send("a").billed == billed


def test_a_refusal_tells_who_may_have_sent_before() -> None:
    world = World(
        failing("a", ambiguous()), failing("b", unavailable()), failing("c", refused())
    )

    with pytest.raises(Refused) as caught:
        world.send("a")

    assert caught.value.billed == ("a",)


def test_an_outage_tells_who_may_have_sent_all_the_same() -> None:
    world = World(failing("a", unavailable()), failing("b", ambiguous()))

    with pytest.raises(NotDelivered) as caught:
        world.send("a")

    assert caught.value.billed == ("b",)


def test_who_is_left_alone_sends_no_bill() -> None:
    world = World(failing("a", *[ambiguous()] * 5), ScriptedProvider("b"))
    world.send_until_open("a")

    assert world.send("a").billed == ("b",)


# What it costs


def test_a_send_may_cost_what_all_of_its_vendors_charge() -> None:
    prices = Prices(
        [
            Price("a", 0.0832, country="IN"),
            Price("b", 0.05),
            Price("v", 0.4, channel="voice"),
        ],
        unknown=0.1,
    )
    sms = make_sms([ScriptedProvider("a")], clock=FakeClock(), prices=prices)

    assert sms.price_micros("a", "sms", INDIAN) == 83_200
    assert sms.price_micros("a", "sms", GERMAN) == 100_000
    assert sms.cost_micros(INDIAN, {"sms": ("a", "b")}) == 133_200
    orders: Mapping[Channel, Sequence[str]] = {
        "sms": ("a", "b", "console"),
        "voice": ("v",),
        "whatsapp": (),
    }
    assert sms.cost_micros(INDIAN, orders) == 533_200
    assert sms.cost_micros(INDIAN, {}) == 0


def test_the_service_learns_what_receipts_tell() -> None:
    store = open_embedded()
    learned = LearnedPrices(store.scripts, currency="USD")
    prices = Prices([Price("a", 0.05)], learned=learned)
    sms = make_sms([ScriptedProvider("a")], clock=FakeClock(), prices=prices)
    receipt = Receipt("1", "delivered", price=0.07, currency="USD")

    sms.learn_price("a", "sms", INDIAN, receipt)
    sms.exchange_prices()

    assert sms.price_micros("a", "sms", INDIAN) == 70_000


def test_a_refusal_after_an_ambiguous_answer_says_that_it_may_have_left() -> None:
    world = World(failing("a", ambiguous()), failing("b", refused()))

    with pytest.raises(Refused) as caught:
        world.send("a")

    assert caught.value.may_have_left


def test_no_provider_is_asked_twice() -> None:
    world = World(failing("a", ambiguous()), failing("b", ambiguous()))

    with pytest.raises(NotDelivered):
        world.send("b")

    assert world.calls == [("b", "ambiguous"), ("a", "ambiguous")]


@pytest.mark.parametrize(
    ("failures", "may_have_left"),
    [
        ((unavailable(), unavailable()), False),
        ((ambiguous(), unavailable()), True),
        ((unavailable(), ambiguous()), True),
    ],
)
def test_when_none_took_it_the_failure_says_what_may_have_left(
    failures: tuple[ProviderFailure, ProviderFailure], *, may_have_left: bool
) -> None:
    world = World(failing("a", failures[0]), failing("b", failures[1]))

    with pytest.raises(NotDelivered) as caught:
        world.send("a")

    assert caught.value.reason is failures[1].reason
    assert caught.value.may_have_left is may_have_left
    assert caught.value.retry_after_seconds == 1


def test_a_region_that_nobody_serves_is_not_delivered() -> None:
    world = World(ScriptedProvider("india", countries={"IN"}))

    with pytest.raises(NotDelivered) as caught:
        world.send("india", GERMAN)

    assert caught.value.reason is None
    assert not caught.value.may_have_left
    assert world.calls == []


def test_an_unknown_first_provider_means_the_usual_order() -> None:
    assert pair().send("gone").provider == "a"


def test_one_deadline_is_shared_by_all() -> None:
    world = World(failing("a", unavailable()), ScriptedProvider("b"))
    world.send("a")

    a, b = world.sms._providers.values()
    assert isinstance(a, ScriptedProvider)
    assert isinstance(b, ScriptedProvider)
    assert a.deadlines == b.deadlines == [8.0]


def test_nobody_is_asked_when_the_time_is_used_up() -> None:
    clock = FakeClock()
    slow = ScriptedProvider("a", [ambiguous()], takes=lambda: clock.advance(7.8))
    second = ScriptedProvider("b")
    world = World(slow, second, clock=clock)

    with pytest.raises(NotDelivered) as caught:
        world.send("a")

    assert second.calls == 0
    assert caught.value.may_have_left


# What is told


def test_every_call_is_an_event_without_number_or_text() -> None:
    world = pair([unavailable()])
    world.send("a")

    assert world.events == [
        ProviderCalled("a", "IN", "transient", "connect", 0.0),
        ProviderCalled("b", "IN", "accepted", "", 0.0),
    ]


def test_the_seconds_of_a_call_are_measured() -> None:
    clock = FakeClock()
    provider = ScriptedProvider("a", takes=lambda: clock.advance(0.25))
    world = World(provider, clock=clock)
    world.send("a")

    assert world.events == [ProviderCalled("a", "IN", "accepted", "", 0.25)]


def test_health_asks_nobody() -> None:
    world = pair()
    health = world.sms.health()

    assert list(health) == ["a", "b"]
    assert health["a"].retry_in_seconds == 0.0
    assert world.calls == []
