"""What rules match, and what each action does to a send."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.simulator import Action, RuleRefused, Simulator
from tests.simulator_tests.clients import PHONE, Fast2SmsClient, TwilioClient, connected

OTHER_PHONE = "+918765432109"


def test_error_answers_as_the_vendor_would(
    simulator: Simulator, twilio: TwilioClient, fast2sms: Fast2SmsClient
) -> None:
    simulator.add_rule("error", provider="twilio", code=21408)
    simulator.add_rule("error", provider="fast2sms", code=416)

    geo, balance = twilio.send(), fast2sms.send()

    assert (geo.status_code, geo.json()["code"]) == (400, 21408)
    assert PHONE in geo.json()["message"]
    assert (balance.status_code, balance.json()["status_code"]) == (400, 416)
    assert [m.outcome for m in simulator.messages()] == ["refused", "refused"]


def test_status_has_the_vendors_own_body(
    simulator: Simulator, twilio: TwilioClient, fast2sms: Fast2SmsClient
) -> None:
    simulator.add_rule("status", status=429, retry_after_seconds=7)

    by_twilio, by_fast2sms = twilio.send(), fast2sms.send()

    assert by_twilio.status_code == by_fast2sms.status_code == 429
    assert by_twilio.headers["Retry-After"] == "7"
    assert by_twilio.json()["code"] == 20429
    assert by_fast2sms.json() == {"message": "Too Many Attempts."}


@pytest.mark.parametrize("status", [400, 499, 500, 503, 599])
def test_status_may_be_any_failure(
    simulator: Simulator, twilio: TwilioClient, status: int
) -> None:
    simulator.add_rule("status", status=status)

    assert twilio.send().status_code == status


def test_wait_delays_one_request_and_no_other(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("wait", seconds=0.3, times=1)

    with ThreadPoolExecutor() as pool:
        began = time.monotonic()
        slow = pool.submit(twilio.send)
        while not simulator.messages():
            time.sleep(0.001)
        quick_status = twilio.send().status_code
        quick_seconds = time.monotonic() - began
        slow_status = slow.result().status_code
        slow_seconds = time.monotonic() - began

    assert (slow_status, quick_status) == (201, 201)
    assert quick_seconds < 0.3 <= slow_seconds


def test_hundreds_of_requests_wait_together(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("wait", seconds=0.2)

    with ThreadPoolExecutor(100) as pool:
        began = time.monotonic()
        responses = list(pool.map(lambda _: twilio.send(), range(200)))
        seconds = time.monotonic() - began

    assert {response.status_code for response in responses} == {201}
    assert seconds < 4  # one after the other they would take 40


def test_a_delay_comes_before_any_action(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("status", status=503, seconds=0.1)

    response = twilio.send()

    assert response.status_code == 503
    assert response.elapsed.total_seconds() >= 0.1


def test_hang_never_answers(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("hang")

    twilio.timeout_seconds = 0.1
    with pytest.raises(requests.ReadTimeout):
        twilio.send()

    (message,) = simulator.messages()
    assert (message.outcome, message.http_status) == ("lost", None)


def test_drop_before_resets_and_sends_nothing(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("drop_before")

    with pytest.raises(requests.ConnectionError, match="reset"):
        twilio.send()

    assert [m.outcome for m in simulator.messages()] == ["lost"]


def test_drop_after_accepting_resets_but_the_text_is_out(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("drop_after_accepting")

    with pytest.raises(requests.ConnectionError, match="reset"):
        twilio.send()

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.id is not None
    assert message.http_status is None


def test_html_502_is_a_proxys_page(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("html_502")

    response = twilio.send()

    assert response.status_code == 502
    assert response.headers["Content-Type"] == "text/html"
    assert "Bad Gateway" in response.text


def test_not_json_looks_like_success(
    simulator: Simulator, twilio: TwilioClient, fast2sms: Fast2SmsClient
) -> None:
    simulator.add_rule("not_json")

    by_twilio, by_fast2sms = twilio.send(), fast2sms.send()

    assert (by_twilio.status_code, by_fast2sms.status_code) == (201, 200)
    with pytest.raises(requests.JSONDecodeError):
        by_twilio.json()


def test_redirect_points_elsewhere(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("redirect", times=1)
    simulator.add_rule("redirect", location="http://127.0.0.1:9/trap")

    default, chosen = twilio.send(), twilio.send()

    assert default.status_code == chosen.status_code == 302
    assert default.headers["Location"] == "https://elsewhere.invalid/"
    assert chosen.headers["Location"] == "http://127.0.0.1:9/trap"


def test_huge_is_ten_megabytes(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("huge")

    response = twilio.send()

    assert response.status_code == 201
    assert len(response.content) == 10 * 1024 * 1024


def test_drip_gives_one_byte_and_takes_its_time(simulator: Simulator) -> None:
    simulator.add_rule("drip")

    with connected(simulator) as connection:
        connection.settimeout(0.2)
        connection.sendall(b"POST /dev/bulkV2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        first = connection.recv(100)
        with pytest.raises(TimeoutError):
            connection.recv(100)

    assert first == b"H"


def test_a_rule_outranks_the_vendors_own_checks(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    """An outage does not look at credentials first."""
    simulator.add_rule("status", status=500)

    assert twilio.send(auth_token="wrong").status_code == 500


def test_a_text_the_vendor_refuses_is_not_accepted_by_dropping_it(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("drop_after_accepting")

    with pytest.raises(requests.ConnectionError):
        twilio.send(Body="")

    assert [m.outcome for m in simulator.messages()] == ["refused"]


def test_rules_match_by_provider(
    simulator: Simulator, twilio: TwilioClient, fast2sms: Fast2SmsClient
) -> None:
    simulator.add_rule("status", provider="twilio", status=500)

    assert twilio.send().status_code == 500
    assert fast2sms.send().status_code == 200


def test_rules_match_by_number_in_any_vendors_spelling(
    simulator: Simulator, twilio: TwilioClient, fast2sms: Fast2SmsClient
) -> None:
    simulator.add_rule("status", to=PHONE, status=500)

    assert twilio.send(To=PHONE).status_code == 500
    assert fast2sms.send(numbers=PHONE[3:]).status_code == 500
    assert twilio.send(To=OTHER_PHONE).status_code == 201


def test_rules_match_by_the_start_of_a_number(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    simulator.add_rule("status", to_prefix="+9198", status=500)

    assert twilio.send(To=PHONE).status_code == 500
    assert twilio.send(To=OTHER_PHONE).status_code == 201


def test_rules_take_every_nth(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("status", status=500, every=3)

    statuses = [twilio.send().status_code for _ in range(6)]

    assert statuses == [201, 201, 500, 201, 201, 500]


def test_rules_are_spent(simulator: Simulator, twilio: TwilioClient) -> None:
    simulator.add_rule("status", status=500, times=2)

    statuses = [twilio.send().status_code for _ in range(4)]

    assert statuses == [500, 500, 201, 201]


def test_the_first_rule_that_takes_a_send_decides(
    simulator: Simulator, twilio: TwilioClient
) -> None:
    first = simulator.add_rule("status", status=500, times=1)
    second = simulator.add_rule("status", status=503, times=1)

    statuses = [twilio.send().status_code for _ in range(3)]

    assert statuses == [500, 503, 201]
    assert [m.rule for m in simulator.messages()] == [first, second, None]


@pytest.mark.parametrize(
    ("action", "fields", "field"),
    [
        ("explode", {}, "action"),
        ("error", {"code": 21408}, "provider"),
        ("error", {"provider": "twilio"}, "code"),
        ("error", {"provider": "twilio", "code": 411}, "code"),
        ("error", {"provider": "fast2sms", "code": 21408}, "code"),
        ("hang", {"provider": "nexmo"}, "provider"),
        ("hang", {"to": "9876543210"}, "to"),
        ("hang", {"to_prefix": "91"}, "to_prefix"),
        ("hang", {"to": PHONE, "to_prefix": "+91"}, "to_prefix"),
        ("hang", {"every": 0}, "every"),
        ("hang", {"every": True}, "every"),
        ("hang", {"every": None}, "every"),
        ("hang", {"times": 0}, "times"),
        ("hang", {"times": "2"}, "times"),
        ("hang", {"code": 21408}, "code"),
        ("hang", {"status": 500}, "status"),
        ("hang", {"location": "/"}, "location"),
        ("hang", {"retry_after_seconds": 1}, "retry_after_seconds"),
        ("redirect", {"location": "/\r\nX: y"}, "location"),
        ("status", {}, "status"),
        ("status", {"status": 200}, "status"),
        ("wait", {}, "seconds"),
        ("wait", {"seconds": -1}, "seconds"),
        ("wait", {"seconds": float("nan")}, "seconds"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(
    simulator: Simulator, action: Action, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(RuleRefused) as refused:
        simulator.add_rule(action, **fields)  # type: ignore[arg-type]

    assert refused.value.field == field
