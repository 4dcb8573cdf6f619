"""The old number is told when an account moves to another."""

import re

import pytest

from backend.composition.checked_settings import configured_providers
from backend.composition.delivery import carriers_of
from tests.backend.api import OTHER_PHONE, PHONE, Api
from tests.backend.conftest import MakeApi

TEXT = (
    "QuickCart: the phone number of your account was changed to one ending in 78. If"
    " this was not you, contact us."
)


def move(api: Api, old: str = PHONE, new: str = OTHER_PHONE) -> None:
    login = api.login(old)
    verification = api.start(new, purpose="change")
    moved = api.change_phone(login, verification, new, api.code_of(new))
    assert moved.status_code == 200, moved.text


def notices_to(api: Api, phone: str) -> list[str]:
    texts = [it.text for it in api.simulator.messages(to=phone)]
    return [it for it in texts if "account" in it]


def outcomes(api: Api) -> dict[str, float]:
    metrics = api.telemetry.metrics.render().decode()
    found = re.findall(
        r'^notices_total{country="(.*?)",outcome="(.*?)",provider="(.*?)"} (.*)$',
        metrics,
        re.MULTILINE,
    )
    return {" ".join(labels): float(count) for *labels, count in found}


def test_the_old_number_is_told_after_the_answer(api: Api) -> None:
    move(api)
    assert notices_to(api, PHONE) == []

    api.settle()

    assert notices_to(api, PHONE) == [TEXT]
    assert notices_to(api, OTHER_PHONE) == []
    assert outcomes(api) == {"IN accepted twilio": 1.0}


def test_a_notice_looks_like_no_code(make_api: MakeApi) -> None:
    api = make_api(AUTOFILL_HOST="shop.example")
    move(api)

    api.settle()

    (text,) = notices_to(api, PHONE)
    assert not re.search(r"[0-9]{4}|#|@|code", text)


def test_a_notice_names_no_number_anywhere(api: Api) -> None:
    move(api)

    api.settle()

    log = api.log.getvalue().decode()
    assert '"event":"notice_sent"' in log
    assert PHONE[3:] not in log
    assert OTHER_PHONE[3:] not in log
    assert "ending" not in log


def test_one_vendor_after_another_is_asked(make_api: MakeApi) -> None:
    api = make_api(FAST2SMS_ROUTE="q")
    move(api)
    api.simulator.add_rule("status", provider="twilio", status=503)

    api.settle()

    assert notices_to(api, PHONE)[-1] == TEXT
    assert outcomes(api) == {"IN accepted fast2sms": 1.0}


@pytest.mark.parametrize(
    "route",
    [
        {"FAST2SMS_ROUTE": "otp"},
        {
            "FAST2SMS_ROUTE": "dlt",
            "FAST2SMS_SENDER_ID": "QKCART",
            "FAST2SMS_MESSAGE_ID": "111111",
        },
    ],
)
def test_a_vendor_that_words_its_texts_itself_gets_none(
    make_api: MakeApi, route: dict[str, str]
) -> None:
    api = make_api(**route)
    move(api)
    api.simulator.add_rule("status", provider="twilio", status=503)
    before = len(api.simulator.messages(to=PHONE))

    api.settle()

    assert [it.provider for it in api.simulator.messages(to=PHONE)[before:]] == [
        "twilio"
    ]
    assert list(outcomes(api)) == ["IN transient none"]


def test_a_phone_gets_one_notice_an_hour_and_no_send_is_counted(api: Api) -> None:
    move(api)
    api.clock.advance(601)
    move(api, OTHER_PHONE, PHONE)
    api.clock.advance(601)
    move(api)
    api.settle()

    assert len(notices_to(api, PHONE)) == 1
    assert len(notices_to(api, OTHER_PHONE)) == 1
    assert outcomes(api) == {"IN accepted twilio": 2.0, "IN limited none": 1.0}

    # The window moves on in steps of a tenth.
    api.clock.advance(3_960)
    move(api, OTHER_PHONE, PHONE)
    api.settle()

    assert len(notices_to(api, OTHER_PHONE)) == 2


def test_a_notice_takes_nothing_of_what_a_phone_may_be_sent(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_PHONE="2/1h")
    move(api)
    api.settle()
    api.clock.advance(60)

    assert api.send(PHONE).status_code == 202
    api.clock.advance(120)
    assert api.send(PHONE).status_code == 429


def test_a_test_number_gets_none(make_development: MakeApi) -> None:
    api = make_development(
        TEST_NUMBERS="+919000000001-+919000000009:424242",
        TEST_NUMBERS_UNTIL="2099-01-01",
    )
    verification = api.start("+919000000001")
    login = api.verify(verification, "+919000000001", "424242").json
    verification = api.start(OTHER_PHONE, purpose="change")
    code = api.code_of(OTHER_PHONE)
    assert api.change_phone(login, verification, OTHER_PHONE, code).status_code == 200

    api.settle()

    assert api.simulator.messages(to="+919000000001") == []
    assert outcomes(api) == {"IN test none": 1.0}


def test_the_developers_terminal_shows_a_notice(
    make_development: MakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api = make_development()
    move(api)
    api.simulator.add_rule("status", status=503)

    api.settle()

    assert capsys.readouterr().err.endswith(f"SMS to {PHONE}: {TEXT}\n")


@pytest.mark.parametrize(
    ("body", "carries"),
    [(None, True), ('{"msg": "{text}"}', True), ('{"otp": "{code}"}', False)],
)
def test_a_gateway_that_is_sent_no_text_gets_no_notice(
    make_api: MakeApi, body: str | None, *, carries: bool
) -> None:
    api = make_api(
        WEBHOOK_URL="https://sms.example/send",
        WEBHOOK_SECRET="whsec_" + "A" * 43 + "=",
        WEBHOOK_BODY=body,
    )

    carriers = carriers_of(api.settings, configured_providers(api.settings))

    assert carriers == {"twilio"} | ({"webhook"} if carries else set())
