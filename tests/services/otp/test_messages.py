"""What messages remember, also across versions of the service."""

import orjson
import pytest

from services.otp.codes import VerificationId
from services.otp.messages import MessageStore, Tracked
from services.otp.sending import Letter
from tests.services.stores import Store
from utils.crypto import seal, unseal
from utils.phone import parse_phone

pytestmark = pytest.mark.contract

KEYS = (b"k" * 32,)
VERIFICATION = VerificationId("tagtagtagtagtagt", "partpartpartpart")
# As the version before this one sealed them.
SIX = ("+12014567890", "US", 1, "https://shop.example.com", "en", None)


@pytest.fixture
def messages(store: Store) -> MessageStore:
    return MessageStore(
        store.scripts, name_key=b"n", letter_keys=KEYS, offset_seconds=store.offset
    )


def tracked(e164: str) -> Tracked:
    phone = parse_phone(e164, default_region="IN")
    letter = Letter(phone, "https://shop.example.com", "en", None)
    return Tracked(VERIFICATION, 1, "sms", phone.region, "twilio", letter)


def link(store: Store, messages: MessageStore, sealed: str) -> str:
    """Remember a message whose letter another worker sealed."""
    id_ = messages.id_of("twilio", "SM1")
    call = messages.link_call(id_, tracked("+12014567890"))
    call.arguments["message"]["letter"] = sealed
    store.scripts.run(call)
    return id_


@pytest.mark.parametrize("e164", ["+919876543210", "+12014567890", "+912266778899"])
def test_a_letter_comes_back_as_it_was(
    store: Store, messages: MessageStore, e164: str
) -> None:
    id_ = messages.id_of("twilio", "SM1")
    store.scripts.run(messages.link_call(id_, tracked(e164)))

    found = messages.look_up(id_)

    assert found is not None
    assert found.letter == tracked(e164).letter


def test_a_letter_of_the_version_before_is_read(
    store: Store, messages: MessageStore
) -> None:
    id_ = messages.id_of("twilio", "SM1")
    link(store, messages, seal(KEYS, orjson.dumps(SIX).decode(), context=id_))

    found = messages.look_up(id_)

    assert found is not None
    assert found.letter == tracked("+12014567890").letter


def test_the_version_before_reads_our_letters(messages: MessageStore) -> None:
    id_ = messages.id_of("twilio", "SM1")

    call = messages.link_call(id_, tracked("+12014567890"))

    sealed = call.arguments["message"]["letter"]
    assert tuple(orjson.loads(unseal(KEYS, sealed, context=id_))) == SIX


def test_a_letter_to_a_number_that_nobody_has_is_forgotten(
    store: Store, messages: MessageStore
) -> None:
    id_ = messages.id_of("twilio", "SM1")
    fields = ("+999876543210", *SIX[1:])
    link(store, messages, seal(KEYS, orjson.dumps(fields).decode(), context=id_))

    assert messages.look_up(id_) is None
