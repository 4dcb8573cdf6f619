"""POST /api/verify-otp: a right code becomes a session, anything else does not."""

import pytest

from tests.backend.api import (
    OTHER_PHONE,
    PHONE,
    Api,
    assert_problem,
    solution_of,
    without_request_id,
)
from tests.backend.conftest import MakeApi

ANOTHER = "+919811111111"
SHOP, OTHER_SHOP = "https://shop.example", "https://other.example"
NO_CHANNEL = {"allowed": False, "retry_in": None}


def test_the_right_code_logs_in_with_every_field_of_the_contract(api: Api) -> None:
    verification = api.start(PHONE)

    answer = api.verify(verification, PHONE, api.code_of(PHONE))

    assert answer.status_code == 200
    body = dict(answer.json)
    assert body.pop("access_token").count(".") == 2
    subject = body["user"].pop("id")
    assert len(subject) == 22
    assert body.pop("refresh_token").startswith("qcr_")
    assert body.pop("device_token").startswith("qcd_")
    assert body == {
        "verified": True,
        "token_type": "Bearer",
        "expires_in": 600,
        "refresh_expires_in": 14 * 86_400,
        "user": {"phone": PHONE, "roles": ["customer"], "first_login": True},
    }


def test_a_code_works_once(api: Api) -> None:
    verification = api.start(PHONE)
    code = api.code_of(PHONE)
    api.verify(verification, PHONE, code)

    again = api.verify(verification, PHONE, code)

    assert (again.status_code, again.json["code"]) == (410, "verification_gone")


def test_a_wrong_code_costs_an_attempt(api: Api) -> None:
    verification = api.start(PHONE)

    answer = api.verify(verification, PHONE, api.wrong_code_of(PHONE))

    assert answer.status_code == 400
    body = without_request_id(answer)
    assert body == {
        "type": "urn:quickcart-auth:problem:wrong_code",
        "title": "The code is wrong",
        "status": 400,
        "code": "wrong_code",
        "attempts_left": 4,
        "next": {
            "sms": {"allowed": True, "retry_in": 30},
            "whatsapp": NO_CHANNEL,
            "voice": NO_CHANNEL,
            "check": {"allowed": True, "retry_in": 0},
        },
    }


def test_the_fifth_wrong_code_is_the_last(api: Api) -> None:
    verification = api.start(PHONE)
    wrongs = [
        api.verify(verification, PHONE, api.wrong_code_of(PHONE)) for _ in range(5)
    ]

    right = api.verify(verification, PHONE, api.code_of(PHONE))

    assert [it.json["attempts_left"] for it in wrongs] == [4, 3, 2, 1, 0]
    assert wrongs[-1].json["next"]["check"] == NO_CHANNEL
    assert (right.status_code, right.json["code"]) == (410, "attempts_exhausted")
    assert right.json["attempts_left"] == 0
    assert right.json["next"]["check"] == NO_CHANNEL
    # The fifth wrong code in a row also locks the phone.
    assert right.json["next"]["sms"]["retry_in"] in (29, 30)


def test_a_locked_phone_takes_no_code_not_even_the_right_one(api: Api) -> None:
    first = api.start(PHONE)
    api.clock.advance(30)
    second = api.start(PHONE)
    code = api.code_of(PHONE)
    for _ in range(5):
        api.verify(first, PHONE, api.wrong_code_of(PHONE))

    locked = api.verify(second, PHONE, code)
    wait = locked.json["retry_after"]
    api.clock.advance(wait)
    later = api.verify(second, PHONE, code)

    assert (locked.status_code, locked.json["code"]) == (429, "phone_locked")
    assert locked.headers["Retry-After"] == str(wait)
    assert locked.json["next"]["check"] == {"allowed": True, "retry_in": wait}
    assert later.status_code == 200


def test_every_dead_verification_gets_one_and_the_same_answer(api: Api) -> None:
    used = api.start(PHONE)
    api.verify(used, PHONE, api.code_of(PHONE))
    api.clock.advance(30)
    expired = api.start(PHONE)
    expired_code = api.code_of(PHONE)
    api.clock.advance(301)
    others = api.start(OTHER_PHONE)
    others_code = api.code_of(OTHER_PHONE)
    tampered = others[:-2] + ("AA" if others[-2:] != "AA" else "BB")
    other_purpose = f"{others[:16]}v{others[17:]}"

    answers = [
        api.verify(used, PHONE, "123456"),
        api.verify(expired, PHONE, expired_code),
        api.verify(others, PHONE, others_code),
        api.verify(tampered, OTHER_PHONE, others_code),
        api.verify(other_purpose, OTHER_PHONE, others_code),
        api.verify("A" * 16 + "l" + "A" * 22, PHONE, "123456"),
        api.verify("nonsense", PHONE, "123456"),
        api.verify(others + "A", OTHER_PHONE, others_code),
        api.verify(" " + others, OTHER_PHONE, others_code),
    ]

    assert {it.status_code for it in answers} == {410}
    bodies = {
        it.get_data().replace(it.json["request_id"].encode(), b"") for it in answers
    }
    assert len(bodies) == 1
    header_names = {tuple(sorted(name for name, _ in it.headers)) for it in answers}
    assert len(header_names) == 1
    # Nothing of it cost the owner a guess.
    assert api.status(others).json["attempts_left"] == 5


@pytest.mark.parametrize(
    ("sender", "checker", "right"),
    [
        (SHOP, SHOP, True),
        (SHOP, OTHER_SHOP, False),
        (SHOP, None, False),
        (None, SHOP, False),
        (None, None, True),
        # An unknown origin is no storefront: it counts as none.
        ("https://evil.example", None, True),
        (SHOP, "https://evil.example", False),
    ],
)
def test_a_code_is_bound_to_its_storefront(
    make_api: MakeApi, sender: str | None, checker: str | None, *, right: bool
) -> None:
    api = make_api(STOREFRONT_ORIGINS=f"{SHOP}, {OTHER_SHOP}")
    verification = api.start(PHONE, origin=sender)

    answer = api.verify(verification, PHONE, api.code_of(PHONE), origin=checker)

    expected = (200, None) if right else (410, "verification_gone")
    assert (answer.status_code, answer.json.get("code")) == expected
    assert right or api.status(verification).json["attempts_left"] == 5


def test_a_code_is_bound_to_its_verification(api: Api) -> None:
    first = api.start(PHONE)
    first_code = api.code_of(PHONE)
    api.clock.advance(30)
    second = api.start(PHONE, purpose="verify")
    second_code = api.code_of(PHONE)
    assert first_code != second_code  # Once in a million this run says nothing.

    assert api.verify(first, PHONE, second_code).json["code"] == "wrong_code"
    assert api.verify(second, PHONE, first_code).json["code"] == "wrong_code"


def test_the_first_login_is_told_from_later_ones(api: Api) -> None:
    first = api.login(PHONE)
    api.clock.advance(31)
    second = api.login(PHONE)

    assert first["user"]["first_login"] is True
    assert second["user"]["first_login"] is False
    assert second["user"]["id"] == first["user"]["id"]


def test_a_verified_phone_has_not_logged_in_yet(api: Api) -> None:
    verification = api.start(PHONE, purpose="verify")
    api.verify(verification, PHONE, api.code_of(PHONE))
    api.clock.advance(31)

    assert api.login(PHONE)["user"]["first_login"] is True


def test_a_login_clears_the_way_for_the_next_one(api: Api) -> None:
    api.login(PHONE)

    assert api.send(PHONE).status_code == 202


def test_wrong_codes_from_one_address_are_limited_across_phones(
    make_api: MakeApi,
) -> None:
    api = make_api(WRONG_CHECKS_PER_IP="2/10m")
    first, second = api.start(PHONE), api.start(OTHER_PHONE)
    for _ in range(2):
        api.verify(first, PHONE, api.wrong_code_of(PHONE))

    refused = api.verify(second, OTHER_PHONE, api.code_of(OTHER_PHONE))
    elsewhere = api.verify(
        second, OTHER_PHONE, api.code_of(OTHER_PHONE), peer="203.0.113.9"
    )

    assert (refused.status_code, refused.json["limit"]) == (429, "wrong_checks_per_ip")
    wait = refused.json["retry_after"]
    assert refused.headers["Retry-After"] == str(wait)
    assert refused.json["next"]["check"] == {"allowed": True, "retry_in": wait}
    assert elsewhere.status_code == 200


def test_wrong_codes_of_all_together_make_sends_harder_and_refuse_no_check(
    make_api: MakeApi,
) -> None:
    api = make_api(WRONG_CHECKS_GLOBAL="2/1h")
    verification, code = api.start(PHONE), api.code_of(PHONE)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE), peer="203.0.113.1")
    before = api.send(ANOTHER, peer="203.0.113.8")

    api.verify(verification, PHONE, api.wrong_code_of(PHONE), peer="203.0.113.2")

    # Whoever asks, and for whomever: a challenge, and with it a longer code.
    challenged = api.send(OTHER_PHONE, peer="203.0.113.9")
    assert_problem(challenged, 403, "challenge_required")
    assert not api.simulator.messages(to=OTHER_PHONE)
    solved = api.send(
        OTHER_PHONE, peer="203.0.113.9", challenge_solution=solution_of(challenged)
    )
    assert (before.status_code, before.json["code_length"]) == (202, 6)
    assert (solved.status_code, solved.json["code_length"]) == (202, 8)
    assert api.verify(verification, PHONE, code).status_code == 200


def test_a_number_without_a_country_code_is_read_as_it_was_sent(
    make_api: MakeApi,
) -> None:
    api = make_api(ALLOWED_COUNTRIES="IN, US")
    verification = api.start("212-555-2368", country="US")

    answer = api.verify(
        verification, "212-555-2368", api.code_of("+12125552368"), country="US"
    )

    assert answer.json["user"]["phone"] == "+12125552368"
