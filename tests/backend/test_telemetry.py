"""Request ids, log lines and metrics."""

import json
import re
from typing import Any, get_args

import pytest

from backend.metrics import Metrics, RequestServed
from backend.telemetry import _NAMES
from services import abuse_events, events, routing_events
from tests.backend.api import OTHER_PHONE, PEER, PHONE, Api
from tests.backend.conftest import MakeApi

PROXY_ID = "edge-0123456789abcdef"


def lines_of(api: Api) -> list[dict[str, Any]]:
    return [json.loads(line) for line in api.log.getvalue().splitlines()]


def metrics_of(api: Api) -> dict[str, float]:
    text = api.telemetry.metrics.render().decode()
    samples = (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    return {name: float(value) for name, value in samples}


def test_every_request_has_an_id_of_its_own(api: Api) -> None:
    ids = [api.call("GET", "/livez").headers["X-Request-Id"] for _ in range(10)]

    assert len(set(ids)) == 10
    assert all(re.fullmatch("[0-9a-f]{24}", it) for it in ids)


def test_a_proxy_of_ours_may_name_the_request(make_api: MakeApi) -> None:
    api = make_api(TRUSTED_PROXIES=PEER)

    answer = api.call("GET", "/livez", headers={"X-Request-Id": PROXY_ID})

    assert answer.headers["X-Request-Id"] == PROXY_ID


def test_nobody_else_may(api: Api) -> None:
    answer = api.call("GET", "/livez", headers={"X-Request-Id": PROXY_ID})

    assert answer.headers["X-Request-Id"] != PROXY_ID


@pytest.mark.parametrize(
    "offered",
    [
        "",
        "short",
        "a" * 65,
        "has space in the middle",
        "919876543210919876",
        "é" * 20,
        '{"event":"forged_line"}',
        "\x1b[31mred-and-long-enough",
    ],
)
def test_an_odd_id_is_not_taken_over(make_api: MakeApi, offered: str) -> None:
    api = make_api(TRUSTED_PROXIES=PEER)

    answer = api.call("GET", "/livez", headers={"X-Request-Id": offered})

    assert re.fullmatch("[0-9a-f]{24}", answer.headers["X-Request-Id"])


def test_the_lines_of_a_request_carry_its_id(api: Api) -> None:
    answer = api.send(PHONE)

    lines = lines_of(api)
    assert [it["event"] for it in lines] == [
        "provider_called",
        "verification_started",
        "request_served",
    ]
    assert {it["request_id"] for it in lines} == {answer.headers["X-Request-Id"]}
    assert all({"time", "level"} <= set(it) for it in lines)


def test_a_failover_can_be_followed_in_the_log(api: Api) -> None:
    api.simulator.add_rule("status", provider="twilio", status=503)

    api.send(PHONE)

    calls = [it for it in lines_of(api) if it["event"] == "provider_called"]
    assert [(it["provider"], it["outcome"], it["vendor_code"]) for it in calls] == [
        ("twilio", "transient", "20503"),
        ("fast2sms", "accepted", ""),
    ]
    (started,) = [it for it in lines_of(api) if it["event"] == "verification_started"]
    assert (started["provider"], started["attempt"], started["resend"]) == (
        "fast2sms",
        1,
        False,
    )


def test_a_check_is_told_with_its_outcome(api: Api) -> None:
    verification = api.start(PHONE)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.verify(verification, PHONE, api.code_of(PHONE))
    api.verify(verification, PHONE, api.code_of(PHONE))

    checks = [it for it in lines_of(api) if it["event"] == "code_checked"]

    assert [(it["outcome"], it["evaluated"], it["attempts_left"]) for it in checks] == [
        ("wrong", True, 4),
        ("verified", True, 3),
        ("gone", False, 3),
    ]


def test_nothing_that_a_caller_sends_breaks_a_line(api: Api) -> None:
    nasty = '\r\n{"event":"forged"}\x1b[2J\u2028'
    api.call("GET", f"/{nasty}")
    api.call("GET", f"/api/otp-status/{nasty}")
    unknown: dict[str, Any] = {nasty: nasty}
    api.send(nasty, country=nasty, locale=nasty, **unknown)
    api.call("GET", "/livez", headers={"User-Agent": nasty.replace("\r\n", "")})

    lines = lines_of(api)

    assert len(lines) == 4
    assert {it["event"] for it in lines} == {"request_served"}
    assert b"forged" not in api.log.getvalue()


def test_requests_are_counted_by_route_and_never_by_path(api: Api) -> None:
    verification = api.start(PHONE)
    api.status(verification)
    api.call("GET", f"/{PHONE}")
    api.call("BREW", "/livez")

    metrics = metrics_of(api)

    route = "/api/otp-status/<verification_id>"
    assert metrics[f'http_requests_total{{method="GET",route="{route}",status="200"}}']
    assert metrics['http_requests_total{method="GET",route="none",status="404"}'] == 1
    assert metrics['http_requests_total{method="other",route="none",status="405"}'] == 1
    assert metrics[f'http_request_seconds_count{{route="{route}"}}'] == 1


def test_sends_checks_refusals_and_vendors_are_counted(api: Api) -> None:
    api.simulator.add_rule("status", provider="twilio", status=503, times=1)
    verification = api.start(PHONE)
    api.send(PHONE)
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    api.verify(verification, PHONE, api.code_of(PHONE))
    api.simulator.add_rule("error", provider="twilio", code=21211)
    api.send(OTHER_PHONE)

    metrics = metrics_of(api)

    assert metrics['otp_sends_total{outcome="accepted",provider="fast2sms"}'] == 1
    assert metrics['otp_sends_total{outcome="recipient",provider="none"}'] == 1
    assert metrics['otp_checks_total{outcome="wrong",purpose="login"}'] == 1
    assert metrics['otp_checks_total{outcome="verified",purpose="login"}'] == 1
    assert metrics['limit_refusals_total{action="send",limit="resend_cooldown"}'] == 1
    for outcome in ("transient", "recipient"):
        labels = f'country="IN",outcome="{outcome}",provider="twilio"'
        assert metrics[f"sms_provider_calls_total{{{labels}}}"] == 1
    assert metrics['sms_provider_seconds_count{provider="twilio"}'] == 2
    assert metrics['redis_seconds_count{outcome="ok",script="start"}'] == 3


def test_an_open_breaker_shows(api: Api) -> None:
    api.simulator.add_rule("error", provider="twilio", code=20003)

    api.send(PHONE)

    assert metrics_of(api)['sms_breaker_state{country="",provider="twilio"}'] == 2


def test_sends_take_two_round_trips_checks_two_or_three(api: Api) -> None:
    def trips() -> float:
        return sum(
            count
            for name, count in metrics_of(api).items()
            if name.startswith("redis_seconds_count")
        )

    began = trips()  # The signing keys are read at the start.
    verification = api.start(PHONE)
    sent = trips()
    api.status(verification)
    asked = trips()
    api.verify(verification, PHONE, api.wrong_code_of(PHONE))
    missed = trips()
    api.verify(verification, PHONE, api.code_of(PHONE))

    assert (sent - began, asked - sent, missed - asked) == (2, 1, 3)
    assert trips() - missed == 2


def test_every_event_is_named_and_counted() -> None:
    kinds = {*get_args(events.Event), RequestServed}

    assert kinds == set(Metrics()._takers)
    # Every worker measures every few seconds: that is shown and not logged.
    measured = {routing_events.VendorMeasured, abuse_events.AbuseMeasured}
    assert kinds == {*_NAMES, *measured}
