"""Channels and languages over HTTP: what is open, when, and in which words."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.backend.api import (
    REFUSING,
    UNSUSPECTED,
    Answer,
    Api,
    assert_problem,
    phones,
)
from tests.backend.conftest import MakeApi
from tests.backend.every_vendor import AMERICAN, every_vendor, phone_of
from tests.backend.receipts import PUBLIC
from tests.simulator import Simulator

INDIAN = phone_of("fast2sms")
CHANNELS = ("sms", "whatsapp", "voice")
HASH = "FA+9qCX9VSu"
# What a vendor says of a number that can get nothing on its channel.
DEAD = {"twilio": 21211, "whatsapp": 131026, "twilio_voice": 21211}
VENDORS = {"sms": "twilio", "whatsapp": "whatsapp", "voice": "twilio_voice"}


@pytest.fixture
def make(make_api: MakeApi, simulator: Simulator) -> MakeApi:
    """Build the service with every vendor, whose receipts do not come."""
    simulator.add_rule("receipt_missing")
    settings = {
        **every_vendor(simulator),
        "SMS_ROUTES": "+91: twilio; *: twilio",
        "PUBLIC_BASE_URL": PUBLIC,
    }
    return lambda **changes: make_api(**{**settings, **changes})


@pytest.fixture
def api(make: MakeApi) -> Api:
    return make()


def open_channels(answer: Answer) -> dict[str, int | None]:
    """Tell how long each channel that is open makes one wait."""
    turns: Mapping[str, Any] = answer.json["next"]
    return {it: turns[it]["retry_in"] for it in CHANNELS if turns[it]["allowed"]}


def vendors_asked(api: Api) -> list[str]:
    return [it.provider for it in api.simulator.messages()]


# Which way


def test_without_a_channel_it_is_a_text(api: Api) -> None:
    answer = api.send(AMERICAN)

    assert answer.json["channel"] == answer.json["delivery"]["channel"] == "sms"
    assert vendors_asked(api) == ["twilio"]
    assert open_channels(answer) == {"sms": 30, "whatsapp": 30, "voice": 60}


def test_whatsapp_may_be_asked_for_at_once(api: Api) -> None:
    answer = api.send(AMERICAN, channel="whatsapp")

    assert answer.json["channel"] == "whatsapp"
    assert vendors_asked(api) == ["whatsapp"]
    won = api.verify(answer.json["verification_id"], AMERICAN, api.code_of(AMERICAN))
    assert won.status_code == 200


def test_whatsapp_comes_first_where_it_is_set_so(make: MakeApi) -> None:
    api = make(WHATSAPP_FIRST="true")

    assert api.send(AMERICAN).json["channel"] == "whatsapp"
    assert api.send(INDIAN, channel="sms").json["channel"] == "sms"


def test_a_call_repeats_the_code_of_the_text(api: Api) -> None:
    verification = api.start(AMERICAN)
    code = api.code_of(AMERICAN)
    api.clock.advance(60)

    answer = api.send(AMERICAN, channel="voice", verification_id=verification)

    assert answer.json["verification_id"] == verification
    assert answer.json["delivery"] == {
        "status": "accepted",
        "channel": "voice",
        "attempt": 2,
    }
    assert vendors_asked(api) == ["twilio", "twilio_voice"]
    assert api.code_of(AMERICAN) == code


def test_a_status_says_which_way_it_went(api: Api) -> None:
    verification = api.start(AMERICAN)
    for channel in ("whatsapp", "voice"):
        api.clock.advance(60)
        sent = api.send(AMERICAN, channel=channel, verification_id=verification)

        status = api.status(verification)

        assert status.json["delivery"] == sent.json["delivery"]
        assert status.json["delivery"]["channel"] == channel
        assert open_channels(status).keys() == open_channels(sent).keys()


@pytest.mark.parametrize("channel", ["fax", "SMS", "", None, 1, ["sms"]])
def test_other_words_are_no_channel(api: Api, channel: object) -> None:
    answer = api.send(AMERICAN, channel=channel)

    if channel is None:
        assert answer.status_code == 202
    else:
        assert_problem(answer, 422, "invalid_request")


# What is not open


@pytest.mark.parametrize("channel", ["whatsapp", "voice"])
def test_a_channel_that_nobody_serves_is_not_available(
    make_api: MakeApi, channel: str
) -> None:
    api = make_api()

    answer = api.send(INDIAN, channel=channel)

    assert_problem(answer, 422, "channel_not_available")
    assert open_channels(answer) == {"sms": None}
    assert vendors_asked(api) == []
    # Nothing was counted: neither a send nor a cooldown.
    assert api.send(INDIAN).status_code == 202


def test_a_call_before_any_message_is_not_available(api: Api) -> None:
    answer = api.send(AMERICAN, channel="voice")

    assert_problem(answer, 422, "channel_not_available")
    assert open_channels(answer) == {"sms": 0, "whatsapp": 0}
    assert vendors_asked(api) == []


def test_a_call_too_soon_is_told_when(api: Api) -> None:
    api.start(AMERICAN)
    api.clock.advance(40)

    answer = api.send(AMERICAN, channel="voice")

    assert_problem(answer, 429, "rate_limited")
    assert answer.json["limit"] == "voice_after_message"
    wait = answer.json["retry_after"]
    assert 10 < wait <= 20
    assert open_channels(answer) == {"sms": 0, "whatsapp": 0, "voice": wait}


@pytest.mark.parametrize("channel", ["sms", "voice"])
def test_a_number_dead_on_a_channel_is_told_so_and_what_else_there_is(
    api: Api, channel: str
) -> None:
    if channel == "voice":
        api.start(AMERICAN)
        api.clock.advance(60)
    vendor = VENDORS[channel]
    api.simulator.add_rule("error", provider=vendor, code=DEAD[vendor], times=1)

    refused = api.send(AMERICAN, channel=channel)
    asked = vendors_asked(api)
    again = api.send(AMERICAN, channel=channel)

    for answer in (refused, again):
        assert_problem(answer, 422, "recipient_unreachable")
        assert "another channel" in answer.json["detail"]
        assert open_channels(answer) == dict.fromkeys({*CHANNELS} - {channel}, 0)
    assert vendors_asked(api) == asked


def test_who_is_not_on_whatsapp_gets_a_text_in_the_same_request(api: Api) -> None:
    api.simulator.add_rule("error", provider="whatsapp", code=131026)

    answer = api.send(AMERICAN, channel="whatsapp")

    assert answer.json["channel"] == "sms"
    assert vendors_asked(api) == ["whatsapp", "twilio"]
    assert open_channels(answer).keys() == {"sms", "voice"}


def test_whatsapp_without_a_fallback_is_unreachable_too(make: MakeApi) -> None:
    api = make(WHATSAPP_WAIT="0")
    api.simulator.add_rule("error", provider="whatsapp", code=131026, times=1)

    answer = api.send(AMERICAN, channel="whatsapp")

    assert_problem(answer, 422, "recipient_unreachable")
    assert "another channel" in answer.json["detail"]
    assert open_channels(answer) == {"sms": 0, "voice": 60}
    assert api.send(AMERICAN).status_code == 202


def test_a_stop_is_told_with_what_lifts_it_and_costs_nothing_again(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=21610, times=1)

    first, second = api.send(AMERICAN), api.send(AMERICAN)

    for answer in (first, second):
        assert_problem(answer, 422, "recipient_unreachable")
        assert "START" in answer.json["detail"]
        assert open_channels(answer) == {"whatsapp": 0, "voice": 0}
    assert vendors_asked(api) == ["twilio"]
    api.clock.advance(86_400)
    assert api.send(AMERICAN).status_code == 202


# Calls are for some countries


@pytest.mark.parametrize(
    ("country", "called", "other"), [("US", AMERICAN, INDIAN), ("IN", INDIAN, AMERICAN)]
)
def test_calls_go_to_the_countries_that_may_be_called_alone(
    make: MakeApi, country: str, called: str, other: str
) -> None:
    api = make(VOICE_COUNTRIES=country)
    assert "voice" in open_channels(api.send(called))
    assert "voice" not in open_channels(api.send(other))
    api.clock.advance(60)

    refused = api.send(other, channel="voice")

    assert_problem(refused, 422, "channel_not_available")
    assert api.send(called, channel="voice").status_code == 202
    (call,) = api.simulator.messages(provider="twilio_voice")
    assert call.to == called


def test_calls_by_the_webhook_go_to_no_other_countries_either(make: MakeApi) -> None:
    api = make(VOICE_ROUTES="*: webhook", VOICE_COUNTRIES="US")
    api.send(INDIAN)
    api.send(AMERICAN)
    api.clock.advance(60)

    assert_problem(api.send(INDIAN, channel="voice"), 422, "channel_not_available")
    assert api.send(AMERICAN, channel="voice").status_code == 202

    (call,) = api.simulator.messages(provider="webhook")
    assert (call.to, call.params["channel"]) == (AMERICAN, "voice")


def test_without_countries_to_call_it_is_the_default_country(make: MakeApi) -> None:
    api = make(VOICE_COUNTRIES=None)

    assert "voice" in open_channels(api.send(INDIAN))
    assert "voice" not in open_channels(api.send(AMERICAN))


# In which words


def text_of(api: Api, phone: str = AMERICAN) -> str:
    return api.simulator.messages(to=phone)[-1].text


@pytest.mark.parametrize(
    ("locale", "accepted", "said"),
    [
        (None, None, "is your QuickCart code"),
        ("de", None, "ist Ihr Code"),
        ("de-AT", "fr", "ist Ihr Code"),
        (None, "fr-CA,fr;q=0.9,en;q=0.8", "est votre code"),
        (None, "xx, es;q=0.5", "clave de QuickCart"),
        (None, "en;q=0.1, pt-BR", "seu PIN"),
        ("xx", "id", "adalah kode"),
        ("xx", None, "is your QuickCart code"),
        (None, ";;;q=,=", "is your QuickCart code"),
        (None, "*", "is your QuickCart code"),
        (None, "de;q=0", "is your QuickCart code"),
        (None, "x" * 5_000, "is your QuickCart code"),
    ],
)
def test_the_request_the_browser_and_the_country_choose_the_language(
    api: Api, locale: str | None, accepted: str | None, said: str
) -> None:
    headers = {"Accept-Language": accepted} if accepted else {}

    answer = api.send(AMERICAN, headers=headers, locale=locale)

    assert answer.status_code == 202
    assert said in text_of(api)


def test_a_call_and_whatsapp_speak_the_language_too(api: Api) -> None:
    verification = api.start(AMERICAN, channel="whatsapp", locale="hi")
    assert api.simulator.messages()[-1].params["language"] == "hi"
    api.clock.advance(60)

    api.send(AMERICAN, channel="voice", verification_id=verification, locale="de")

    assert "Ihr Code lautet" in text_of(api)


@pytest.mark.parametrize(
    ("client", "ending"),
    [
        (None, "\n\n@shop.example #{code}"),
        ("web", "\n\n@shop.example #{code}"),
        ("ios", "\n\n@shop.example #{code}"),
        ("android", f"\n\n{HASH}"),
        ("other", "."),
    ],
)
def test_a_text_helps_its_client_to_fill_the_code_in(
    make: MakeApi, client: str | None, ending: str
) -> None:
    api = make(AUTOFILL_HOST="shop.example", ANDROID_APP_HASH=HASH)

    api.send(AMERICAN, client=client)

    assert text_of(api).endswith(ending.format(code=api.code_of(AMERICAN)))


# All vendors open


@pytest.mark.parametrize("channel", CHANNELS)
def test_when_all_vendors_are_left_alone_nobody_is_asked(
    make: MakeApi, channel: str
) -> None:
    api = make(
        SMS_ROUTES="*: twilio, vonage, plivo",
        VOICE_ROUTES="*: twilio_voice, webhook",
        WHATSAPP_ROUTES="*: whatsapp, webhook",
        WHATSAPP_WAIT="0",
        SENDS_PER_IP="off",
        PHONES_PER_IP="off",
        VOICE_COUNTRIES="IN",
    )
    everybody = phones(8)
    if channel == "voice":
        for phone in everybody:
            api.start(phone)
        api.clock.advance(60)
    api.simulator.add_rule("status", status=503)
    for phone in everybody[:-1]:
        assert api.send(phone, channel=channel).status_code == 503
    asked = len(api.simulator.messages())

    answer = api.send(everybody[-1], channel=channel)

    assert_problem(answer, 503, "delivery_unavailable")
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    assert len(api.simulator.messages()) == asked


# What ``next`` says is true


def test_a_call_is_promised_for_when_a_text_is_still_remembered(api: Api) -> None:
    """An hour after a text it is no reason to call any more."""
    api.login(AMERICAN)
    api.clock.advance(3_590)
    answer = api.send(AMERICAN)
    assert open_channels(answer) == {"sms": 30, "whatsapp": 30, "voice": 60}
    api.clock.advance(60)

    assert api.send(AMERICAN, channel="voice").status_code == 202


def test_no_call_is_promised_for_after_all_texts_are_forgotten(make: MakeApi) -> None:
    api = make(SENDS_PER_PHONE="1/24h")
    answer = api.send(AMERICAN)
    assert open_channels(answer) == {"sms": 86_400, "whatsapp": 86_400}

    refused = api.send(AMERICAN, channel="voice")

    assert_problem(refused, 429, "rate_limited")
    assert refused.json["limit"] == "sends_per_phone"
    assert open_channels(refused).keys() == {"sms", "whatsapp"}


# Around what is remembered: a minute, a life, a closing, an hour, a day.
WAITS = (1, 59, 240, 590, 3_590, 86_400)


class Walk:
    """Somebody who does whatever ``next`` allows, and tries what it does not."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api = api
        self.draws = random.Random(seed)  # noqa: S311 - not a secret
        self.answer = api.send(AMERICAN)
        self.verification = str(self.answer.json["verification_id"])
        self.taken = dict.fromkeys(CHANNELS, 0)
        self.refused = dict.fromkeys(CHANNELS, 0)

    def step(self) -> None:
        """Do one thing, and find that it was as ``next`` had said."""
        if self.draws.random() < 0.3:
            self.live_on()
        ready = open_channels(self.answer)
        channel = self.draws.choice(CHANNELS)
        if channel not in ready:
            self.answer = self.send(channel)
            assert self.answer.status_code in {422, 429}, self.answer.text
            assert not self.answer.json["next"][channel]["allowed"]
            self.refused[channel] += 1
            return
        wait = ready[channel]
        assert wait is not None
        if wait and self.draws.random() < 0.3:
            # Not a second before: real time passes, too.
            self.api.clock.advance(wait // 2)
            self.answer = self.send(channel)
            assert self.answer.status_code == 429, self.answer.text
            return
        self.api.clock.advance(wait)
        told, self.answer = self.answer, self.send(channel)
        assert self.answer.status_code == 202, (channel, told.json, self.answer.json)
        self.taken[channel] += 1
        self.verification = self.answer.json["verification_id"]

    def send(self, channel: str) -> Answer:
        fields: dict[str, Any] = {"channel": channel}
        if self.draws.random() < 0.5:
            known = self.api.status(self.verification)
            if known.json["state"] == "pending":
                fields["verification_id"] = self.verification
        return self.api.send(AMERICAN, **fields)

    def live_on(self) -> None:
        """Wait, log in or lose a channel, and ask how it stands then."""
        channel = self.draws.choice(CHANNELS)
        match self.draws.choice(["wait", "log in", "lose"]):
            case "wait":
                self.api.clock.advance(self.draws.choice(WAITS))
            case "log in":
                code = self.api.code_of(AMERICAN)
                self.api.verify(self.verification, AMERICAN, code)
            case "lose" if channel in (ready := open_channels(self.answer)):
                self.api.clock.advance(ready[channel] or 0)
                vendor = VENDORS[channel]
                self.api.simulator.add_rule(
                    "error", provider=vendor, code=DEAD[vendor], times=1
                )
                self.answer = self.send(channel)
                assert_problem(self.answer, 422, "recipient_unreachable")
                return
        status = self.api.status(self.verification)
        if status.json["state"] != "none":
            self.answer = status
            return
        self.answer = self.send("sms")
        assert self.answer.status_code in {202, 422, 429}
        self.verification = self.answer.json.get("verification_id", self.verification)


@pytest.mark.parametrize("seed", range(12))
def test_who_does_as_next_says_is_never_refused(make: MakeApi, seed: int) -> None:
    walk = Walk(
        make(
            SENDS_PER_PHONE="40/24h",
            SENDS_PER_IP="off",
            SENDS_PER_PREFIX="off",
            CALLS_PER_PREFIX="off",
            CALLS_GLOBAL="off",
            RULE_MODES=UNSUSPECTED,
            WHATSAPP_WAIT="0",
        ),
        seed,
    )

    for _ in range(60):
        walk.step()

    assert sum(walk.taken.values()) > 10
    assert any(walk.refused.values())


def test_a_shared_limit_leaves_every_channel_open_for_later(make: MakeApi) -> None:
    api = make(SENDS_PER_IP="1/10m", VOICE_COUNTRIES="IN", RULE_MODES=REFUSING)
    api.send(AMERICAN)

    answer = api.send(AMERICAN, channel="whatsapp")

    assert_problem(answer, 429, "rate_limited")
    wait = answer.json["retry_after"]
    assert open_channels(answer) == {"sms": wait, "whatsapp": wait}
