"""What is logged and counted of the defence against abuse."""

import json
from dataclasses import replace
from io import BytesIO
from typing import Any, get_args

import pytest

from backend.telemetry import Telemetry
from config.logging import configure_logging
from services.abuse_events import (
    AbuseEvent,
    AbuseMeasured,
    AlertSent,
    ChallengeAsked,
    ChallengeChecked,
    ConversionJudged,
    GuessingChanged,
    MoneyReached,
    PhoneWasDisabled,
    PolicyFollowed,
    SendShadowed,
)

TAG = "phonetagphonetag"
BLOCK = "+9198765****"

JUDGED = ConversionJudged(
    scope="prefix",
    subject=BLOCK,
    country="IN",
    state="blocked",
    cause="few",
    sent=20,
    typed=1,
    seconds=300,
    shadow=False,
)
MONEY = MoneyReached(
    rule="spend_per_caller",
    subject="svc-orders",
    percent=100,
    cap=50.0,
    window_seconds=3_600,
    currency="EUR",
    shadow=False,
)
GUESSING = GuessingChanged(
    escalated=True, wrong_checks=2_001, threshold=2_000, shadow=False
)
MEASURED = AbuseMeasured(
    expected_takeovers=0.004,
    wrong_checks_hour=12,
    escalated=True,
    blocked={"prefix": 3},
)

# An event, the level of its line, and a sample that it makes.
EVERY_EVENT: list[tuple[AbuseEvent, str, str, float]] = [
    (
        SendShadowed("sends_per_ip", "block", "IN", TAG, 0.25),
        "info",
        'shadow_refusals_total{limit="sends_per_ip",verdict="block"}',
        1.0,
    ),
    (
        SendShadowed("sends_per_ip", "block", "IN", TAG, 0.25),
        "info",
        'shadow_money_total{limit="sends_per_ip"}',
        0.25,
    ),
    (
        ChallengeAsked("phones_per_ip", "IN", TAG, 2),
        "info",
        'challenges_asked_total{limit="phones_per_ip"}',
        1.0,
    ),
    (
        ChallengeChecked("altcha", "used", TAG),
        "info",
        'challenges_checked_total{outcome="used",provider="altcha"}',
        1.0,
    ),
    (
        JUDGED,
        "warning",
        'conversion_changes_total{scope="prefix",shadow="false",state="blocked"}',
        1.0,
    ),
    (
        replace(JUDGED, scope="country", subject="IN"),
        "error",
        'conversion_changes_total{scope="country",shadow="false",state="blocked"}',
        1.0,
    ),
    (
        replace(JUDGED, scope="country", subject="IN", shadow=True),
        "warning",
        'conversion_changes_total{scope="country",shadow="true",state="blocked"}',
        1.0,
    ),
    (
        replace(JUDGED, state="challenged"),
        "info",
        'conversion_changes_total{scope="prefix",shadow="false",state="challenged"}',
        1.0,
    ),
    (
        MONEY,
        "error",
        'money_caps_reached_total{percent="100",rule="spend_per_caller",shadow="false"}',
        1.0,
    ),
    (
        replace(MONEY, percent=80),
        "warning",
        'money_caps_reached_total{percent="80",rule="spend_per_caller",shadow="false"}',
        1.0,
    ),
    (GUESSING, "error", "guessing_escalated", 1.0),
    (replace(GUESSING, shadow=True), "warning", "guessing_escalated", 0.0),
    (PhoneWasDisabled(TAG, 100), "warning", "phones_disabled_total", 1.0),
    (
        PolicyFollowed(version=7, rules=18, entries=2),
        "info",
        "abuse_policy_version",
        7.0,
    ),
    (
        PolicyFollowed(version=8, rules=17, entries=2, broken=1),
        "warning",
        "abuse_policy_broken",
        1.0,
    ),
    (
        PolicyFollowed(version=8, rules=17, entries=2, broken=1, lost=True),
        "warning",
        "abuse_policy_broken",
        1.0,
    ),
    (MEASURED, "", "expected_takeovers", 0.004),
    (MEASURED, "", "wrong_checks_hour", 12.0),
    (MEASURED, "", "guessing_escalated", 1.0),
    (MEASURED, "", 'blocked_subjects{scope="prefix"}', 3.0),
    (MEASURED, "", 'blocked_subjects{scope="country"}', 0.0),
    (
        AlertSent("money.reached", "sent"),
        "info",
        'alerts_total{kind="money.reached",outcome="sent"}',
        1.0,
    ),
    (
        AlertSent("money.reached", "failed"),
        "warning",
        'alerts_total{kind="money.reached",outcome="failed"}',
        1.0,
    ),
    (
        AlertSent("money.reached", "muted"),
        "",
        'alerts_total{kind="money.reached",outcome="muted"}',
        1.0,
    ),
]


class Told:
    """What becomes of events."""

    def __init__(self) -> None:
        self.log = BytesIO()
        self.telemetry = Telemetry(configure_logging("info", output=self.log))

    def tell(self, *events: AbuseEvent) -> None:
        for event in events:
            self.telemetry.emit(event)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    @property
    def samples(self) -> list[str]:
        return self.telemetry.metrics.render().decode().splitlines()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.mark.parametrize(
    ("event", "level", "sample", "value"),
    EVERY_EVENT,
    ids=[
        f"{type(event).__name__}-{level}-{index}"
        for index, (event, level, *_) in enumerate(EVERY_EVENT)
    ],
)
def test_an_event_has_a_line_and_a_sample(
    told: Told, event: AbuseEvent, level: str, sample: str, value: float
) -> None:
    told.tell(event)

    assert [it["level"] for it in told.lines] == [level] * bool(level)
    assert f"{sample} {value}" in told.samples


def test_every_event_of_abuse_is_among_them() -> None:
    assert {type(event) for event, *_ in EVERY_EVENT} == set(get_args(AbuseEvent))


def test_a_line_says_all_that_the_event_does(told: Told) -> None:
    told.tell(JUDGED)

    (line,) = told.lines
    assert line["event"] == "conversion_judged"
    assert (line["subject"], line["sent"], line["typed"]) == (BLOCK, 20, 1)


def test_money_that_was_not_saved_adds_up(told: Told) -> None:
    told.tell(
        SendShadowed("sends_global", "block", "IN", TAG, 0.25),
        SendShadowed("sends_global", "challenge", "DE", TAG, 0.5),
    )

    assert 'shadow_money_total{limit="sends_global"} 0.75' in told.samples


def test_a_scope_that_is_not_blocked_any_more_says_none(told: Told) -> None:
    told.tell(
        MEASURED, replace(MEASURED, blocked={"country": 1}, expected_takeovers=0.0)
    )

    assert 'blocked_subjects{scope="prefix"} 0.0' in told.samples
    assert 'blocked_subjects{scope="country"} 1.0' in told.samples
    assert "expected_takeovers 0.0" in told.samples


def test_what_only_watches_is_never_shown_as_escalated(told: Told) -> None:
    told.tell(
        replace(MEASURED, escalated=False),
        replace(GUESSING, shadow=True),
        replace(MEASURED, escalated=False, wrong_checks_hour=5_000),
    )

    assert "guessing_escalated 0.0" in told.samples


def test_an_escalation_ends_with_the_next_measurement(told: Told) -> None:
    """Also where the rule was set to monitor meanwhile: calm is told as shadow then."""
    told.tell(
        GUESSING,
        replace(GUESSING, escalated=False, shadow=True),
        replace(MEASURED, escalated=False),
    )

    assert "guessing_escalated 0.0" in told.samples


def test_no_subject_and_no_phone_is_a_label(told: Told) -> None:
    """An attack has as many number blocks as it likes; each would be a series."""
    told.tell(*[event for event, *_ in EVERY_EVENT])
    before = len(told.samples)

    for number in range(100):
        told.tell(
            replace(JUDGED, subject=f"+91{number:05}****", sent=number),
            replace(MONEY, subject=f"svc-{number}", cap=float(number)),
            SendShadowed("sends_per_ip", "block", "IN", f"tag{number}", 0.1),
            ChallengeAsked("phones_per_ip", "IN", f"tag{number}", number),
            PhoneWasDisabled(f"tag{number}", 100),
        )

    assert len(told.samples) == before
    text = "\n".join(told.samples)
    for subject in (BLOCK, "svc-orders", TAG):
        assert subject not in text
