"""A device that logged in is not locked out by strangers: over HTTP, attack A10."""

from typing import Any

import orjson
import pytest
import redis

from tests.backend.api import OTHER_PHONE, PHONE, Api, assert_problem
from tests.backend.conftest import MakeApi

DAY = 86_400
STRANGER = "203.0.113.9"
SHOP = "https://shop.example"


def token_of(api: Api, phone: str = PHONE) -> str:
    """Log in, and return what the device is given for the next time."""
    token = api.login(phone)["device_token"]
    api.clock.advance(DAY)
    return str(token)


def lock(api: Api) -> None:
    """Guess, as a stranger does, until the phone is locked."""
    verification = api.start(PHONE, peer=STRANGER)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE), peer=STRANGER)


def test_a10_the_owner_logs_in_on_a_known_device_while_the_phone_is_locked(
    api: Api,
) -> None:
    token = token_of(api)
    lock(api)
    assert_problem(api.send(PHONE), 429, "phone_locked")

    answer = api.send(PHONE, device_token=token)

    assert answer.status_code == 202
    # What is told next is what this device may do.
    assert answer.json["next"]["check"] == {"allowed": True, "retry_in": 0}
    assert answer.json["next"]["sms"] == {"allowed": True, "retry_in": 30}
    won = api.verify(answer.json["verification_id"], PHONE, api.code_of(PHONE))
    assert won.status_code == 200
    assert_problem(api.send(PHONE, peer=STRANGER), 429, "phone_locked")


def test_a10_the_owner_is_sent_a_code_after_strangers_burnt_the_day(api: Api) -> None:
    token = token_of(api)
    for wait in (30, 60, 0):
        api.start(PHONE, peer=STRANGER)
        api.clock.advance(wait)
    refused = api.send(PHONE)
    assert refused.json["limit"] == "sends_per_phone"

    assert api.send(PHONE, device_token=token).status_code == 202


def test_what_the_device_uses_up_strangers_keep(api: Api) -> None:
    token = token_of(api)

    assert api.send(PHONE, device_token=token).status_code == 202
    again = api.send(PHONE, device_token=token)

    assert again.json["limit"] == "resend_cooldown"
    assert api.send(PHONE).status_code == 202


def test_a_token_of_another_phone_is_refused(api: Api) -> None:
    theirs = token_of(api, OTHER_PHONE)

    answer = api.send(PHONE, device_token=theirs)

    assert_problem(answer, 422, "device_token_invalid")
    assert not api.simulator.messages(to=PHONE)


@pytest.mark.parametrize("forged", ["x", "qcd_", "qcd_" + "A" * 51, "qcr_x", "é"])
def test_a_forged_token_is_refused(api: Api, forged: str) -> None:
    assert_problem(api.send(PHONE, device_token=forged), 422, "device_token_invalid")


def test_a_token_of_long_ago_is_as_good_as_none(api: Api) -> None:
    token = token_of(api)
    api.clock.advance(90 * DAY)
    api.start(PHONE, peer=STRANGER)

    answer = api.send(PHONE, device_token=token)

    assert_problem(answer, 429, "rate_limited")


def test_a_token_outlives_a_change_of_the_secret(api: Api, make_api: MakeApi) -> None:
    token = token_of(api)
    changed = make_api(
        SECRET_KEY="aN0therSecretThatIsLongEnough1234",
        SECRET_KEY_PREVIOUS=api.settings.secret_key.get_secret_value(),
    )
    lock(changed)

    assert changed.send(PHONE, device_token=token).status_code == 202


def test_a_token_is_given_out_in_cookie_mode_too(make_api: MakeApi) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP)

    answer = api.login(PHONE, origin=SHOP, session="cookie")

    assert "refresh_token" not in answer
    assert answer["device_token"].startswith("qcd_")


def test_who_verifies_a_phone_for_a_service_gets_none(api: Api) -> None:
    verification = api.start(PHONE, purpose="verify")

    answer = api.verify(verification, PHONE, api.code_of(PHONE))

    assert "device_token" not in answer.json


def test_who_moves_to_another_number_gets_one_of_that(api: Api) -> None:
    login = api.login(PHONE)
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)

    moved = api.change_phone(login, verification, OTHER_PHONE, code)

    assert moved.status_code == 200, moved.text
    api.start(OTHER_PHONE, peer=STRANGER)
    known = api.send(OTHER_PHONE, device_token=moved.json["device_token"])
    assert known.status_code == 202
    assert_problem(
        api.send(PHONE, device_token=moved.json["device_token"]),
        422,
        "device_token_invalid",
    )


def test_a_number_that_changed_hands_knows_no_device(api: Api) -> None:
    token = token_of(api)
    tag = tag_of(api)
    api.services.otp.forget_holder(tag)
    api.login(PHONE)
    api.start(PHONE, peer=STRANGER)

    assert_problem(api.send(PHONE, device_token=token), 429, "rate_limited")


class TestDisabled:
    @pytest.fixture
    def disabled(self, api: Api, store: redis.Redis) -> str:
        """A phone with 99 wrong codes in a row behind it, and one more."""
        token = token_of(api)
        key = f"otp:{{{tag_of(api)}}}"
        record = orjson.loads(store.get(key))  # type: ignore[arg-type]
        store.set(key, orjson.dumps({**record, "since_right": 99}), keepttl=True)
        verification = api.start(PHONE, peer=STRANGER)
        last = api.verify(verification, PHONE, api.wrong_code_of(), peer=STRANGER)
        assert_problem(last, 400, "wrong_code")
        assert_all_closed(last.json["next"])
        refused = api.verify(verification, PHONE, api.code_of(), peer=STRANGER)
        assert_problem(refused, 403, "phone_disabled")
        assert_all_closed(refused.json["next"])
        return token

    def test_nothing_is_sent_and_waiting_does_not_help(
        self, api: Api, disabled: str
    ) -> None:
        sent = len(api.simulator.messages(to=PHONE))

        answer = api.send(PHONE)

        assert disabled
        assert_problem(answer, 403, "phone_disabled")
        assert_all_closed(answer.json["next"])
        assert "Retry-After" not in answer.headers
        assert len(api.simulator.messages(to=PHONE)) == sent

    def test_a_known_device_logs_in_and_that_enables_the_phone(
        self, api: Api, disabled: str
    ) -> None:
        verification = api.start(PHONE, device_token=disabled)
        won = api.verify(verification, PHONE, api.code_of(PHONE))

        assert won.status_code == 200
        api.clock.advance(30)
        assert api.send(PHONE, peer=STRANGER).status_code == 202


def assert_all_closed(next_: Any) -> None:
    for turn in ("sms", "whatsapp", "voice", "check"):
        assert next_[turn] == {"allowed": False, "retry_in": None}


def tag_of(api: Api, phone: str = PHONE) -> str:
    return api.services.phonebook.read(phone, None)[1]
