"""A suspicious send is answered with a challenge, and let pass with its solution."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from altcha import Challenge, Payload, solve_challenge

from tests.backend.api import (
    PHONE,
    Answer,
    Api,
    assert_problem,
    fields_of,
    phones,
)
from tests.services.threads import at_once
from tests.simulator.captchas import SECRET_KEY, SITE_KEY, CaptchaVendors

MakeApi = Callable[..., Api]
ALICE, BOB, CAROL = phones(3)

# The first send from an address is free, the next two want a solution.
LIMITS = {"SENDS_PER_IP": "1/1h", "PHONES_PER_IP": "off"}


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    api = make_api(**LIMITS)
    api.start(ALICE)
    return api


@pytest.fixture
def vendors() -> Iterator[CaptchaVendors]:
    with CaptchaVendors() as vendors:
        yield vendors


def challenge_of(answer: Answer) -> dict[str, Any]:
    assert_problem(answer, 403, "challenge_required")
    return dict(answer.json["challenge"])


def solve(challenge: Mapping[str, Any]) -> str:
    """Solve it as the package does."""
    read = Challenge.from_dict(dict(challenge))
    solution = solve_challenge(read)
    assert solution is not None
    return Payload(read, solution).to_base64()


def test_a_login_with_a_solved_challenge(api: Api) -> None:
    answer = api.send(BOB)
    challenge = challenge_of(answer)
    assert answer.json["next"]["sms"] == {"allowed": True, "retry_in": 0}

    sent = api.send(BOB, challenge_solution=solve(challenge))
    assert sent.status_code == 202, sent.text
    won = api.verify(sent.json["verification_id"], BOB, api.code_of(BOB))

    assert won.status_code == 200, won.text
    assert won.json["user"]["phone"] == BOB


def test_nothing_is_sent_until_it_is_solved(api: Api) -> None:
    challenge_of(api.send(BOB))
    for solution in ("x", "e30="):
        challenge_of(api.send(BOB, challenge_solution=solution))

    assert api.simulator.messages(to=BOB) == []


def test_a_solution_is_good_for_one_send(api: Api) -> None:
    solution = solve(challenge_of(api.send(BOB)))
    first = api.send(BOB, challenge_solution=solution)
    assert first.status_code == 202, first.text
    api.clock.advance(31)

    again = api.send(BOB, challenge_solution=solution)

    assert challenge_of(again)["type"] == "altcha"
    assert "used before" in again.json["detail"]
    assert len(api.simulator.messages(to=BOB)) == 1


def test_of_many_sends_with_one_solution_one_passes(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="1/1h", PHONES_PER_IP="off", SENDS_PER_PHONE="50/1h")
    api.start(ALICE)
    solution = solve(challenge_of(api.send(BOB)))

    answers = at_once(8, lambda _: api.send(BOB, challenge_solution=solution))

    codes = [it.status_code for it in answers]
    assert codes.count(202) == 1, codes
    assert len(api.simulator.messages(to=BOB)) == 1


def test_a_solution_is_of_no_use_to_others(api: Api) -> None:
    solution = solve(challenge_of(api.send(BOB)))

    phone = api.send(CAROL, challenge_solution=solution)
    network = api.send(BOB, challenge_solution=solution, peer="203.0.113.9")

    for answer in (phone, network):
        challenge_of(answer)
        assert "another phone number or network" in answer.json["detail"]
    assert api.simulator.messages(to=BOB) == []
    assert api.simulator.messages(to=CAROL) == []


def test_a_late_solution_is_answered_with_a_new_challenge(api: Api) -> None:
    solution = solve(challenge_of(api.send(BOB)))
    api.clock.advance(601)

    late = api.send(BOB, challenge_solution=solution)

    assert "too late" in late.json["detail"]
    assert (
        api.send(BOB, challenge_solution=solve(challenge_of(late))).status_code == 202
    )


def test_a_solution_does_not_help_beyond_three_times_the_limit(api: Api) -> None:
    for phone in (BOB, CAROL):
        solution = solve(challenge_of(api.send(phone)))
        assert api.send(phone, challenge_solution=solution).status_code == 202

    assert_problem(api.send(PHONE), 429, "rate_limited")


def test_a_needless_solution_does_no_harm(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="1/2m", PHONES_PER_IP="off")
    api.start(ALICE)
    solution = solve(challenge_of(api.send(BOB)))
    api.clock.advance(180)

    assert api.send(BOB, challenge_solution=solution).status_code == 202


def test_a_rotation_keeps_challenges_good(make_api: MakeApi) -> None:
    api = make_api(**LIMITS)
    api.start(ALICE)
    solution = solve(challenge_of(api.send(BOB)))
    secret = api.settings.secret_key.get_secret_value()
    rotated = make_api(
        **LIMITS,
        SECRET_KEY="pL5dK8wZr2VnQe7Xt4Jc9sMb1hGy6fUa",
        SECRET_KEY_PREVIOUS=secret,
    )

    assert rotated.send(BOB, challenge_solution=solution).status_code == 202


@pytest.mark.parametrize("solution", ["", "x" * 3_001, 7, None, ["x"]])
def test_what_cannot_be_a_solution_is_named(api: Api, solution: object) -> None:
    answer = api.send(BOB, challenge_solution=solution)

    if solution is None:
        challenge_of(answer)
        return
    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["challenge_solution"]


def test_checks_take_no_solution(api: Api) -> None:
    """A challenge there would only help whoever has a farm."""
    verification = api.send(BOB, challenge_solution=solve(challenge_of(api.send(BOB))))
    code = api.code_of(BOB)

    answer = api.verify(
        verification.json["verification_id"], BOB, code, challenge_solution="x"
    )

    assert_problem(answer, 422, "invalid_request")


def test_a_challenge_is_in_no_log(api: Api) -> None:
    challenge = challenge_of(api.send(BOB))
    solution = solve(challenge)
    api.send(BOB, challenge_solution=solution)

    log = api.log.getvalue().decode()

    assert solution not in log
    assert str(challenge["signature"]) not in log
    assert BOB not in log


class TestCaptcha:
    @pytest.fixture
    def guarded(self, make_api: MakeApi, vendors: CaptchaVendors) -> Api:
        api = make_api(
            **LIMITS,
            CHALLENGE="turnstile",
            CHALLENGE_SITE_KEY=SITE_KEY,
            CHALLENGE_SECRET_KEY=SECRET_KEY,
            CHALLENGE_VERIFY_URL=vendors.url("turnstile"),
        )
        api.start(ALICE)
        return api

    def test_a_token_lets_a_send_pass(
        self, guarded: Api, vendors: CaptchaVendors
    ) -> None:
        token = vendors.solve(challenge_of(guarded.send(BOB)))

        answer = guarded.send(BOB, challenge_solution=token)

        assert answer.status_code == 202, answer.text
        assert BOB not in str(vendors.asked)

    def test_a_long_token_fits_a_request(
        self, guarded: Api, vendors: CaptchaVendors
    ) -> None:
        """Tokens of hCaptcha have been seen with 2,500 characters."""
        challenge = challenge_of(guarded.send(BOB))
        token = vendors.solve(challenge, token="t" * 2_900)

        answer = guarded.send(
            BOB,
            challenge_solution=token,
            country="IN",
            locale="en-IN",
            client="web",
            device_id="d" * 128,
            platform="web",
        )

        assert answer.status_code == 202, answer.text

    def test_a_vendor_that_is_away_stops_nobody(
        self, guarded: Api, vendors: CaptchaVendors
    ) -> None:
        token = vendors.solve(challenge_of(guarded.send(BOB)))
        vendors.fault = "status"

        challenge = challenge_of(guarded.send(BOB, challenge_solution=token))

        assert challenge["type"] == "altcha"
        answer = guarded.send(BOB, challenge_solution=solve(challenge))
        assert answer.status_code == 202, answer.text
