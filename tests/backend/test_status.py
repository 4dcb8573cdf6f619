"""GET /api/otp-status/<id>: how a verification stands, to who holds its id."""

import pytest

from tests.backend.api import OTHER_PHONE, PHONE, REFUSING, Api
from tests.backend.conftest import MakeApi

NO_CHANNEL = {"allowed": False, "retry_in": None}


def test_a_pending_verification_is_told_with_every_field(api: Api) -> None:
    verification = api.start(PHONE)

    answer = api.status(verification)

    assert answer.status_code == 200
    body = dict(answer.json)
    assert body.pop("expires_in") in (299, 300)
    assert body == {
        "state": "pending",
        "attempts_left": 5,
        "delivery": {"status": "accepted", "channel": "sms", "attempt": 1},
        "next": {
            "sms": {"allowed": True, "retry_in": 30},
            "whatsapp": NO_CHANNEL,
            "voice": NO_CHANNEL,
            "check": {"allowed": True, "retry_in": 0},
        },
    }


def test_asking_changes_nothing(api: Api) -> None:
    verification = api.start(PHONE)

    answers = [api.status(verification).json for _ in range(20)]

    assert {it["attempts_left"] for it in answers} == {5}
    assert api.verify(verification, PHONE, api.code_of(PHONE)).status_code == 200


def test_time_runs_down(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(100)

    body = api.status(verification).json

    assert body["expires_in"] in (199, 200)
    assert body["next"]["sms"] == {"allowed": True, "retry_in": 0}


def test_a_resend_and_a_wrong_code_show(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(30)
    api.send(PHONE, verification_id=verification)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))

    body = api.status(verification).json

    assert body["attempts_left"] == 4
    assert body["delivery"] == {"status": "accepted", "channel": "sms", "attempt": 2}


def test_a_used_verification_is_verified(api: Api) -> None:
    verification = api.start(PHONE)
    api.verify(verification, PHONE, api.code_of(PHONE))

    body = api.status(verification).json

    assert (body["state"], body["expires_in"], body["attempts_left"]) == (
        "verified",
        0,
        0,
    )
    assert body["next"]["check"] == NO_CHANNEL


def test_an_old_verification_is_expired_and_later_forgotten(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(301)
    expired = api.status(verification).json
    api.clock.advance(301)
    forgotten = api.status(verification).json

    assert (expired["state"], expired["expires_in"]) == ("expired", 0)
    assert expired["next"]["check"] == NO_CHANNEL
    assert forgotten["state"] == "none"


def test_a_verification_out_of_guesses_is_exhausted(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))

    body = api.status(verification).json

    assert (body["state"], body["attempts_left"]) == ("exhausted", 0)
    assert body["next"]["sms"]["retry_in"] in (29, 30)


def test_an_unknown_id_says_nothing_about_any_phone(api: Api) -> None:
    verification = api.start(PHONE)
    # The phone's own tag with another random part, and a phone never seen.
    guess = verification[:21] + "A" * 22
    stranger = "A" * 16 + "l" + "A" * 26

    first, second = api.status(guess), api.status(stranger)

    assert first.get_data() == second.get_data()
    assert first.json == {
        "state": "none",
        "expires_in": 0,
        "attempts_left": 0,
        "delivery": None,
        "next": {
            "sms": {"allowed": True, "retry_in": None},
            "whatsapp": NO_CHANNEL,
            "voice": NO_CHANNEL,
            "check": NO_CHANNEL,
        },
    }


@pytest.mark.parametrize(
    "name",
    ["123", "98765 43210", "nonsense", "A" * 43, "A" * 16 + "x" + "A" * 26, "%00"],
)
def test_what_is_neither_id_nor_phone_is_refused(api: Api, name: str) -> None:
    api.start(PHONE)

    answer = api.status(name)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert answer.json["errors"] == [
        {"field": "verification_id", "message": "Not a verification id"}
    ]
    assert "next" in answer.json


def test_a_locked_phone_shows_how_long(api: Api) -> None:
    first = api.start(PHONE)
    api.clock.advance(30)
    second = api.start(PHONE)
    for _ in range(5):
        api.verify(first, PHONE, api.wrong_code_of(PHONE))

    body = api.status(second).json

    assert body["state"] == "pending"
    assert body["next"]["check"]["retry_in"] in (29, 30)
    # The second send's cooldown is longer than the lock.
    assert body["next"]["sms"]["retry_in"] in (59, 60)


def test_the_callers_own_limits_show(make_api: MakeApi) -> None:
    api = make_api(
        SENDS_PER_IP="1/10m", WRONG_CHECKS_PER_IP="1/10m", RULE_MODES=REFUSING
    )
    verification = api.start(PHONE)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))

    body = api.status(verification).json

    told = body["next"]["sms"]["retry_in"]
    refused = api.send(OTHER_PHONE)
    assert told - 1 <= refused.json["retry_after"] <= told
    assert body["next"]["check"]["retry_in"] > 0
