"""One secret replaces another under workers that hold them in either order."""

from typing import Any

import pytest

from tests.backend.api import (
    PHONE,
    Api,
    assert_problem,
    production,
)
from tests.backend.conftest import MakeApi
from tests.simulator import Simulator

OLD = "b1Kq7RzVx3Wm9TgYc5NsHd2PfJ8LuEa4"
NEW = "Zp4Xw8Gk2Vt6Rb9Yn3Jc7Hd5Mf1QsLuA"
PUBLIC = {"PUBLIC_BASE_URL": "https://auth.shop.example"}
WHATSAPP = {
    "WHATSAPP_ACCESS_TOKEN": "EAAGm0PX4ZCpsBA",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_TEMPLATE": "login_code",
    "WHATSAPP_APP_SECRET": "a1b2c3d4e5f60718293a4b5c6d7e8f90",
}

# The four steps: which secret is current, and which one is accepted beside it.
FIRST = {"SECRET_KEY": OLD}
AHEAD = {"SECRET_KEY": OLD, "SECRET_KEY_PREVIOUS": NEW}
BEHIND = {"SECRET_KEY": NEW, "SECRET_KEY_PREVIOUS": OLD}
LAST = {"SECRET_KEY": NEW}
# What runs beside what while a step is taken, both ways round.
CROSSINGS = [
    (FIRST, AHEAD),
    (AHEAD, FIRST),
    (AHEAD, BEHIND),
    (BEHIND, AHEAD),
    (BEHIND, LAST),
    (LAST, BEHIND),
]

pytestmark = pytest.mark.parametrize(("here", "there"), CROSSINGS)


@pytest.fixture
def subject_key(simulator: Simulator, redis_url: str) -> str:
    """What names people before, during and after the rotation."""
    return production(simulator, redis_url)["SUBJECT_KEY"]


@pytest.fixture
def both(make_api: MakeApi, subject_key: str, here: Any, there: Any) -> tuple[Api, Api]:
    """Two workers of one fleet in the middle of a step."""
    common = {"SUBJECT_KEY": subject_key, **PUBLIC, **WHATSAPP}
    return make_api(**here, **common), make_api(**there, **common)


def test_a_code_that_one_worker_sent_the_other_takes(both: tuple[Api, Api]) -> None:
    one, other = both
    verification = one.start(PHONE)

    answer = other.verify(verification, PHONE, one.code_of(PHONE))

    assert answer.status_code == 200


def test_the_other_worker_sends_the_same_code_again(both: tuple[Api, Api]) -> None:
    one, other = both
    verification = one.start(PHONE)
    code = one.code_of(PHONE)
    one.clock.advance(30)

    resent = other.start(PHONE, verification_id=verification)

    assert resent == verification
    assert other.code_of(PHONE) == code
    assert one.verify(resent, PHONE, code).status_code == 200


def test_people_keep_their_name_and_tokens_are_good_everywhere(
    both: tuple[Api, Api],
) -> None:
    one, other = both

    first = one.login(PHONE)
    one.clock.advance(60)
    second = other.login(PHONE)

    assert first["user"]["id"] == second["user"]["id"]
    for api in both:
        for body in (first, second):
            assert api.me(body["access_token"]).status_code == 200


def test_addresses_that_vendors_were_given_stay_good(both: tuple[Api, Api]) -> None:
    one, other = both
    token = one.services.addresses.token("fast2sms")

    right = other.post(f"/api/webhooks/fast2sms/{token}", {})
    wrong = other.post(f"/api/webhooks/fast2sms/{token[::-1]}", {})

    assert right.status_code == 204
    assert_problem(wrong, 403, "invalid_signature")


def test_metas_question_is_answered_with_either_secret(both: tuple[Api, Api]) -> None:
    one, other = both
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": one.services.addresses.token("whatsapp"),
    }

    answer = other.call("GET", "/api/webhooks/whatsapp", query_string=query)

    assert (answer.status_code, answer.text) == (200, "1158201444")
