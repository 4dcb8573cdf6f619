"""Who does as ``next`` says is never refused: it knows of all limits that bind."""

import pytest

from tests.backend.api import PHONE, REFUSING, UNSUSPECTED, Answer, Api, phones
from tests.backend.conftest import MakeApi


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """The service without the rules that judge by what is typed.

    They judge a send when its code's life is over: no answer can tell that before.
    """
    return make_api(RULE_MODES=UNSUSPECTED)


def wait_for(api: Api, answer: Answer, action: str) -> None:
    """Wait as long as ``answer`` says an action has to."""
    turn = answer.json["next"][action]
    assert turn["allowed"], answer.text
    api.clock.advance(turn["retry_in"])


def test_sends_at_the_told_times_are_never_refused(api: Api) -> None:
    for _ in range(30):
        answer = api.send(PHONE)

        assert answer.status_code == 202, answer.text
        wait_for(api, answer, "sms")


def test_sends_to_many_phones_at_the_told_times_are_never_refused(
    make_api: MakeApi,
) -> None:
    api = make_api(RULE_MODES=f"{REFUSING}, {UNSUSPECTED}")
    for phone in phones(35):
        answer = api.send(phone)
        assert answer.status_code == 202, answer.text

        # The phone's own cooldown, 30 s, is no concern of the next phone's; any longer
        # wait is the address's.
        if answer.json["next"]["sms"]["retry_in"] > 30:
            wait_for(api, answer, "sms")


def test_refusals_tell_the_same_as_what_follows(api: Api) -> None:
    api.start(PHONE)
    for _ in range(12):
        refused = api.send(PHONE)
        assert refused.status_code == 429
        wait_for(api, refused, "sms")

        assert api.send(PHONE).status_code == 202


def test_guesses_at_the_told_times_are_always_evaluated(api: Api) -> None:
    sent = api.send(PHONE)
    for _ in range(20):
        verification = sent.json["verification_id"]
        answer = sent
        while answer.json["next"]["check"]["allowed"]:
            wait_for(api, answer, "check")
            answer = api.verify(verification, PHONE, api.wrong_code_of(PHONE))
            if answer.json["code"] == "verification_gone":
                break  # The lock outlived the code.
            assert answer.json["code"] == "wrong_code", answer.text

        sent = api.send(PHONE)
        if sent.status_code == 429:
            wait_for(api, sent, "sms")
            sent = api.send(PHONE)

        assert sent.status_code == 202, sent.text


def test_a_status_tells_when_the_next_send_is_possible(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(6):
        wait_for(api, api.status(verification), "sms")

        answer = api.send(PHONE)

        assert answer.status_code == 202, answer.text
        verification = answer.json["verification_id"]


def test_after_an_outage_next_knows_the_callers_limits(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="2/10m", RULE_MODES=REFUSING)
    api.simulator.add_rule("status", status=503, times=4)
    api.send(PHONE)
    failed = api.send(PHONE)
    assert failed.status_code == 503

    wait_for(api, failed, "sms")

    assert api.send(PHONE).status_code == 202


def test_during_an_outage_next_and_retry_after_agree(api: Api) -> None:
    api.simulator.add_rule("status", status=503)
    for phone in phones(6):
        failed = api.send(phone)
    assert failed.json["retry_after"] > 1

    assert failed.json["next"]["sms"]["retry_in"] >= failed.json["retry_after"]


def test_the_status_of_a_test_number_knows_that_it_may_always_be_sent_to(
    make_development: MakeApi,
) -> None:
    api = make_development(
        TEST_NUMBERS="+15550100000-+15550199999:246802",
        TEST_NUMBERS_UNTIL="2100-01-01",
    )
    for _ in range(4):
        answer = api.send("+15550100007")

    status = api.status(answer.json["verification_id"])

    assert status.json["next"]["sms"] == answer.json["next"]["sms"]


@pytest.mark.parametrize("path", ["/api/send-otp", "/api/verify-otp"])
def test_where_nothing_is_known_next_does_not_pretend(api: Api, path: str) -> None:
    answer = api.post(path, {"phone": "nonsense"})

    unknown = {"allowed": True, "retry_in": None}
    assert answer.json["next"]["sms"] == answer.json["next"]["check"] == unknown
