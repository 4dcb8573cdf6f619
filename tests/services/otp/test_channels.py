"""Channels: which are open, when, and what takes another one's place."""

import pytest

from services.errors import (
    ChannelNotAvailable,
    DeliveryUnavailable,
    PhoneNotSupported,
    RateLimited,
    RecipientUnreachable,
)
from services.events import VerificationStarted
from services.otp.answers import Started
from services.otp.records import PhoneLimits
from services.sms.provider import Reason, Refused, Scope
from services.sms.senders import Senders
from tests.fakes import RecordingProvider
from tests.services.otp.world import (
    ABSENT,
    DEAD,
    DOWN,
    FRAUD,
    LOST,
    OTHER,
    PHONE,
    SHOP,
    STOPPED,
    Login,
)
from tests.services.stores import Store

pytestmark = pytest.mark.contract

NOT_THERE = Refused(Reason.RECIPIENT, Scope.NUMBER, "131026")


def caller_of() -> RecordingProvider:
    return RecordingProvider("caller", channels=frozenset({"voice"}))


def chat_of() -> RecordingProvider:
    return RecordingProvider("chat", channels=frozenset({"whatsapp"}))


@pytest.fixture
def voice() -> RecordingProvider:
    return caller_of()


@pytest.fixture
def chat() -> RecordingProvider:
    return chat_of()


@pytest.fixture
def login(store: Store, voice: RecordingProvider, chat: RecordingProvider) -> Login:
    """Somebody with every channel, SMS where nothing else is asked for."""
    return Login(store, more=[voice, chat])


@pytest.fixture
def chatty(store: Store, voice: RecordingProvider, chat: RecordingProvider) -> Login:
    """The same, with WhatsApp first."""
    return Login(store, more=[voice, chat], whatsapp_first=True)


def waits(started: Started) -> dict[str, int | None]:
    """How long each channel that is open makes one wait."""
    turns = {it: getattr(started.next, it) for it in ("sms", "whatsapp", "voice")}
    return {name: turn.retry_in for name, turn in turns.items() if turn.allowed}


# What is there


def test_only_channels_that_somebody_serves_are_offered(store: Store) -> None:
    assert waits(Login(store).send()) == {"sms": 30}


def test_every_channel_that_is_served_is_offered(login: Login) -> None:
    assert waits(login.send()) == {"sms": 30, "whatsapp": 30, "voice": 60}


def test_a_status_offers_the_same(login: Login) -> None:
    started = login.send()

    assert login.service.status(started.id, SHOP).next == started.next


def test_a_channel_that_nobody_serves_is_refused_at_no_cost(store: Store) -> None:
    login = Login(store)

    with pytest.raises(ChannelNotAvailable) as refusal:
        login.send(channel="voice")

    assert refusal.value.next_step is not None
    assert refusal.value.next_step.sms.allowed
    assert not refusal.value.next_step.voice.allowed
    assert not store.dump()


# Voice


def test_a_call_needs_a_message_first(login: Login) -> None:
    with pytest.raises(ChannelNotAvailable) as refusal:
        login.send(channel="voice")

    assert refusal.value.next_step is not None
    assert not refusal.value.next_step.voice.allowed
    assert not login.sent


def test_a_call_needs_a_minute_after_the_message(login: Login) -> None:
    started = login.send()
    login.store.clock.advance(59)

    with pytest.raises(RateLimited) as refusal:
        login.send(resend_of=started, channel="voice")

    assert (refusal.value.limit, refusal.value.retry_after) == (
        "voice_after_message",
        1,
    )


def test_a_call_reads_out_the_code_of_the_message(
    login: Login, voice: RecordingProvider
) -> None:
    started = login.send()
    code = login.code
    login.store.clock.advance(60)

    called = login.send(resend_of=started, channel="voice")

    assert voice.messages[-1].channel == "voice"
    assert voice.last_code == code
    assert called.id == started.id
    assert called.delivery.channel == "voice"
    assert login.check(started, code)


def test_a_dead_number_can_be_called_at_once(
    login: Login, voice: RecordingProvider
) -> None:
    login.fails(DEAD)
    with pytest.raises(RecipientUnreachable) as refusal:
        login.send()
    step = refusal.value.next_step

    login.send(channel="voice")

    assert step is not None
    assert not step.sms.allowed
    assert (step.voice.allowed, step.voice.retry_in) == (True, 0)
    assert len(voice.messages) == 1


def test_calls_have_their_cooldown_too(login: Login) -> None:
    login.fails(DEAD)
    with pytest.raises(RecipientUnreachable):
        login.send()
    login.send(channel="voice")

    with pytest.raises(RateLimited) as refusal:
        login.send(channel="voice")

    assert refusal.value.limit == "resend_cooldown"


def test_fraud_opens_no_other_channel(login: Login) -> None:
    login.fails(FRAUD)

    with pytest.raises(PhoneNotSupported) as refusal:
        login.send()

    step = refusal.value.next_step
    assert step is not None
    turns = [step.sms, step.whatsapp, step.voice]
    assert not any(turn.allowed for turn in turns)
    assert not login.sent


# Numbers that cannot be reached, or do not want to be


def test_a_dead_number_is_not_asked_for_again_for_ten_minutes(login: Login) -> None:
    login.fails(DEAD)
    with pytest.raises(RecipientUnreachable):
        login.send()
    login.store.clock.advance(599)

    with pytest.raises(RecipientUnreachable):
        login.send()
    assert not login.sent
    login.store.clock.advance(1)
    login.send()

    assert login.sent == {"first": 1}


def test_a_number_that_said_stop_is_left_alone_for_a_day_and_told_what_to_do(
    login: Login,
) -> None:
    login.fails(STOPPED)
    with pytest.raises(RecipientUnreachable) as first:
        login.send()
    login.store.clock.advance(86_399)

    with pytest.raises(RecipientUnreachable) as later:
        login.send()

    assert first.value.detail == later.value.detail
    assert "START" in (later.value.detail or "")
    assert later.value.next_step is not None
    assert not later.value.next_step.sms.allowed
    assert later.value.next_step.whatsapp.allowed
    assert not login.sent
    login.store.clock.advance(1)
    assert login.send().delivery.status == "accepted"


def test_a_number_that_said_stop_costs_its_neighbours_nothing(login: Login) -> None:
    login.fails(STOPPED)
    with pytest.raises(RecipientUnreachable):
        login.send()
    for _ in range(8):
        with pytest.raises(RecipientUnreachable):
            login.send()

    assert login.send(OTHER).delivery.status == "accepted"


def test_a_phone_that_is_off_now_may_be_tried_again(login: Login) -> None:
    login.fails(ABSENT)
    with pytest.raises(RecipientUnreachable) as refusal:
        login.send()

    assert refusal.value.next_step is not None
    assert refusal.value.next_step.sms.retry_in == 30
    login.store.clock.advance(30)
    assert login.send().delivery.status == "accepted"


# WhatsApp


def test_whatsapp_comes_first_where_it_is_configured_so(
    chatty: Login, chat: RecordingProvider
) -> None:
    started = chatty.send()

    assert started.delivery.channel == "whatsapp"
    assert chat.messages[-1].channel == "whatsapp"
    assert chatty.check(started, chat.last_code)


def test_a_resend_goes_by_sms_when_whatsapp_was_first(chatty: Login) -> None:
    started = chatty.send()
    code = chatty.code
    chatty.store.clock.advance(30)

    again = chatty.send(resend_of=started)

    assert again.delivery.channel == "sms"
    assert chatty.first.last_code == code


@pytest.mark.parametrize("failure", [NOT_THERE, DOWN, LOST, ABSENT])
def test_what_whatsapp_does_not_take_goes_by_sms_in_the_same_request(
    chatty: Login, chat: RecordingProvider, failure: Refused
) -> None:
    chat.failures.append(failure)

    started = chatty.send()

    assert started.delivery.channel == "sms"
    assert started.delivery.attempt == 1
    assert chatty.sent == {"first": 1}
    assert chatty.check(started, chatty.code)


def test_whoever_failed_on_either_channel_is_told(
    chatty: Login, chat: RecordingProvider
) -> None:
    chat.failures.append(NOT_THERE)
    chatty.fails(DOWN)

    chatty.send()

    (started,) = [
        it for it in chatty.store.events if isinstance(it, VerificationStarted)
    ]
    assert started.failed == (
        "chat recipient 131026",
        f"first {DOWN.reason} {DOWN.vendor_code}".rstrip(),
    )


def test_who_is_not_on_whatsapp_is_not_sent_there_again(
    chatty: Login, chat: RecordingProvider
) -> None:
    chat.failures.append(NOT_THERE)
    started = chatty.send()
    chatty.store.clock.advance(30)

    again = chatty.send()

    assert not started.next.whatsapp.allowed
    assert again.delivery.channel == "sms"
    assert not chat.messages


def test_a_fraud_block_on_whatsapp_does_not_go_by_sms(
    chatty: Login, chat: RecordingProvider
) -> None:
    chat.failures.append(FRAUD)

    with pytest.raises(PhoneNotSupported):
        chatty.send()

    assert not chatty.sent


def test_whatsapp_and_sms_down_leave_nothing(
    chatty: Login, chat: RecordingProvider
) -> None:
    chat.failures.append(DOWN)
    chatty.fails(DOWN, DOWN)

    with pytest.raises(DeliveryUnavailable):
        chatty.send()

    assert chatty.send().delivery.attempt == 1


def test_without_a_fallback_whatsapp_stands_alone(
    store: Store, chat: RecordingProvider
) -> None:
    login = Login(store, more=[chat], whatsapp_wait=0)
    chat.failures.append(NOT_THERE)

    with pytest.raises(RecipientUnreachable) as refusal:
        login.send(channel="whatsapp")

    assert refusal.value.next_step is not None
    assert refusal.value.next_step.sms.allowed
    assert not login.sent


# Senders


def test_a_resend_comes_from_another_vendor_then_from_another_sender(
    store: Store,
) -> None:
    senders = Senders([("first", "+91", ("ONE", "TWO")), ("second", "+91", ("THREE",))])
    limits = PhoneLimits(cooldowns=(15,), sends=((9, 600),))
    login = Login(store, senders=senders, limits=limits)
    started = login.send()
    for _ in range(3):
        store.clock.advance(15)
        login.send(resend_of=started)

    used = [(it.name, m.sender) for it in login.providers for m in it.messages]
    assert used == [
        ("first", "ONE"),
        ("first", "TWO"),
        ("second", "THREE"),
        ("second", "THREE"),
    ]
    assert {it.last_code for it in (login.first, login.second)} == {login.code}


def test_every_message_has_a_reference_of_its_own(login: Login) -> None:
    started = login.send()
    login.store.clock.advance(30)
    login.send(resend_of=started)

    references = [m.reference for it in login.providers for m in it.messages]
    assert len(set(references)) == 2
    assert all(references)
    assert PHONE not in str(references)
