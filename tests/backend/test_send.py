"""POST /api/send-otp: what is answered, what is sent, and when it is refused."""

import pytest

from tests.backend.api import OTHER_PHONE, PHONE, REFUSING, Api, phones
from tests.backend.conftest import MakeApi

NO_CHANNEL = {"allowed": False, "retry_in": None}
PHONES = phones(20)


def test_a_send_is_accepted_with_every_field_of_the_contract(api: Api) -> None:
    answer = api.send(PHONE)

    assert answer.status_code == 202
    body = dict(answer.json)
    assert len(body.pop("verification_id")) == 43
    assert body == {
        "phone": "+91********10",
        "purpose": "login",
        "channel": "sms",
        "expires_in": 300,
        "code_length": 6,
        "attempts_left": 5,
        "delivery": {"status": "accepted", "channel": "sms", "attempt": 1},
        "next": {
            "sms": {"allowed": True, "retry_in": 30},
            "whatsapp": NO_CHANNEL,
            "voice": NO_CHANNEL,
            "check": {"allowed": True, "retry_in": 0},
        },
    }


def test_the_text_reaches_the_phone_once_over_the_first_vendor(api: Api) -> None:
    api.send(PHONE)

    (message,) = api.simulator.messages()
    assert (message.to, message.provider) == (PHONE, "twilio")
    assert message.text.startswith(f"{api.code_of(PHONE)} is your QuickCart code.")


def test_brand_and_autofill_line_are_in_the_text(make_api: MakeApi) -> None:
    api = make_api(BRAND_NAME="Corner Shop", AUTOFILL_HOST="shop.example")

    api.send(PHONE)

    (message,) = api.simulator.messages()
    assert "Corner Shop" in message.text
    assert message.text.endswith(f"\n\n@shop.example #{api.code_of(PHONE)}")


@pytest.mark.parametrize(
    ("spelling", "country"),
    [
        ("9876543210", None),
        ("09876543210", None),
        ("+91 98765 43210", None),
        ("+91-98765-43210", None),
        ("+91 (98765) 43.210", None),
        ("9876543210", "IN"),
    ],
)
def test_every_spelling_is_the_one_number(
    api: Api, spelling: str, country: str | None
) -> None:
    answer = api.send(spelling, country=country)

    assert answer.status_code == 202
    assert [it.to for it in api.simulator.messages()] == [PHONE]
    # The next send meets the cooldown, however the number is spelled.
    assert api.send(PHONE).status_code == 429


def test_the_country_applies_to_numbers_without_one(make_api: MakeApi) -> None:
    api = make_api(ALLOWED_COUNTRIES="IN, US")

    answer = api.send("(212) 555-2368", country="US")

    assert answer.status_code == 202
    assert [it.to for it in api.simulator.messages()] == ["+12125552368"]


def test_all_optional_fields_are_taken(api: Api) -> None:
    answer = api.send(
        PHONE,
        country="IN",
        channel="sms",
        purpose="verify",
        locale="en-IN",
        client="web",
        verification_id=None,
    )

    assert answer.status_code == 202
    assert answer.json["purpose"] == "verify"


def test_the_callers_own_limits_stand_in_headers(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="10/10m, 30/1h")

    answer = api.send(PHONE)

    assert answer.headers["RateLimit-Policy"] == (
        '"sends_per_ip_600";q=10;w=600, "sends_per_ip_3600";q=30;w=3600'
    )
    first, second = answer.headers["RateLimit"].split(", ")
    assert first.startswith('"sends_per_ip_600";r=9;t=')
    assert second.startswith('"sends_per_ip_3600";r=29;t=')


def test_a_second_send_has_to_wait_out_the_cooldown(api: Api) -> None:
    api.start(PHONE)

    refused = api.send(PHONE)

    assert refused.status_code == 429
    assert refused.json["code"] == "rate_limited"
    assert refused.json["limit"] == "resend_cooldown"
    assert refused.json["retry_after"] == 30
    assert refused.headers["Retry-After"] == "30"
    assert refused.json["next"]["sms"] == {"allowed": True, "retry_in": 30}
    assert len(api.simulator.messages()) == 1


def test_who_waits_as_long_as_told_is_not_refused(api: Api) -> None:
    api.start(PHONE)
    wait = api.send(PHONE).json["retry_after"]

    api.clock.advance(wait)

    assert api.send(PHONE).status_code == 202


def test_the_cooldown_grows_rung_by_rung(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_PHONE="100/24h", SENDS_PER_IP="off")
    waits = []
    for _ in range(6):
        waits.append(api.send(PHONE).json["next"]["sms"]["retry_in"])
        api.clock.advance(waits[-1])

    assert waits == [30, 60, 120, 300, 300, 300]


def test_a_phone_gets_three_texts_in_ten_minutes(api: Api) -> None:
    for wait in (30, 60, 120):
        api.start(PHONE)
        api.clock.advance(wait)

    refused = api.send(PHONE)

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_per_phone")
    # Ten minutes from the first of the three, 210 s of which are over.
    assert refused.json["retry_after"] in (389, 390)
    assert len(api.simulator.messages(to=PHONE)) == 3


def test_other_phones_are_not_held_up(api: Api) -> None:
    api.start(PHONE)

    assert api.send(OTHER_PHONE).status_code == 202


def test_an_address_is_limited_across_phones(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="3/10m", RULE_MODES=REFUSING)
    for phone in PHONES[:3]:
        api.start(phone)

    refused = api.send(PHONES[3])
    elsewhere = api.send(PHONES[4], peer="203.0.113.9")

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_per_ip")
    assert refused.headers["Retry-After"] == str(refused.json["retry_after"])
    wait = refused.json["retry_after"]
    assert refused.json["next"]["sms"] == {"allowed": True, "retry_in": wait}
    assert refused.json["next"]["check"]["allowed"] is False
    assert elsewhere.status_code == 202
    assert not api.simulator.messages(to=PHONES[3])


def test_neighbouring_numbers_are_limited_together(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_PREFIX="2/10m", RULE_MODES=REFUSING)
    api.start("+919876540001")
    api.start("+919876540002")

    refused = api.send("+919876540003")

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_per_prefix")


def test_all_senders_together_are_limited(make_api: MakeApi) -> None:
    api = make_api(SENDS_GLOBAL="2/1h")
    api.start(PHONES[0], peer="203.0.113.1")
    api.start(PHONES[1], peer="203.0.113.2")

    refused = api.send(PHONES[2], peer="203.0.113.3")

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_global")


def test_a_limit_met_by_one_is_not_taken_from_the_others(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="2/10m", SENDS_GLOBAL="3/1h", RULE_MODES=REFUSING)
    api.start(PHONES[0])
    api.start(PHONES[1])
    for phone in PHONES[2:8]:
        assert api.send(phone).json["limit"] == "sends_per_ip"

    assert api.send(PHONES[8], peer="203.0.113.9").status_code == 202


def test_the_number_is_masked_in_the_answer(api: Api) -> None:
    assert PHONE[3:] not in api.send(PHONE).text


def test_the_code_is_not_in_the_answer(api: Api) -> None:
    answer = api.send(PHONE)

    assert api.code_of(PHONE) not in answer.text
    assert api.code_of(PHONE) not in str(answer.headers)


def test_test_numbers_take_their_code_and_get_no_text(
    make_development: MakeApi,
) -> None:
    api = make_development(
        TEST_NUMBERS="+15550100000-+15550199999:246802",
        TEST_NUMBERS_UNTIL="2100-01-01",
    )

    answer = api.send("+1 555 010 0007")
    won = api.verify(answer.json["verification_id"], "+15550100007", "246802")

    assert answer.status_code == 202
    assert answer.json["delivery"] == {"status": "test", "channel": "sms", "attempt": 1}
    assert won.status_code == 200
    assert api.simulator.messages() == []


def test_test_numbers_end_with_their_last_day(make_development: MakeApi) -> None:
    api = make_development(
        TEST_NUMBERS="+15550100000-+15550199999:246802",
        TEST_NUMBERS_UNTIL="2027-01-14",  # The fake clock starts a day later.
    )

    answer = api.send("+15550100007")

    assert (answer.status_code, answer.json["code"]) == (422, "phone_invalid")


def test_test_numbers_are_sent_to_without_end(make_development: MakeApi) -> None:
    api = make_development(
        TEST_NUMBERS="+15550100000-+15550199999:246802",
        TEST_NUMBERS_UNTIL="2100-01-01",
    )

    assert {api.send("+15550100007").status_code for _ in range(20)} == {202}
