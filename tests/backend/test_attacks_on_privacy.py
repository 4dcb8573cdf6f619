"""Attacks that ask, trick and dodge: A08, A09 and A12 to A15."""

from typing import Any

import pytest

from tests.backend.api import (
    OTHER_PHONE,
    PEER,
    PHONE,
    REFUSING,
    Answer,
    Api,
    assert_problem,
    phones,
    without_request_id,
)
from tests.backend.attacks import DAY, address
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service

SHOP, EVIL = "https://shop.example", "https://evil.example"
# Both end in the same digits, as answers show the last two.
CUSTOMER, NOBODY = PHONE, OTHER_PHONE[:-2] + PHONE[-2:]

# One number, as people and attackers write it.
SPELLINGS = (
    "+919876543210",
    "919876543210",
    "00919876543210",
    "09876543210",
    "9876543210",
    "+91 98765 43210",
    "+91-98765-43210",
    "+91 (98765) 43.210",
    "tel:+919876543210",
    "+९१९८७६५४३२१०",
    "+９１９８７６５４３２１０",
    "+91\u200b9876543210",
    "+919876543210;ext=5",
    "+91987654321O",
)


def told(answer: Answer) -> tuple[int, Any, list[str]]:
    """Everything of an answer but what is random in it."""
    body = without_request_id(answer)
    body.pop("verification_id", None)
    names = sorted(name for name, _ in answer.headers)
    return answer.status_code, body, names


@pytest.fixture
def customer(api: Api) -> Api:
    """A service with a customer, whose login is so long ago that no limit shows it."""
    api.login(CUSTOMER)
    api.clock.advance(3 * DAY)
    api.settle()
    return api


def test_a08_a_customer_and_a_stranger_are_answered_with_equal_bodies(
    customer: Api,
) -> None:
    """To sends, wrong codes, resends, statuses; of time ``make attack`` tells."""
    api = customer
    steps: dict[str, list[Any]] = {CUSTOMER: [], NOBODY: []}
    for phone, answers in steps.items():
        peer = address(len(steps[CUSTOMER]))
        sent = api.send(phone, peer=peer)
        verification = sent.json["verification_id"]
        answers += [
            told(sent),
            told(api.status(verification)),
            told(api.verify(verification, phone, api.wrong_code_of(phone), peer=peer)),
            told(api.send(phone, peer=peer)),
            told(api.send(phone, peer=peer, verification_id=verification)),
            told(api.verify("A" * 16 + "l" + "A" * 26, phone, "123456", peer=peer)),
        ]

    assert [it[0] for it in steps[CUSTOMER]] == [202, 200, 400, 429, 429, 410]
    assert steps[CUSTOMER] == steps[NOBODY]


def test_a09_without_its_id_a_verification_is_nothing_and_ids_cannot_be_guessed(
    api: Api,
) -> None:
    verification = api.start(PHONE)
    # The phone's own beginning with another random part of 128 bits, and no phone's.
    near, far = verification[:21] + "A" * 22, "A" * 16 + "l" + "A" * 26
    assert len(verification) == 43

    answers = [api.status(it) for it in (near, far)]

    assert told(answers[0]) == told(answers[1])
    assert answers[0].json["state"] == "none"


def test_a09_by_phone_only_services_with_the_scope_for_it_may_ask(api: Api) -> None:
    api.start(PHONE)
    service = Service(api, scopes=("otp:send",)).token()
    path = f"/api/otp-status/{PHONE}"

    assert api.call("GET", path).status_code == 401
    assert api.bearing(service, "GET", path).status_code == 403


def test_a09_a_status_holds_no_number_no_code_and_no_vendors_id(api: Api) -> None:
    verification = api.start(PHONE)

    text = api.status(verification).text

    assert PHONE[-4:] not in text
    assert api.code_of(PHONE) not in text
    assert "twilio" not in text


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"],
)
def test_a12_no_page_logs_its_visitor_in_as_somebody_else_by_a_form(
    make_api: MakeApi, content_type: str
) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    verification, code = api.start(PHONE, origin=SHOP), api.code_of(PHONE)
    body = (
        f'{{"verification_id": "{verification}", "phone": "{PHONE}",'
        f' "otp": "{code}", "session": "cookie"}}'
    )

    answer = api.call(
        "POST", "/api/verify-otp", data=body, content_type=content_type, origin=EVIL
    )

    assert_problem(answer, 415, "unsupported_media_type")
    assert "Set-Cookie" not in answer.headers


def test_a12_nor_by_a_script_as_browsers_ask_first_and_are_told_no(
    make_api: MakeApi,
) -> None:
    """And a code that the storefront asked for is gone anywhere else."""
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    verification, code = api.start(PHONE, origin=SHOP), api.code_of(PHONE)

    asked = api.call(
        "OPTIONS",
        "/api/verify-otp",
        origin=EVIL,
        headers={
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    answer = api.verify(verification, PHONE, code, origin=EVIL, session="cookie")

    assert "Access-Control-Allow-Origin" not in asked.headers
    assert answer.status_code in {410, 422}
    assert "Set-Cookie" not in answer.headers


def test_a12_a_session_in_a_cookie_is_of_no_use_to_other_sites(
    make_api: MakeApi,
) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP)
    verification = api.start(PHONE, origin=SHOP)

    answer = api.verify(
        verification, PHONE, api.code_of(PHONE), origin=SHOP, session="cookie"
    )

    cookie = answer.headers["Set-Cookie"]
    assert "SameSite=Strict" in cookie
    assert cookie.startswith("__Host-")


def test_a13_the_text_says_whose_the_code_is_and_for_which_site(
    make_api: MakeApi,
) -> None:
    """Relayed in person, a code cannot be told from one that is typed.

    What is left is to warn, and that browsers fill it in on the right site alone.
    """
    api = make_api(BRAND_NAME="Corner Shop", AUTOFILL_HOST="shop.example")
    api.start(PHONE)
    code = api.code_of(PHONE)

    (message,) = api.simulator.messages(to=PHONE)

    assert message.text == (
        f"{code} is your Corner Shop code. It expires in 5 minutes."
        f" Don't share it with anyone.\n\n@shop.example #{code}"
    )


@pytest.mark.parametrize(
    "name",
    ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "X-Client-IP"],
)
def test_a14_headers_buy_nobody_another_address(make_api: MakeApi, name: str) -> None:
    api = make_api(SENDS_PER_IP="2/10m", RULE_MODES=REFUSING)

    answers = [
        api.send(phone, headers={name: f"for=203.0.113.{it}, 203.0.113.{it}"})
        for it, phone in enumerate(phones(4))
    ]

    assert [it.status_code for it in answers] == [202, 202, 429, 429]


@pytest.mark.parametrize("proxies", [f"{PEER}, 10.0.0.0/8", "2"])
def test_a14_behind_proxies_what_clients_claim_does_not_count(
    make_api: MakeApi, proxies: str
) -> None:
    """Two hops are ours. What stands before the address that they saw is made up."""
    api = make_api(SENDS_PER_IP="1/10m", TRUSTED_PROXIES=proxies, RULE_MODES=REFUSING)
    first, second, third = phones(3)

    def send(phone: str, chain: str) -> int:
        return api.send(phone, headers={"X-Forwarded-For": chain}).status_code

    assert send(first, "192.0.2.1, 203.0.113.9, 10.0.0.2") == 202
    assert send(second, "192.0.2.2, 203.0.113.9, 10.0.0.2") == 429
    assert send(third, "192.0.2.2, 203.0.113.10, 10.0.0.2") == 202


def test_a14_an_ipv6_subscriber_is_one_and_so_is_a_48(make_api: MakeApi) -> None:
    api = make_api(
        SENDS_PER_IP="1/10m",
        SENDS_PER_NETWORK="2/10m",
        RULE_MODES=f"{REFUSING}, sends_per_network=block",
    )
    peers = ["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:3::1", "2001:db8:1:4::1"]

    answers = [
        api.send(phone, peer=peer) for phone, peer in zip(phones(4), peers, strict=True)
    ]

    limits = [it.json.get("limit") for it in answers]
    assert limits == [None, "sends_per_ip", None, "sends_per_network"]


def test_a15_no_spelling_of_a_number_gets_a_text_of_its_own(api: Api) -> None:
    answers = [
        api.send(it, peer=address(number), country="IN")
        for number, it in enumerate(SPELLINGS)
    ]

    assert len(api.simulator.messages()) == 1
    assert {it.status_code for it in answers} <= {202, 422, 429}
    # What is read at all is read as the same number, which has to wait.
    assert {it.json["limit"] for it in answers if it.status_code == 429} == {
        "resend_cooldown"
    }
    assert [it.status_code for it in answers].count(429) >= 6


@pytest.mark.parametrize(
    ("country", "first", "other"),
    [
        ("AR", "+54 9 11 2345 6789", "+54 11 2345 6789"),
        ("MX", "+52 55 1234 5678", "+52 1 55 1234 5678"),
    ],
)
def test_a15_nor_do_the_other_digits_of_one_handset(
    make_api: MakeApi, country: str, first: str, other: str
) -> None:
    api = make_api(ALLOWED_COUNTRIES=f"IN, {country}")

    assert api.send(first).status_code == 202
    assert_problem(api.send(other, peer=address(1)), 429, "rate_limited")
    assert len(api.simulator.messages()) == 1
