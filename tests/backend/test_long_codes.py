"""Codes of eight digits, while so many are guessed that six are too few."""

import re

import pytest
from altcha import Challenge, Payload, solve_challenge

from tests.backend.api import PHONE, Api, assert_problem
from tests.backend.conftest import MakeApi


def code_in(api: Api) -> str:
    found = re.search(r"[0-9]+", api.simulator.messages(to=PHONE)[-1].text)
    assert found
    return found[0]


def test_while_many_codes_are_guessed_they_have_eight_digits(make_api: MakeApi) -> None:
    api = make_api(WRONG_CHECKS_GLOBAL="2/1h")
    verification = api.start(PHONE)
    for _ in range(3):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(30)
    challenge = Challenge.from_dict(api.send(PHONE).json["challenge"])
    solution = solve_challenge(challenge)
    assert solution is not None

    payload = Payload(challenge, solution).to_base64()
    sent = api.send(PHONE, challenge_solution=payload)
    verification, code = sent.json["verification_id"], code_in(api)

    assert (sent.json["code_length"], len(code)) == (8, 8)
    # Whoever types too few digits, or those of another code, typed a wrong one.
    for left, guess in ((4, code[:6]), (3, code[2:])):
        wrong = api.verify(verification, PHONE, guess)
        assert_problem(wrong, 400, "wrong_code")
        assert wrong.json["attempts_left"] == left
    # A resend keeps its digits, also when the guessing is over.
    api.services.abuse.policies.change_rule("wrong_checks_global", mode="off")
    api.clock.advance(60)
    again = api.send(PHONE, verification_id=verification)
    assert again.json["verification_id"] == verification
    assert (again.json["code_length"], code_in(api)) == (8, code)
    assert api.status(verification).json["state"] == "pending"
    assert api.verify(verification, PHONE, code).status_code == 200
    api.clock.advance(600)
    assert api.send(PHONE).json["code_length"] == 6


def test_eight_digits_are_a_wrong_code_where_it_has_six(api: Api) -> None:
    verification = api.start(PHONE)

    answer = api.verify(verification, PHONE, api.code_of(PHONE) + "00")

    assert_problem(answer, 400, "wrong_code")
    assert answer.json["attempts_left"] == 4


@pytest.mark.parametrize("otp", ["1234567", "123456789", "12345", "1234567a"])
def test_nothing_else_is_a_code(api: Api, otp: str) -> None:
    verification = api.start(PHONE)

    assert_problem(api.verify(verification, PHONE, otp), 422, "invalid_request")
