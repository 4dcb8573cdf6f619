"""Many people, or one attacker, at once: the whole service over real Redis."""

from collections import Counter

import pytest

from tests.backend.api import Api, phones
from tests.backend.conftest import MakeApi
from tests.services.threads import at_once

ROUNDS = 10


@pytest.fixture
def open_api(make_api: MakeApi) -> Api:
    """A service whose limits per address do not decide instead of the code's own."""
    return make_api(WRONG_CHECKS_PER_IP="off", SENDS_PER_IP="off", PHONES_PER_IP="off")


def race(api: Api, count: int, phone: str, code: str) -> Counter[str]:
    """Submit one code from many threads at once; return what they were answered."""
    verification = api.start(phone)
    right = api.code_of(phone)
    guess = right if code == "right" else api.wrong_code_of(phone)

    def submit(_: int) -> str:
        answer = api.verify(verification, phone, guess)
        return str(answer.json.get("code", answer.status_code))

    return Counter(at_once(count, submit))


def test_of_50_right_codes_at_once_exactly_one_logs_in(open_api: Api) -> None:
    for phone in phones(ROUNDS):
        answers = race(open_api, 50, phone, "right")

        assert answers == {"200": 1, "verification_gone": 49}


def test_of_200_wrong_codes_at_once_exactly_5_are_evaluated(open_api: Api) -> None:
    for phone in phones(ROUNDS):
        answers = race(open_api, 200, phone, "wrong")

        assert answers == {"wrong_code": 5, "attempts_exhausted": 195}


def test_of_20_refreshes_at_once_every_one_gets_the_same_successor(
    open_api: Api,
) -> None:
    token = open_api.login()["refresh_token"]

    answers = at_once(20, lambda _: open_api.refresh(token))

    assert {it.status_code for it in answers} == {200}
    (successor,) = {it.json["refresh_token"] for it in answers}
    open_api.clock.advance(60)
    assert open_api.refresh(successor).status_code == 200
