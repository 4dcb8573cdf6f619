"""Attacks on codes: A01 to A05, A10, A11 and A16. They guess, race and replay."""

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.backend.api import OTHER_PHONE, PHONE, Api, assert_problem
from tests.backend.attacks import DAY, MINUTE, Attacker, address, farmed, stranger
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service
from tests.services.threads import at_once
from tests.simulator.captchas import CaptchaVendors

SHOP, OTHER_SHOP = "https://shop.example", "https://other.example"
NOT_LIMITED_BY_ADDRESS = {"WRONG_CHECKS_PER_IP": "off", "SENDS_PER_IP": "off"}


@pytest.fixture
def farm() -> Iterator[CaptchaVendors]:
    with CaptchaVendors() as farm:
        yield farm


def wait(api: Api, retry_after: int, until: float) -> bool:
    """Wait as long as told; False: that is past the end."""
    if api.clock.now() + retry_after >= until:
        return False
    api.clock.advance(retry_after)
    return True


def test_a01_a_thousand_addresses_guess_at_one_phone_fifteen_times_a_day(
    make_api: MakeApi, farm: CaptchaVendors
) -> None:
    """They wait out every lock, and have new codes sent as often as they may.

    Redis's clock goes on by itself while the test runs, so the day is a bit short.
    """
    api = make_api(**farmed(farm))
    attacker = Attacker(api, farm)
    until = api.clock.now() + DAY - 10 * MINUTE
    answers: Counter[str] = Counter()
    verification = api.start(PHONE)

    for number in range(1_000):
        peer = address(number)
        guess = api.wrong_code_of(PHONE)
        answer = api.verify(verification, PHONE, guess, peer=peer)
        answers[answer.json["code"]] += 1
        if answer.json["code"] in {"attempts_exhausted", "verification_gone"}:
            sent = attacker.send(PHONE, peer=peer)
            if sent.status_code == 202:
                verification = sent.json["verification_id"]
            else:
                wait(api, sent.json["retry_after"], until)
        elif answer.status_code == 429:
            wait(api, answer.json["retry_after"], until)

    assert answers["wrong_code"] == 15
    # Nor is anybody let in who now comes with the right one.
    right = api.verify(verification, PHONE, api.code_of(PHONE), peer=address(1_000))
    assert right.status_code in {410, 429}


def test_a02_one_code_tried_at_many_phones_escalates_the_service(
    make_api: MakeApi, farm: CaptchaVendors
) -> None:
    """One guess at each phone, all within a moment, each from another address.

    A fortieth of the usual threshold. 100,000 phones would be 2,000 guesses at codes of
    six digits and 98,000 at codes of eight, each of those a hundredth of a guess.
    """
    api = make_api(**farmed(farm), WRONG_CHECKS_GLOBAL="50/1h")
    attacker = Attacker(api, farm)
    lengths: Counter[int] = Counter()

    for number in range(80):
        phone, peer = stranger(number), address(number)
        sent = attacker.send(phone, peer=peer)
        assert sent.status_code == 202, sent.text
        digits = sent.json["code_length"]
        lengths[digits] += 1
        guess = "12345678"[:digits]
        answer = api.verify(sent.json["verification_id"], phone, guess, peer=peer)
        assert_problem(answer, 400, "wrong_code")  # Once in 20,000 runs it is right.

    assert lengths == {6: 50, 8: 30}
    # From then on a farm is needed for each, too.
    assert_problem(api.send(stranger(80)), 403, "challenge_required")
    standing = api.services.abuse.guessing.look()
    assert standing.escalated
    assert standing.expected_takeovers == pytest.approx(50e-6 + 30e-8)


def test_a02_guessing_for_a_day_is_worth_less_than_a_twentieth_of_an_account(
    make_api: MakeApi, farm: CaptchaVendors
) -> None:
    """They guess at codes of six digits alone, 15 times an hour where 10 are too many.

    That is a 200th of the usual threshold, and so is what it is worth.
    """
    api = make_api(**farmed(farm), WRONG_CHECKS_GLOBAL="10/1h")
    attacker = Attacker(api, farm)

    for number in range(DAY // 240):
        phone, peer = stranger(number), address(number)
        sent = attacker.send(phone, peer=peer)
        if sent.status_code == 202 and sent.json["code_length"] == 6:
            api.verify(sent.json["verification_id"], phone, "123456", peer=peer)
        api.clock.advance(240)

    worth = api.services.abuse.guessing.look().expected_takeovers
    assert 10e-6 < worth <= 0.05 / 200


@pytest.mark.parametrize("code", ["right", "wrong"])
def test_a03_checks_in_parallel_neither_spend_twice_nor_guess_more(
    make_api: MakeApi, code: str
) -> None:
    """test_races.py has ten rounds of it, with up to 200 at once."""
    api = make_api(**NOT_LIMITED_BY_ADDRESS)
    verification = api.start(PHONE)
    guess = api.code_of(PHONE) if code == "right" else api.wrong_code_of(PHONE)

    answers = at_once(16, lambda _: api.verify(verification, PHONE, guess))

    said = Counter(it.json.get("code", "logged in") for it in answers)
    if code == "right":
        assert said == {"logged in": 1, "verification_gone": 15}
    else:
        assert said == {"wrong_code": 5, "attempts_exhausted": 11}


def test_a04_a_used_code_is_worth_nothing_at_any_worker(make_api: MakeApi) -> None:
    api, other_worker = make_api(), make_api()
    verification = api.start(PHONE)
    code = api.code_of(PHONE)
    assert api.verify(verification, PHONE, code).status_code == 200

    for worker in (api, other_worker):
        again = worker.verify(verification, PHONE, code)
        assert_problem(again, 410, "verification_gone")


def test_a05_a_resend_brings_no_guess_back(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(4):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(30)

    again = api.send(PHONE, verification_id=verification)

    assert again.json["attempts_left"] == 1


def test_a05_a_locked_phone_is_sent_nothing_that_would_unlock_it(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    before = len(api.simulator.messages())

    again = api.send(PHONE, verification_id=verification)
    anew = api.send(PHONE, peer=address(1))

    assert again.status_code in {410, 429}
    assert_problem(anew, 429, "phone_locked")
    assert len(api.simulator.messages()) == before


def test_a10_a_known_device_logs_in_whatever_strangers_used_up(api: Api) -> None:
    """Used up are all guesses of a day. More is in test_device_tokens.py."""
    token = api.login(PHONE)["device_token"]
    api.clock.advance(DAY)
    until = api.clock.now() + DAY
    wrong = 0
    while wrong < 15:
        sent = api.send(PHONE, peer=address(wrong))
        if sent.status_code != 202:
            assert wait(api, sent.json["retry_after"], until), wrong
            continue
        for _ in range(5):
            answer = api.verify(
                sent.json["verification_id"],
                PHONE,
                api.wrong_code_of(PHONE),
                peer=address(wrong),
            )
            wrong += answer.json["code"] == "wrong_code"
    assert_problem(api.send(PHONE), 429, "phone_locked")

    verification = api.start(PHONE, device_token=token)

    won = api.verify(verification, PHONE, api.code_of(PHONE))
    assert won.status_code == 200, won.text


@pytest.mark.parametrize("elsewhere", ["phone", "storefront", "service", "purpose"])
def test_a11_a_code_is_good_only_for_what_it_was_asked_for(
    make_api: MakeApi, elsewhere: str
) -> None:
    api = make_api(STOREFRONT_ORIGINS=f"{SHOP}, {OTHER_SHOP}")
    service = {"Authorization": f"Bearer {Service(api, scopes=('otp:send',)).token()}"}
    login = api.login(OTHER_PHONE, origin=SHOP)
    verification = api.start(PHONE, origin=SHOP)
    code = api.code_of(PHONE)

    if elsewhere == "phone":
        answer = api.verify(verification, OTHER_PHONE, code, origin=SHOP)
    elif elsewhere == "storefront":
        answer = api.verify(verification, PHONE, code, origin=OTHER_SHOP)
    elif elsewhere == "service":
        answer = api.verify(verification, PHONE, code, headers=service)
    else:
        answer = api.change_phone(login, verification, PHONE, code, origin=SHOP)

    assert_problem(answer, 410, "verification_gone")
    right = api.verify(verification, PHONE, code, origin=SHOP)
    assert right.status_code == 200, right.text


@pytest.mark.parametrize(
    "otp",
    [
        "１２３４５６",
        "१२३४५६",
        "12345²",
        "123456\n",
        " 123456",
        "12\u200b3456",
        "+12345",
        "1_2345",
        "1e5",
        "",
        "0" * 4_000,
        "\ud800",
        123456,
        123456.0,
        True,
        None,
        ["123456"],
        {"$gt": ""},
    ],
    ids=lambda it: re.sub(r"\W", "_", ascii(it))[:16],
)
def test_a16_odd_digits_and_types_are_no_code_and_cost_no_guess(
    shared_api: Api, otp: object
) -> None:
    verification = shared_api.start(PHONE)

    answer = shared_api.verify(verification, PHONE, otp)

    assert answer.status_code in {400, 413, 422}, answer.text
    assert answer.json["code"] != "wrong_code"
    assert shared_api.status(verification).json["attempts_left"] == 5
