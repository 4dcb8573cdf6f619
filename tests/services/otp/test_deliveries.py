"""Receipts: what they move, and what follows a message that failed."""

import pytest

from services.errors import WrongCode
from services.events import MessageFollowed, ReceiptTaken
from services.otp.records import PhoneLimits
from services.sms.failures import (
    ABSENT,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT_COUNTRY,
)
from services.sms.provider import Failure
from services.sms.receipts import BadSignature, DeliveryStatus, Receipt
from tests.fakes import RecordingProvider
from tests.services.otp.world import (
    DOWN,
    PHONE,
    SHOP,
    Login,
    callback,
    other_than,
    shared_limits,
)
from tests.services.stores import Store
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

CARRIER = Receipt("id-1", "undelivered", TRANSIENT_COUNTRY, "30008")


@pytest.fixture
def login(store: Store) -> Login:
    return Login(store)


def receipt(
    status: DeliveryStatus, failure: Failure | None = None, message_id: str = "id-1"
) -> Receipt:
    return Receipt(message_id, status, failure, "30008" if failure else "")


def outcomes(login: Login) -> list[str]:
    return [it.outcome for it in login.store.events if isinstance(it, ReceiptTaken)]


# Moving


def test_a_message_is_followed_from_accepted_to_delivered(login: Login) -> None:
    started = login.send()
    login.settle()

    seen = [login.status_of(started)]
    for status in ("sent", "delivered"):
        login.receipt(login.first, receipt(status))
        seen.append(login.status_of(started))

    assert seen == ["accepted", "sent", "delivered"]
    assert outcomes(login) == ["moved", "moved"]


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("delivered", "sent", "delivered"),
        ("delivered", "delivered", "delivered"),
        ("delivered", "undelivered", "delivered"),
        ("undelivered", "delivered", "delivered"),
        ("undelivered", "sent", "undelivered"),
        ("sent", "unknown", "sent"),
        ("unknown", "sent", "sent"),
        ("unknown", "accepted", "unknown"),
    ],
)
def test_receipts_in_any_order_keep_what_is_known_best(
    login: Login, first: DeliveryStatus, second: DeliveryStatus, kept: str
) -> None:
    started = login.send()
    login.settle()

    login.receipt(login.first, receipt(first, ABSENT))
    before = login.phone_record()
    login.receipt(login.first, receipt(second, ABSENT))

    assert login.status_of(started) == kept
    assert (login.phone_record() == before) == (first == kept)


def test_a_receipt_before_our_own_note_is_not_lost(login: Login) -> None:
    started = login.send()

    login.receipt(login.first, receipt("delivered"))

    assert outcomes(login) == ["unknown", "moved"]
    assert login.status_of(started) == "delivered"


def test_a_receipt_of_an_unknown_message_changes_no_verification(login: Login) -> None:
    started = login.send()
    login.settle()

    login.receipt(login.first, receipt("delivered", message_id="id-9"))

    assert outcomes(login) == ["unknown"]
    assert login.status_of(started) == "accepted"


def test_a_receipt_nobody_signed_changes_nothing_and_is_counted(login: Login) -> None:
    login.send()
    login.settle()
    login.readers["first"].next = [receipt("delivered")]
    before = login.store.dump().keys()

    with pytest.raises(BadSignature):
        login.deliveries.take("first", callback("forged"))

    assert login.store.dump().keys() == before
    assert outcomes(login) == ["forged"]


def test_a_receipt_verifies_nothing(login: Login) -> None:
    started = login.send()
    login.settle()
    login.receipt(login.first, receipt("delivered"))

    status = login.service.status(started.id, SHOP)

    assert (status.state, status.attempts_left) == ("pending", 5)
    assert not [key for key in login.store.dump() if key.startswith("ses:")]


def test_a_receipt_for_one_message_says_nothing_of_another(login: Login) -> None:
    started = login.send()
    login.store.clock.advance(30)
    login.send(resend_of=started)
    login.settle()

    login.receipt(login.first, receipt("delivered"))

    assert login.status_of(started) == "accepted", "the second is under way"


# What follows


def test_a_message_lost_by_the_carrier_goes_by_the_next_vendor_with_the_same_code(
    login: Login,
) -> None:
    started = login.send()
    code = login.code
    login.settle()

    login.receipt(login.first, CARRIER)

    assert login.second.last_code == code
    status = login.service.status(started.id, SHOP)
    assert status.delivery is not None
    assert (status.delivery.status, status.delivery.attempt) == ("accepted", 2)
    assert login.check(started, code)
    (followed,) = [it for it in login.store.events if isinstance(it, MessageFollowed)]
    assert (followed.after, followed.provider) == ("first", "second")
    assert followed.reason == "transient"


@pytest.mark.parametrize("failure", [ABSENT, RECIPIENT, OPTED_OUT, FRAUD])
def test_what_no_vendor_can_mend_is_not_sent_again(
    login: Login, failure: Failure
) -> None:
    login.send()
    login.settle()

    login.receipt(login.first, receipt("undelivered", failure))

    assert login.sent == {"first": 1}


def test_once_is_enough(login: Login) -> None:
    login.send()
    login.settle()
    login.receipt(login.first, CARRIER)

    login.receipt(login.second, receipt("undelivered", CONTENT))

    assert login.sent == {"first": 1, "second": 1}


def test_the_same_receipt_twice_at_once_sends_once(store: Store) -> None:
    login = Login(store)
    login.send()
    login.settle()
    login.readers["first"].next = [CARRIER]

    at_once(8, lambda _: login.deliveries.take("first", callback("signed")))
    login.settle()

    assert login.sent == {"first": 1, "second": 1}


def test_nothing_follows_when_the_person_asked_again_already(login: Login) -> None:
    started = login.send()
    login.store.clock.advance(30)
    login.send(resend_of=started)
    login.settle()

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1, "second": 1}


def test_nothing_follows_a_code_that_was_used(login: Login) -> None:
    started = login.send()
    login.settle()
    login.check(started, login.code)

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1}


def test_nothing_follows_to_a_code_about_to_die(login: Login) -> None:
    login.send()
    login.settle()
    login.store.clock.advance(241)

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1}


def test_what_follows_counts_against_the_phone(store: Store) -> None:
    login = Login(store, limits=PhoneLimits(sends=((1, 600),)))
    login.send()
    login.settle()

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1}


def test_what_follows_counts_against_all(store: Store) -> None:
    login = Login(store, shared_limits(sends_global=((1, 600),)))
    login.send()
    login.settle()

    login.receipt(login.first, CARRIER)

    assert login.sent == {"first": 1}


def test_a_follow_up_that_fails_costs_nothing_and_keeps_the_code(store: Store) -> None:
    login = Login(store, shared_limits(sends_global=((2, 600),)))
    started = login.send()
    code = login.code
    login.settle()
    login.first.failures.append(DOWN)
    login.second.failures.append(DOWN)

    login.receipt(login.first, CARRIER)

    login.store.clock.advance(30)
    assert login.send(resend_of=started).delivery.attempt == 2
    assert login.check(started, code)


def test_a_locked_phone_gets_no_follow_up(login: Login) -> None:
    started = login.send()
    login.settle()
    for _ in range(4):
        with pytest.raises(WrongCode):
            login.check(started, other_than(login.code))
    login.store.clock.advance(30)
    second = login.send()
    login.settle()
    with pytest.raises(WrongCode):
        login.check(second, other_than(login.code))

    login.receipt(login.first, CARRIER, receipt("undelivered", CONTENT, "id-2"))

    assert login.sent == {"first": 2}


def test_a_dead_number_opens_the_next_channel(store: Store) -> None:
    voice = RecordingProvider("caller", channels=frozenset({"voice"}))
    login = Login(store, more=[voice])
    started = login.send()
    code = login.code
    login.settle()

    login.receipt(login.first, receipt("undelivered", RECIPIENT))
    step = login.service.status(started.id, SHOP).next
    login.send(resend_of=started, channel="voice")

    assert not step.sms.allowed
    assert (step.voice.allowed, step.voice.retry_in) == (True, 0)
    assert voice.last_code == code


def test_a_stop_that_a_receipt_tells_of_is_remembered(login: Login) -> None:
    started = login.send()
    login.settle()

    login.receipt(login.first, receipt("undelivered", OPTED_OUT))

    assert not login.service.status(started.id, SHOP).next.sms.allowed


# WhatsApp that does not arrive


@pytest.fixture
def chat() -> RecordingProvider:
    return RecordingProvider("chat", channels=frozenset({"whatsapp"}))


@pytest.fixture
def chatty(store: Store, chat: RecordingProvider) -> Login:
    return Login(store, more=[chat], whatsapp_first=True)


def test_whatsapp_that_does_not_arrive_in_time_becomes_an_sms(
    chatty: Login, chat: RecordingProvider
) -> None:
    started = chatty.send()
    chatty.settle()
    chatty.store.clock.advance(9.9)
    chatty.deliveries.look_again()
    chatty.settle()
    early = dict(chatty.sent)

    chatty.store.clock.advance(0.2)
    chatty.deliveries.look_again()
    chatty.settle()

    assert early == {"chat": 1}
    assert chatty.sent == {"chat": 1, "first": 1}
    assert chatty.first.last_code == chat.last_code
    status = chatty.service.status(started.id, SHOP)
    assert status.delivery is not None
    assert status.delivery.channel == "sms"
    assert chatty.check(started, chat.last_code)


@pytest.mark.parametrize("status", ["delivered", "sent"])
def test_only_delivered_calls_the_sms_off(
    chatty: Login, chat: RecordingProvider, status: DeliveryStatus
) -> None:
    chatty.send()
    chatty.settle()
    chatty.receipt(chat, receipt(status))
    chatty.store.clock.advance(11)

    chatty.deliveries.look_again()
    chatty.settle()

    assert ("first" in chatty.sent) == (status == "sent")


def test_whatsapp_that_says_it_failed_becomes_an_sms_at_once(
    chatty: Login, chat: RecordingProvider
) -> None:
    chatty.send()
    chatty.settle()

    chatty.receipt(chat, receipt("undelivered", RECIPIENT))

    assert chatty.sent == {"chat": 1, "first": 1}


def test_each_wait_goes_to_one_worker(store: Store, chat: RecordingProvider) -> None:
    login = Login(store, more=[chat], whatsapp_first=True)
    login.send()
    login.settle()
    store.clock.advance(11)

    at_once(8, lambda _: login.deliveries.look_again())
    login.settle()

    assert login.sent == {"chat": 1, "first": 1}


def test_the_dump_holds_no_number_and_no_code(
    chatty: Login, chat: RecordingProvider
) -> None:
    chatty.send()
    chatty.settle()
    chatty.receipt(chat, receipt("sent", message_id=PHONE))

    held = repr(chatty.store.dump()) + repr(chatty.store.events)

    assert PHONE[3:] not in held
    assert chat.last_code not in held
    assert all(ttl > 0 for _, ttl in chatty.store.dump().values())
