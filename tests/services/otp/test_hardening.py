"""What an attacker, a lost answer or a slow queue must not be able to do."""

import pytest

from services.errors import (
    DeliveryUnavailable,
    RateLimited,
    RecipientUnreachable,
    StoreUnavailable,
)
from services.events import BackgroundFailed, MessageFollowed
from services.otp.records import PhoneLimits
from services.sms.failures import CONTENT, OPTED_OUT, RECIPIENT, TRANSIENT_COUNTRY
from services.sms.provider import Accepted, Message, Reason, Scope, Unavailable
from services.sms.receipts import Receipt
from tests.fakes import RecordingProvider
from tests.services.otp.world import (
    DEAD,
    DOWN,
    OTHER,
    PHONE,
    SHOP,
    STOPPED,
    Login,
    callback,
    shared_limits,
)
from tests.services.stores import Store

pytestmark = pytest.mark.contract

CARRIER = Receipt("id-1", "undelivered", TRANSIENT_COUNTRY, "30008")
ODD = Unavailable(Reason.TRANSIENT, Scope.COUNTRY, "http_400")


def chat_of() -> RecordingProvider:
    return RecordingProvider("chat", channels=frozenset({"whatsapp"}))


def caller_of() -> RecordingProvider:
    return RecordingProvider("caller", channels=frozenset({"voice"}))


class Tripping(RecordingProvider):
    """A provider that meets an answer nobody thought of."""

    def send(self, message: Message, deadline: float) -> Accepted:
        raise OverflowError(message.phone.e164)


# What is asked for in vain


def test_a_number_that_vendors_answer_oddly_to_is_not_free_to_ask_for(
    store: Store,
) -> None:
    login = Login(store, shared_limits(sends_per_ip=((1, 600),)))
    login.fails(ODD, ODD)
    with pytest.raises(DeliveryUnavailable):
        login.send()

    with pytest.raises(RateLimited) as refusal:
        login.send(OTHER)

    assert refusal.value.limit == "sends_per_ip"


def test_an_answer_that_nobody_thought_of_goes_to_the_next_vendor(store: Store) -> None:
    login = Login(store)
    tripping = Tripping("first")
    login.sms._providers["first"] = tripping

    started = login.send()

    assert started.delivery.status == "accepted"
    assert login.sent == {"second": 1}
    assert PHONE not in repr(store.events)


# Channels that are closed, and those that are not


def test_each_channel_is_closed_for_what_was_said_on_it(store: Store) -> None:
    chat = chat_of()
    login = Login(store, more=[chat], whatsapp_first=True)
    chat.failures.append(DOWN)
    login.fails(STOPPED)

    with pytest.raises(RecipientUnreachable) as refusal:
        login.send()

    step = refusal.value.next_step
    assert step is not None
    assert not step.sms.allowed
    assert step.whatsapp.allowed
    assert "START" in (refusal.value.detail or "")


def test_an_outage_of_one_channel_says_nothing_of_another(store: Store) -> None:
    voice = caller_of()
    login = Login(store, more=[voice])
    login.send()
    store.clock.advance(60)
    voice.failures.append(DOWN)

    with pytest.raises(DeliveryUnavailable) as outage:
        login.send(channel="voice")

    step = outage.value.next_step
    assert step is not None
    assert step.sms.retry_in == 0
    assert step.voice.retry_in == outage.value.retry_after


def test_a_closed_channel_stays_closed_in_an_outage_of_another(store: Store) -> None:
    voice = caller_of()
    login = Login(store, more=[voice])
    login.fails(DEAD)
    with pytest.raises(RecipientUnreachable):
        login.send()
    voice.failures.append(DOWN)

    with pytest.raises(DeliveryUnavailable) as outage:
        login.send(channel="voice")

    assert outage.value.next_step is not None
    assert not outage.value.next_step.sms.allowed


def test_a_dead_numbers_receipt_does_not_close_what_did_arrive(store: Store) -> None:
    login = Login(store)
    started = login.send()
    store.clock.advance(30)
    login.send(resend_of=started)
    login.settle()
    login.receipt(login.second, Receipt("id-1", "delivered"))

    login.receipt(login.first, Receipt("id-1", "undelivered", RECIPIENT, "30005"))

    assert login.service.status(started.id, SHOP).next.sms.allowed


def test_a_receipt_after_the_login_closes_nothing(store: Store) -> None:
    login = Login(store)
    started = login.send()
    login.settle()
    login.check(started, login.code)

    login.receipt(login.first, Receipt("id-1", "undelivered", RECIPIENT, "30005"))

    assert login.send().delivery.status == "accepted"


def test_a_stop_outlives_a_dead_number(store: Store) -> None:
    login = Login(store)
    first = login.send()
    store.clock.advance(30)
    login.send(resend_of=first)
    login.settle()
    login.receipt(login.second, Receipt("id-1", "undelivered", OPTED_OUT, "21610"))

    login.receipt(login.first, Receipt("id-1", "undelivered", RECIPIENT, "30005"))

    store.clock.advance(3_600)
    with pytest.raises(RecipientUnreachable) as refusal:
        login.send()
    assert "START" in (refusal.value.detail or "")


# What follows a message


def test_a_vendor_that_lost_a_message_does_not_get_it_again(store: Store) -> None:
    login = Login(store)
    login.second.countries = frozenset({"US"})
    login.send()
    login.settle()

    login.receipt(login.first, Receipt("id-1", "undelivered", CONTENT, "30007"))

    assert login.sent == {"first": 1}


def test_nobody_is_called_again_without_asking(store: Store) -> None:
    voice, other = caller_of(), RecordingProvider("b", channels=frozenset({"voice"}))
    login = Login(store, more=[voice, other])
    login.send()
    store.clock.advance(60)
    login.send(channel="voice")
    login.settle()

    login.receipt(voice, CARRIER)

    assert not other.messages


def test_a_follow_up_that_waited_too_long_is_not_sent(store: Store) -> None:
    login = Login(store)
    started = login.send()
    login.settle()
    login.readers["first"].next = [CARRIER]
    login.deliveries.take("first", callback("signed"))
    store.clock.advance(11)

    login.settle()

    assert login.sent == {"first": 1}
    status = login.service.status(started.id, SHOP)
    assert status.delivery is not None
    assert (status.delivery.attempt, status.delivery.status) == (1, "undelivered")


def test_a_follow_up_that_fails_leaves_the_persons_cooldown(store: Store) -> None:
    login = Login(store)
    started = login.send()
    login.settle()
    login.first.failures.append(DOWN)
    login.second.failures.append(DOWN)

    login.receipt(login.first, CARRIER)

    assert login.service.status(started.id, SHOP).next.sms.retry_in == 30
    told = [it for it in store.events if isinstance(it, MessageFollowed)]
    assert [it.provider for it in told] == ["none"]


def test_a_wait_survives_the_worker_that_took_it(store: Store) -> None:
    login = Login(store, more=[chat_of()], whatsapp_first=True)
    login.send()
    login.settle()
    store.clock.advance(11)
    assert login.deliveries._messages.claim_due("whatsapp")  # and it dies

    login.deliveries.look_again()
    login.settle()
    before = dict(login.sent)
    store.clock.advance(30)
    login.deliveries.look_again()
    login.settle()

    assert (before, login.sent) == ({"chat": 1}, {"chat": 1, "first": 1})


def test_a_wait_is_looked_at_once(store: Store) -> None:
    login = Login(store, more=[chat_of()], whatsapp_first=True)
    login.send()
    login.settle()
    for _ in range(3):
        store.clock.advance(31)
        login.deliveries.look_again()
        login.settle()

    assert login.sent == {"chat": 1, "first": 1}
    assert "waiting:{whatsapp}" not in store.dump()


def test_what_could_not_be_noted_is_noted_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = Login(store, more=[chat_of()], whatsapp_first=True)
    login.send()

    def gone(*_: object) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as outage:
        outage.setattr(login.deliveries._scripts, "run_together", gone)
        with pytest.raises(StoreUnavailable):
            login.settle()
    login.deliveries.note_again()
    store.clock.advance(11)
    login.deliveries.look_again()
    login.settle()

    assert login.sent == {"chat": 1, "first": 1}


def test_a_vendor_that_repeats_an_id_is_trusted_with_neither_message(
    store: Store,
) -> None:
    login = Login(store)
    ours = login.send()
    login.settle()
    login.first.messages.clear()  # so that it counts from id-1 again
    theirs = login.send("+919812345678")
    login.settle()

    login.receipt(login.first, Receipt("id-1", "delivered"))

    assert login.status_of(ours) == login.status_of(theirs) == "accepted"


# Calls


def test_calls_have_limits_of_their_own(store: Store) -> None:
    voice = caller_of()
    shared = shared_limits(calls_global=((1, 600),), sends_per_prefix=())
    login = Login(store, shared, more=[voice], limits=PhoneLimits(cooldowns=(15,)))
    for phone in (PHONE, OTHER):
        login.send(phone)
    store.clock.advance(60)
    login.send(PHONE, channel="voice")

    with pytest.raises(RateLimited) as refusal:
        login.send(OTHER, channel="voice")

    assert refusal.value.limit == "calls_global"
    step = refusal.value.next_step
    assert step is not None
    assert (step.voice.retry_in, step.sms.retry_in) == (refusal.value.retry_after, 0)
    assert login.send(OTHER).next.voice.retry_in == refusal.value.retry_after
    assert len(voice.messages) == 1


def test_a_call_that_nobody_placed_uses_up_no_limit(store: Store) -> None:
    voice = caller_of()
    shared = shared_limits(calls_global=((1, 600),))
    login = Login(store, shared, more=[voice])
    login.send()
    store.clock.advance(60)
    voice.failures.append(DOWN)
    with pytest.raises(DeliveryUnavailable):
        login.send(channel="voice")

    assert login.send(channel="voice").delivery.channel == "voice"


# Who is asked next


def test_a_resend_that_fails_over_asks_who_was_not_used_yet(store: Store) -> None:
    third = RecordingProvider("third")
    login = Login(store, more=[third])
    started = login.send()
    store.clock.advance(30)
    login.second.failures.append(DOWN)

    login.send(resend_of=started)

    assert login.sent == {"first": 1, "third": 1}


def test_a_follow_up_that_fails_over_never_goes_back(store: Store) -> None:
    third = RecordingProvider("third")
    login = Login(store, more=[third])
    login.send()
    login.settle()
    login.second.failures.append(DOWN)
    third.failures.append(DOWN)

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1}


def test_one_vendor_may_have_whatsapp_and_sms(store: Store) -> None:
    gateway = RecordingProvider("gateway", channels=frozenset({"sms", "whatsapp"}))
    login = Login(store, more=[gateway], whatsapp_first=True)
    login.first.countries = login.second.countries = frozenset()
    started = login.send()
    login.settle()
    store.clock.advance(11)

    login.deliveries.look_again()
    login.settle()

    assert [it.channel for it in gateway.messages] == ["whatsapp", "sms"]
    status = login.service.status(started.id, SHOP).delivery
    assert status is not None
    assert status.channel == "sms"


def test_one_vendor_that_refuses_whatsapp_and_takes_sms_is_taken_down_so(
    store: Store,
) -> None:
    gateway = RecordingProvider("gateway", channels=frozenset({"sms", "whatsapp"}))
    login = Login(store, more=[gateway], whatsapp_first=True)
    login.first.countries = login.second.countries = frozenset()
    gateway.failures.append(DEAD)

    started = login.send()

    status = login.service.status(started.id, SHOP)
    assert status.delivery is not None
    assert started.delivery.channel == status.delivery.channel == "sms"
    assert not status.next.whatsapp.allowed


def test_a_stop_is_remembered_also_when_it_comes_after_the_code_died(
    store: Store,
) -> None:
    login = Login(store)
    login.send()
    login.settle()
    store.clock.advance(301)

    login.receipt(login.first, Receipt("id-1", "undelivered", OPTED_OUT, "21610"))

    with pytest.raises(RecipientUnreachable):
        login.send()


def test_a_wait_that_cannot_be_followed_up_holds_up_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = Login(store, more=[chat_of()], whatsapp_first=True)
    login.send()
    login.send("+919812345678")
    login.settle()
    store.clock.advance(11)
    look_up = login.deliveries._messages.look_up
    poison = login.deliveries._messages.id_of("chat", "id-1")

    def trip(id_: str) -> object:
        if id_ == poison:
            raise KeyError
        return look_up(id_)

    monkeypatch.setattr(login.deliveries._messages, "look_up", trip)
    login.deliveries.look_again()
    login.settle()

    assert login.sent == {"chat": 2, "first": 1}
    assert BackgroundFailed("whatsapp waits", "KeyError") in store.events
