"""Twilio's calls alone: what is read out, to whom, and how a call ends."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from services.sms import failures
from services.sms.provider import Ambiguous, Failure, Reason, Refused, Unavailable
from services.sms.providers.twilio_voice import TwilioVoiceReceipts, read_out
from services.sms.receipts import Receipt
from services.sms.voice_phrases import PHRASES, phrases_for
from tests.services.sms.callbacks import assert_refused, callback_of, signed_form
from tests.services.sms.contract.twilio_voice import CALLER, VENDOR, make
from tests.services.sms.contract.vendor import failure_from, failure_of, send
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.simulator import Simulator
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.twilio_voice import TwilioVoice
from tests.simulator.vendor import State
from utils.phone import PhoneNumber

URL = "https://auth.example/api/webhooks/twilio_voice"


def read(**fields: str) -> Receipt:
    reader = TwilioVoiceReceipts("tok")
    (receipt,) = reader.read(signed_form(URL, "tok", fields))
    return receipt


def heard(simulator: Simulator, *, locale: str, sender: str | None = None) -> str:
    message = replace(message_to(channel="voice"), locale=locale, sender=sender)
    make(make_transport(simulator.url)).send(message, CLOCK.monotonic() + 5.0)
    return simulator.messages()[-1].text


def test_a_call_reads_the_code_out_three_times(simulator: Simulator) -> None:
    text = heard(simulator, locale="en")

    assert text == (
        "Hello, this is QuickCart. Your code is: 123456"
        " Once more, your code is: 123456"
        " Once more, your code is: 123456"
        " Never tell this code to anyone. Goodbye."
    )


def test_twilio_is_asked_for_a_short_ring_and_no_more(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url), status_callback=URL))

    (message,) = simulator.messages()
    params = dict(message.params)
    assert params.pop("Twiml").startswith("<?xml")
    assert params == {
        "To": INDIAN.e164,
        "From": CALLER,
        "Timeout": "20",
        "StatusCallback": URL,
    }


@pytest.mark.parametrize("language", PHRASES)
def test_every_language_has_a_voice_and_says_who_is_calling(
    simulator: Simulator, language: str
) -> None:
    text = heard(simulator, locale=language)

    # The simulator hears nothing where voice and language do not go together.
    assert text.count("123456") == 3
    assert text.count("QuickCart") == 1
    assert "{" not in text


def test_the_languages_that_are_promised_are_there() -> None:
    assert PHRASES.keys() >= {"en", "hi", "es", "fr", "pt", "ar", "de", "id"}


@pytest.mark.parametrize(
    ("locale", "language"),
    [("hi-IN", "hi-IN"), ("pt-PT", "pt-BR"), ("DE_at", "de-DE"), ("xx", "en-US")],
)
def test_the_nearest_language_speaks(locale: str, language: str) -> None:
    assert phrases_for(locale).language == language


def test_digits_are_read_one_by_one_with_a_pause_after_each() -> None:
    document = ET.fromstring(read_out("007", locale="en", brand="A&B <shop>"))  # noqa: S314

    words = [child.text or child.get("length") for child in document]
    assert words[:2] == ["1", "Hello, this is A&B <shop>. Your code is:"]
    assert words[2:8] == ["0", "1", "0", "1", "7", "1"]
    assert [child.tag for child in document][2:8] == ["Say", "Pause"] * 3


@pytest.mark.parametrize("language", PHRASES)
def test_the_longest_document_is_within_twilios_limit(language: str) -> None:
    document = read_out("1234567890", locale=language, brand="&" * 20)

    assert len(document) <= 4000


@pytest.mark.parametrize(
    ("sender", "caller"), [("+14155550100", "+14155550100"), ("QuickCart", CALLER)]
)
def test_only_a_number_can_call(simulator: Simulator, sender: str, caller: str) -> None:
    heard(simulator, locale="en", sender=sender)

    assert simulator.messages()[-1].params["From"] == caller


@pytest.mark.parametrize(
    ("status", "reason"), [("busy", Reason.ABSENT), ("failed", Reason.TRANSIENT)]
)
def test_a_call_that_twilio_creates_ended_was_not_made(
    simulator: Simulator, status: str, reason: Reason
) -> None:
    failure = failure_from(VENDOR, {"sid": "CA1", "status": status})

    assert (failure.reason, failure.vendor_code) == (reason, status)


@pytest.mark.parametrize("sid", ["SM1", "", None, 5, ["CA1"]])
def test_an_answer_that_is_no_call_may_be_one(
    simulator: Simulator, sid: object
) -> None:
    failure = failure_from(VENDOR, {"sid": sid, "status": ["queued"]})

    assert isinstance(failure, Ambiguous)


def test_a_block_for_fraud_stops(simulator: Simulator) -> None:
    simulator.add_rule("error", provider="twilio_voice", code=21216)
    with pytest.raises(Refused) as caught:
        send(make(make_transport(simulator.url)))

    assert caught.value.reason is Reason.FRAUD


def test_a_block_in_north_america_may_be_our_account_s(simulator: Simulator) -> None:
    simulator.add_rule("error", provider="twilio_voice", code=21216)
    american = PhoneNumber("+12125550123", "US", 1)
    failure = failure_of(make(make_transport(simulator.url)), american)

    assert isinstance(failure, Unavailable)
    assert Failure(failure.reason, failure.scope) == failures.ACCOUNT_NUMBER


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("queued", "accepted"),
        ("initiated", "accepted"),
        ("ringing", "sent"),
        ("in-progress", "sent"),
        ("completed", "delivered"),
        ("transferred", "unknown"),
        ("", "unknown"),
    ],
)
def test_twilio_says_how_far_a_call_came(word: str, status: str) -> None:
    receipt = read(CallSid="CA1", CallStatus=word, Surprise="new in 2027")

    assert receipt == Receipt("CA1", status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "failure"),
    [
        ("busy", failures.ABSENT),
        ("no-answer", failures.ABSENT),
        ("failed", failures.TRANSIENT_COUNTRY),
        ("canceled", failures.TRANSIENT_COUNTRY),
    ],
)
def test_twilio_says_why_nobody_heard_the_code(word: str, failure: Failure) -> None:
    receipt = read(CallSid="CA1", CallStatus=word, SipResponseCode="486")

    assert receipt == Receipt("CA1", "undelivered", failure, word)


def test_a_callback_about_something_else_is_no_receipt() -> None:
    callback = signed_form(URL, "tok", {"MessageSid": "SM1"})

    assert TwilioVoiceReceipts("tok").read(callback) == ()


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("delivered", None),
        ("undelivered", None),
        *(("undelivered", code) for code in TwilioVoice.receipt_codes),
    ],
)
def test_a_receipt_of_the_simulator_is_read(
    simulator: Simulator, state: State, code: str | None
) -> None:
    call_id = send(make(make_transport(simulator.url), status_callback=URL))
    (message,) = simulator.messages()
    assert message.receipts_url == URL
    vendor = TwilioVoice(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN)
    call = vendor.receipt(message, state, code, URL)
    assert call is not None

    (receipt,) = TwilioVoiceReceipts(DEFAULT_AUTH_TOKEN).read(callback_of(call))

    assert (receipt.message_id, receipt.status) == (call_id, state)
    assert_refused(TwilioVoiceReceipts("another"), callback_of(call))


def test_a_calls_end_is_its_only_receipt(simulator: Simulator) -> None:
    send(make(make_transport(simulator.url), status_callback=URL))
    (message,) = simulator.messages()
    vendor = TwilioVoice(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN)

    assert vendor.receipt(message, "sent", None, URL) is None
    assert re.fullmatch("CA[0-9a-f]{32}", message.id or "")
