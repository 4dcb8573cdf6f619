"""POST /api/send-otp with a verification's id: the same code, once more."""

from tests.backend.api import OTHER_PHONE, PHONE, REFUSING, Api
from tests.backend.conftest import MakeApi

SHOP, OTHER_SHOP = "https://shop.example", "https://other.example"


def test_a_resend_is_the_same_verification_with_the_same_code(api: Api) -> None:
    verification = api.start(PHONE)
    first = api.code_of(PHONE)
    api.clock.advance(30)

    answer = api.send(PHONE, verification_id=verification)

    assert answer.status_code == 202
    assert answer.json["verification_id"] == verification
    assert answer.json["delivery"] == {
        "status": "accepted",
        "channel": "sms",
        "attempt": 2,
    }
    assert api.code_of(PHONE) == first


def test_a_resend_goes_over_another_vendor(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(30)

    api.send(PHONE, verification_id=verification)

    assert api.providers_of(PHONE) == ["twilio", "fast2sms"]


def test_a_resend_has_to_wait_out_the_cooldown(api: Api) -> None:
    verification = api.start(PHONE)

    refused = api.send(PHONE, verification_id=verification)

    assert (refused.status_code, refused.json["limit"]) == (429, "resend_cooldown")
    # The code that was sent may still be typed.
    assert refused.json["next"]["check"] == {"allowed": True, "retry_in": 0}


def test_a_resend_does_not_reset_the_guesses(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(2):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(30)

    answer = api.send(PHONE, verification_id=verification)

    assert answer.json["attempts_left"] == 3
    for left in (2, 1, 0):
        wrong = api.verify(verification, PHONE, api.wrong_code_of(PHONE))
        assert wrong.json["attempts_left"] == left


def test_a_resend_does_not_extend_the_life(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(200)

    answer = api.send(PHONE, verification_id=verification)

    assert answer.json["expires_in"] in (99, 100)
    api.clock.advance(101)
    late = api.verify(verification, PHONE, api.code_of(PHONE))
    assert (late.status_code, late.json["code"]) == (410, "verification_gone")


def test_with_little_life_left_a_new_verification_begins(api: Api) -> None:
    verification = api.start(PHONE)
    api.clock.advance(245)

    answer = api.send(PHONE, verification_id=verification)

    assert answer.status_code == 202
    assert answer.json["verification_id"] != verification
    assert answer.json["expires_in"] == 300
    assert answer.json["attempts_left"] == 5
    new = answer.json["verification_id"]
    assert api.verify(new, PHONE, api.code_of(PHONE)).status_code == 200


def test_a_new_verification_in_place_of_a_resend_keeps_the_purpose(api: Api) -> None:
    verification = api.start(PHONE, purpose="verify")
    api.clock.advance(245)

    answer = api.send(PHONE, verification_id=verification)

    assert answer.json["purpose"] == "verify"


def test_the_phones_own_counts_go_on_in_a_new_verification(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(3):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(245)
    new = api.send(PHONE, verification_id=verification).json["verification_id"]
    for _ in range(2):
        api.verify(new, PHONE, api.wrong_code_of(PHONE))

    # Five wrong codes in a row for this phone, three of them on the old one.
    locked = api.verify(new, PHONE, api.code_of(PHONE))

    assert (locked.status_code, locked.json["code"]) == (429, "phone_locked")


def test_only_a_pending_verification_is_sent_again(api: Api) -> None:
    used = api.start(PHONE)
    api.verify(used, PHONE, api.code_of(PHONE))
    expired = api.start(OTHER_PHONE)
    api.clock.advance(301)

    answers = [
        api.send(PHONE, verification_id=used),
        api.send(OTHER_PHONE, verification_id=expired),
        api.send(PHONE, verification_id=expired),
        api.send(PHONE, verification_id=used[:-1] + ("A" if used[-1] != "A" else "B")),
        api.send(PHONE, verification_id="nonsense"),
    ]

    assert {it.status_code for it in answers} == {410}
    assert {it.json["code"] for it in answers} == {"verification_gone"}
    assert len(api.simulator.messages()) == 2


def test_an_exhausted_verification_is_not_sent_again(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.clock.advance(31)

    answer = api.send(PHONE, verification_id=verification)

    assert (answer.status_code, answer.json["code"]) == (410, "verification_gone")


def test_a_locked_phone_gets_no_text(api: Api) -> None:
    verification = api.start(PHONE)
    for _ in range(5):
        api.verify(verification, PHONE, api.wrong_code_of(PHONE))

    answer = api.send(PHONE)

    assert (answer.status_code, answer.json["code"]) == (429, "phone_locked")
    assert answer.json["retry_after"] in (29, 30)
    assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
    assert answer.json["next"]["sms"]["retry_in"] == answer.json["retry_after"]
    assert len(api.simulator.messages(to=PHONE)) == 1


def test_guesses_stay_the_same_with_and_without_resends(make_api: MakeApi) -> None:
    """The two-arm test (N05): a resend buys no more guesses than waiting does."""
    limits = {"SENDS_PER_PHONE": "100/24h", "LOCK_LADDER": "off"}

    def evaluated(*, resend: bool, phone: str) -> int:
        api = make_api(**limits)
        verification, count = api.start(phone), 0
        for _ in range(12):
            wrong = api.verify(verification, phone, api.wrong_code_of(phone))
            count += wrong.json["code"] == "wrong_code"
            api.clock.advance(15)
            if resend:
                api.send(phone, verification_id=verification)
        return count

    assert evaluated(resend=False, phone=PHONE) == 5
    assert evaluated(resend=True, phone=OTHER_PHONE) == 5


def test_a_resend_costs_a_send_of_every_limit(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="2/10m", RULE_MODES=REFUSING)
    verification = api.start(PHONE)
    api.clock.advance(30)
    api.send(PHONE, verification_id=verification)
    api.clock.advance(60)

    refused = api.send(PHONE, verification_id=verification)

    assert (refused.status_code, refused.json["limit"]) == (429, "sends_per_ip")
    assert refused.json["next"]["check"] == {"allowed": True, "retry_in": 0}


def test_three_verifications_of_a_phone_live_at_a_time(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_PHONE="100/24h", RESEND_COOLDOWNS="15")
    started = []
    for _ in range(4):
        started.append((api.start(PHONE), api.code_of(PHONE)))
        api.clock.advance(15)

    (oldest, code), *others = started

    assert api.verify(oldest, PHONE, code).status_code == 410
    for verification, right in others:
        assert api.verify(verification, PHONE, right).status_code == 200
