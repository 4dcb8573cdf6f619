"""One vendor down is invisible, all down is honest."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.backend.api import OTHER_PHONE, PHONE, Api, phones
from tests.backend.conftest import MakeApi

Dump = Callable[[], dict[str, Any]]

# How Twilio fails, and whether its text may have left all the same.
TWILIO_DOWN: dict[str, dict[str, Any]] = {
    "internal error": {"action": "status", "status": 500},
    "unavailable": {"action": "status", "status": 503},
    "too many requests": {"action": "status", "status": 429},
    "queue full": {"action": "error", "code": 21611},
    "hangs": {"action": "hang"},
    "resets": {"action": "drop_before"},
    "sends and resets": {"action": "drop_after_accepting"},
    "gateway's page": {"action": "html_502"},
    "cut off JSON": {"action": "not_json"},
    "redirects": {"action": "redirect"},
    "floods": {"action": "huge"},
    "drips": {"action": "drip"},
    "wrong key": {"action": "error", "code": 20003},
    "account suspended": {"action": "error", "code": 30002},
    "filtered": {"action": "error", "code": 30007},
}
# Answers that say for certain that nothing was sent.
CERTAIN: dict[str, dict[str, Any]] = {
    name: TWILIO_DOWN[name] for name in ("unavailable", "queue full", "wrong key")
}
BOTH_DOWN = {"provider": None, "action": "status", "status": 503}


@pytest.fixture
def quick(make_api: MakeApi) -> Api:
    """A service with little patience.

    Its fake clock stands still, so that each vendor has the whole deadline.
    """
    return make_api(SMS_DEADLINE_SECONDS="1")


@pytest.mark.parametrize("rule", TWILIO_DOWN.values(), ids=TWILIO_DOWN)
def test_fast2sms_delivers_when_twilio_fails(quick: Api, rule: dict[str, Any]) -> None:
    quick.simulator.add_rule(provider="twilio", **rule)
    began = time.perf_counter()

    answer = quick.send(PHONE)

    assert time.perf_counter() - began < 2.5
    assert answer.status_code == 202
    assert answer.json["delivery"] == {
        "status": "accepted",
        "channel": "sms",
        "attempt": 1,
    }
    assert quick.providers_of(PHONE)[-1] == "fast2sms"
    # One send is counted, and Twilio was asked once.
    assert answer.json["next"]["sms"] == {"allowed": True, "retry_in": 30}
    assert len(quick.simulator.messages(to=PHONE, provider="twilio")) == 1
    won = quick.verify(answer.json["verification_id"], PHONE, quick.code_of(PHONE))
    assert won.status_code == 200


def test_a_failover_spends_one_of_the_phones_sends(api: Api) -> None:
    api.simulator.add_rule("status", provider="twilio", status=503)
    for wait in (30, 60, 120):
        assert api.send(PHONE).status_code == 202
        api.clock.advance(wait)

    assert api.send(PHONE).json["limit"] == "sends_per_phone"
    assert api.providers_of(PHONE) == ["fast2sms"] * 3


def test_both_vendors_send_the_same_code(quick: Api) -> None:
    quick.simulator.add_rule("drop_after_accepting", provider="twilio")

    quick.send(PHONE)

    first, second = quick.simulator.messages(to=PHONE)
    assert (first.provider, second.provider) == ("twilio", "fast2sms")
    assert quick.code_of(PHONE) in first.text
    assert quick.code_of(PHONE) in second.text


def test_twilio_with_a_wrong_key_of_ours_is_left_alone(make_api: MakeApi) -> None:
    api = make_api(TWILIO_AUTH_TOKEN="not-the-token")

    assert api.send(PHONE).status_code == 202
    assert api.send(OTHER_PHONE).status_code == 202

    assert [it.provider for it in api.simulator.messages()] == [
        "twilio",
        "fast2sms",
        "fast2sms",
    ]


def test_an_invalid_recipient_is_told_and_not_tried_elsewhere(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=21211)

    answer = api.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (422, "recipient_unreachable")
    assert answer.json["next"]["sms"] == {"allowed": False, "retry_in": None}
    assert not api.simulator.messages(provider="fast2sms")


def test_suspected_fraud_is_not_supported_and_not_tried_elsewhere(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=30450)

    answer = api.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (422, "phone_not_supported")
    assert answer.json["next"]["sms"] == {"allowed": False, "retry_in": None}
    assert not api.simulator.messages(provider="fast2sms")


@pytest.mark.parametrize(
    ("code", "refusal"),
    [(21211, (422, "recipient_unreachable")), (30450, (429, "rate_limited"))],
)
def test_a_refused_recipient_leaves_no_verification_but_a_pause(
    api: Api, code: int, refusal: tuple[int, str]
) -> None:
    api.simulator.add_rule("error", provider="twilio", code=code, times=1)
    api.send(PHONE)

    again = api.send(PHONE)

    # Nobody may ask the vendors about numbers without a pause.
    assert (again.status_code, again.json["code"]) == refusal
    assert len(api.simulator.messages()) == 1
    assert again.json["next"]["check"]["allowed"] is False


@pytest.mark.parametrize("rule", CERTAIN.values(), ids=CERTAIN)
def test_both_down_is_an_honest_503(api: Api, rule: dict[str, Any]) -> None:
    api.simulator.add_rule(provider="twilio", **rule)
    api.simulator.add_rule("status", provider="fast2sms", status=503)

    answer = api.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (503, "delivery_unavailable")
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    assert answer.json["retry_after"] >= 1
    assert "verification_id" not in answer.json
    assert answer.json["next"]["check"] == {"allowed": False, "retry_in": None}


def test_both_down_leaves_no_verification_and_no_cooldown(api: Api, dump: Dump) -> None:
    api.simulator.add_rule("status", status=503)

    api.send(PHONE)

    records = [
        value for key, value in dump().items() if key.startswith(("otp:", "ses:"))
    ]
    for record in records:
        assert b'"providers"' not in record
        assert b'"cooldown_until"' not in record


def test_a_send_right_after_recovery_works(api: Api) -> None:
    api.simulator.add_rule("status", status=503)
    for _ in range(4):  # One more than a phone has in ten minutes.
        assert api.send(PHONE).status_code == 503
    api.simulator.clear()

    answer = api.send(PHONE)

    assert answer.status_code == 202
    assert answer.json["next"]["sms"]["retry_in"] == 30


def test_a_text_that_may_have_left_is_counted(quick: Api) -> None:
    quick.simulator.add_rule("drop_after_accepting")
    for _ in range(3):
        assert quick.send(PHONE).status_code == 503
    quick.simulator.clear()

    refused = quick.send(PHONE)

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_per_phone")


def test_a_failed_resend_leaves_the_verification_as_it_was(api: Api) -> None:
    verification = api.start(PHONE)
    code = api.code_of(PHONE)
    api.clock.advance(30)
    api.simulator.add_rule("status", status=503)

    failed = api.send(PHONE, verification_id=verification)
    status = api.status(verification).json

    assert failed.status_code == 503
    assert failed.json["next"]["check"] == {"allowed": True, "retry_in": 0}
    assert (status["state"], status["delivery"]["attempt"]) == ("pending", 1)
    assert api.verify(verification, PHONE, code).status_code == 200


def test_in_development_the_console_stands_behind_the_vendors(
    development: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    development.simulator.add_rule("status", status=503)

    answer = development.send(PHONE)
    printed = capsys.readouterr().err

    assert answer.status_code == 202
    assert answer.json["delivery"] == {
        "status": "console",
        "channel": "sms",
        "attempt": 1,
    }
    code = printed.split()[-1]
    won = development.verify(answer.json["verification_id"], PHONE, code)
    assert won.status_code == 200
    status = development.status(answer.json["verification_id"]).json
    assert status["delivery"] == {"status": "console", "channel": "sms", "attempt": 1}


def test_production_prints_no_code(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.simulator.add_rule("status", status=503)

    api.send(PHONE)

    assert capsys.readouterr() == ("", "")


def test_a_vendor_that_fails_five_times_costs_nothing_more(
    make_api: MakeApi,
) -> None:
    api = make_api(PHONES_PER_IP="off")
    api.simulator.add_rule("status", provider="twilio", status=503)

    for phone in phones(8):
        assert api.send(phone).status_code == 202

    assert len(api.simulator.messages(provider="twilio")) == 5
    assert len(api.simulator.messages(provider="fast2sms")) == 8


def test_a_vendor_that_is_back_is_used_again(make_api: MakeApi) -> None:
    api = make_api(PHONES_PER_IP="off")
    api.simulator.add_rule("status", provider="twilio", status=503, times=5)
    for phone in phones(5):
        api.send(phone)
    api.clock.advance(31)

    api.send(PHONE)

    assert api.providers_of(PHONE) == ["twilio"]


def test_fast2sms_is_not_asked_for_other_countries(make_api: MakeApi) -> None:
    api = make_api(ALLOWED_COUNTRIES="IN, US")
    api.simulator.add_rule("status", provider="twilio", status=503)

    answer = api.send("+12125552368")

    assert answer.status_code == 503
    assert not api.simulator.messages(provider="fast2sms")


def test_a_country_that_no_vendor_serves_is_not_supported(make_api: MakeApi) -> None:
    api = make_api(
        ALLOWED_COUNTRIES="IN, US",
        TWILIO_ACCOUNT_SID=None,
        TWILIO_AUTH_TOKEN=None,
        TWILIO_PHONE_NUMBER=None,
    )

    answer = api.send("+12125552368")

    assert (answer.status_code, answer.json["code"]) == (422, "phone_not_supported")


def test_the_outage_is_over_when_the_answer_said_so(api: Api) -> None:
    api.simulator.add_rule("status", status=503, times=10)
    for phone in phones(5):
        refused = api.send(phone)
    assert refused.status_code == 503

    api.clock.advance(refused.json["retry_after"])

    assert api.send(PHONE).status_code == 202


@pytest.mark.slow
def test_a_vendor_that_hangs_is_left_within_the_deadline(
    make_api: MakeApi, store: redis.Redis
) -> None:
    """With the real patience: 8 s in all, 5 of them for the first vendor."""
    api = make_api()
    api.simulator.add_rule("hang", provider="twilio")
    began = time.perf_counter()

    answer = api.send(PHONE)

    assert answer.status_code == 202
    assert api.providers_of(PHONE) == ["fast2sms"]
    assert 4.5 < time.perf_counter() - began < 8
