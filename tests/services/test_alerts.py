"""Alerts: what is posted, how often, and what becomes of it when nobody answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import Any

import pytest

from services.abuse_events import (
    AbuseMeasured,
    AlertSent,
    ChallengeAsked,
    ConversionJudged,
    GuessingChanged,
    MoneyReached,
    PhoneWasDisabled,
    PolicyFollowed,
)
from services.alert_words import _WORDS
from services.alerts import MOST_WAITING, Alerts, NoAnswer
from services.events import Event, SessionOpened
from services.sms.standard_webhooks import check_signature
from services.standard_webhooks import read_secret
from tests.fakes import FakeClock
from tests.services.threads import at_once

KEY = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")

BLOCKED = ConversionJudged(
    scope="prefix",
    subject="+9198765****",
    country="IN",
    state="blocked",
    cause="few",
    sent=20,
    typed=1,
    seconds=300,
    shadow=False,
)
OPEN = replace(BLOCKED, state="open", cause="recovered", seconds=0)
COUNTRY_BLOCKED = replace(BLOCKED, scope="country", subject="IN", sent=50)
WARNED = MoneyReached(
    rule="spend_per_country",
    subject="IN",
    percent=80,
    cap=100.0,
    window_seconds=3_600,
    currency="EUR",
    shadow=False,
)
SPENT = replace(WARNED, percent=100)
ESCALATED = GuessingChanged(
    escalated=True, wrong_checks=2_001, threshold=2_000, shadow=False
)
CALMED = replace(ESCALATED, escalated=False, wrong_checks=10)


@dataclass
class FakeReceiver:
    """Answers with a status, or does not; keeps what it took."""

    status: int | None = 200
    posts: list[tuple[bytes, Mapping[str, str]]] = field(default_factory=list)

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.posts.append((body, headers))
        if self.status is None:
            raise NoAnswer
        return self.status

    @property
    def documents(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.posts]

    @property
    def types(self) -> list[str]:
        return [it["type"] for it in self.documents]

    @property
    def subjects(self) -> list[str]:
        return [it["data"]["subject"] for it in self.documents]


class Office:
    """Alerts, who gets them, and what else was told."""

    def __init__(self, *, disabled_phones: int = 10) -> None:
        self.clock = FakeClock()
        self.receiver = FakeReceiver()
        self.told: list[Event] = []
        self.alerts = Alerts(
            self.receiver,
            key=KEY,
            disabled_phones=disabled_phones,
            clock=self.clock,
            emit=self.told.append,
        )

    def tell(self, *events: Event) -> None:
        for event in events:
            self.alerts.emit(event)
        self.alerts.deliver()

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        sent = [it for it in self.told if isinstance(it, AlertSent)]
        return [(it.kind, it.outcome) for it in sent]


@pytest.fixture
def office() -> Office:
    return Office()


def blocked(number: int) -> ConversionJudged:
    """A prefix of its own, which is blocked."""
    return replace(BLOCKED, subject=f"+91{90000 + number}****")


def countries(amount: int) -> list[Event]:
    """As many alerts as are wanted: of each kind of rule a few."""
    return [
        replace(
            WARNED,
            subject=f"svc-{number // 4}",
            window_seconds=3_600 + number // 2 % 2,
            percent=100 if number % 2 else 80,
        )
        for number in range(amount)
    ]


# What is told


def test_an_alert_says_what_when_and_how_bad(office: Office) -> None:
    office.tell(BLOCKED)

    assert office.receiver.documents == [
        {
            "type": "conversion.blocked",
            "timestamp": "2027-01-15T08:00:00.000Z",
            "data": {
                "level": "warning",
                "message": "+9198765**** is blocked for 300 s: 1 of 20 codes were"
                " typed",
                "scope": "prefix",
                "subject": "+9198765****",
                "country": "IN",
                "state": "blocked",
                "cause": "few",
                "sent": 20,
                "typed": 1,
                "seconds": 300,
                "shadow": False,
                "muted": 0,
            },
        }
    ]


@pytest.mark.parametrize(
    ("event", "kind", "level", "words"),
    [
        (COUNTRY_BLOCKED, "conversion.blocked", "error", "IN is blocked"),
        (
            replace(COUNTRY_BLOCKED, shadow=True),
            "conversion.blocked",
            "warning",
            "IN would be blocked",
        ),
        (
            replace(BLOCKED, cause="vendor"),
            "conversion.blocked",
            "warning",
            "a vendor calls its numbers fraud",
        ),
        (OPEN, "conversion.recovered", "warning", "+9198765**** is open again"),
        (WARNED, "money.reached", "warning", "80 % of 100 EUR in 3600 s"),
        (SPENT, "money.reached", "error", "used up of IN"),
        (
            replace(SPENT, cap=2_500_000.5),
            "money.reached",
            "error",
            "100 % of 2500000.5 EUR",
        ),
        (
            replace(SPENT, rule="spend_global", subject="", shadow=True),
            "money.reached",
            "warning",
            "are used up (only watched: nothing is refused)",
        ),
        (ESCALATED, "guessing.escalated", "error", "2001 wrong codes in an hour"),
        (
            replace(ESCALATED, shadow=True),
            "guessing.escalated",
            "warning",
            "(only watched: nothing is refused)",
        ),
        (CALMED, "guessing.calmed", "warning", "are over"),
        (
            PolicyFollowed(version=2, rules=1, entries=1, broken=1, lost=True),
            "policy.lost",
            "warning",
            "has lost the policy",
        ),
    ],
)
def test_each_event_has_its_words(
    office: Office, event: Event, kind: str, level: str, words: str
) -> None:
    office.tell(event)

    (document,) = office.receiver.documents
    assert (document["type"], document["data"]["level"]) == (kind, level)
    assert words in document["data"]["message"]


@pytest.mark.parametrize(
    "event",
    [
        replace(BLOCKED, state="challenged"),
        replace(BLOCKED, state="probing"),
        ChallengeAsked("sends_per_ip", "IN", "tag", 1),
        PolicyFollowed(version=2, rules=18, entries=1),
        AbuseMeasured(0.1, 100_000, escalated=True, blocked={"country": 3}),
        SessionOpened("tag", "subject", "session", "direct"),
        PhoneWasDisabled("tag", 100),
    ],
    ids=lambda it: f"{type(it).__name__}-{getattr(it, 'state', '')}",
)
def test_the_rest_wakes_nobody(office: Office, event: Event) -> None:
    office.tell(event)

    assert office.told == [event]
    assert office.receiver.posts == []


def test_whoever_was_told_before_is_told_first(office: Office) -> None:
    office.tell(BLOCKED, ESCALATED)

    assert office.told[:2] == [BLOCKED, ESCALATED]


def test_without_a_receiver_events_are_told_on() -> None:
    told: list[Event] = []
    alerts = Alerts(
        None, key=b"", disabled_phones=1, clock=FakeClock(), emit=told.append
    )

    alerts.emit(BLOCKED)
    alerts.deliver()

    assert told == [BLOCKED]


def test_phones_are_told_by_their_number_alone(office: Office) -> None:
    office.tell(*[PhoneWasDisabled(f"tag{it}", 100) for it in range(9)])
    assert office.receiver.posts == []

    office.tell(PhoneWasDisabled("tag9", 100))

    (document,) = office.receiver.documents
    assert (document["type"], document["data"]["phones"]) == ("phones.disabled", 10)
    assert "tag" not in office.receiver.posts[0][0].decode()


def test_phones_of_another_hour_do_not_count(office: Office) -> None:
    office.tell(*[PhoneWasDisabled(f"tag{it}", 100) for it in range(9)])
    office.clock.advance(3_601)

    office.tell(PhoneWasDisabled("tag9", 100))

    assert office.receiver.posts == []


def test_no_event_that_is_posted_whole_names_a_phone() -> None:
    names = {it.name for kind in _WORDS for it in fields(kind)}

    assert names.isdisjoint({"phone_tag", "verification", "network"})


# The signature


def test_an_alert_is_signed_for_the_moment_of_its_posting(office: Office) -> None:
    office.clock.advance(1_000)

    office.tell(BLOCKED)

    ((body, headers),) = office.receiver.posts
    check_signature(KEY, headers, body, now=office.clock.now())
    assert headers["webhook-timestamp"] == str(int(office.clock.now()))


def test_an_alert_keeps_its_id_when_it_is_posted_again(office: Office) -> None:
    office.receiver.status = 503
    office.tell(BLOCKED)
    office.clock.advance(60)
    office.receiver.status = 200
    office.tell(SPENT)

    (first, before), (second, after), (_, other) = office.receiver.posts
    assert first == second
    assert before["webhook-id"] == after["webhook-id"] != other["webhook-id"]
    assert before["webhook-signature"] != after["webhook-signature"]
    check_signature(KEY, after, second, now=office.clock.now())


# Not twice


def test_the_same_is_not_told_again_for_ten_minutes(office: Office) -> None:
    office.tell(BLOCKED)
    office.clock.advance(599)
    office.tell(replace(BLOCKED, seconds=600))
    assert office.outcomes[-1] == ("conversion.blocked", "muted")

    office.clock.advance(2)
    office.tell(replace(BLOCKED, seconds=1_200))

    documents = office.receiver.documents
    assert [it["data"]["seconds"] for it in documents] == [300, 1_200]
    assert [it["data"]["muted"] for it in documents] == [0, 1]


@pytest.mark.parametrize(
    "other",
    [
        replace(BLOCKED, subject="+9198764****"),
        replace(BLOCKED, scope="caller"),
        replace(BLOCKED, shadow=True),
        COUNTRY_BLOCKED,
    ],
    ids=["subject", "scope", "shadow", "country"],
)
def test_something_else_is_told_at_once(office: Office, other: Event) -> None:
    office.tell(BLOCKED, other)

    assert len(office.receiver.posts) == 2


def test_the_last_word_is_never_muted(office: Office) -> None:
    """Who is blocked, open and blocked again is blocked, and nobody may think else."""
    office.tell(BLOCKED, OPEN, BLOCKED, ESCALATED, CALMED, ESCALATED, WARNED, SPENT)

    assert office.receiver.types == [
        "conversion.blocked",
        "conversion.recovered",
        "conversion.blocked",
        "guessing.escalated",
        "guessing.calmed",
        "guessing.escalated",
        "money.reached",
        "money.reached",
    ]


def test_one_that_comes_and_goes_is_told_ten_times(office: Office) -> None:
    office.tell(*[BLOCKED, OPEN] * 50)

    assert len(office.receiver.posts) == 20


def test_an_attack_over_many_prefixes_is_ten_alerts_and_a_number(
    office: Office,
) -> None:
    office.tell(*[blocked(number) for number in range(500)])
    office.tell(COUNTRY_BLOCKED)
    assert len(office.receiver.posts) == 10 + 1

    office.clock.advance(601)
    office.tell(blocked(500))

    assert office.receiver.documents[-1]["data"]["muted"] == 490
    assert office.outcomes.count(("conversion.blocked", "muted")) == 490


# Nobody answers


@pytest.mark.parametrize("status", [None, 500, 503, 429, 408, 302, 301])
def test_a_failed_alert_is_posted_again(office: Office, status: int | None) -> None:
    office.receiver.status = status
    office.tell(BLOCKED)
    office.tell()
    assert len(office.receiver.posts) == 1

    office.receiver.status = 204
    office.clock.advance(5)
    office.tell()

    assert [it for _, it in office.outcomes] == ["failed", "sent"]


@pytest.mark.parametrize("status", [400, 401, 404, 410, 413])
def test_a_no_is_taken_for_a_no_and_holds_up_nothing(
    office: Office, status: int
) -> None:
    office.receiver.status = status

    office.tell(BLOCKED, SPENT)

    assert [it for _, it in office.outcomes] == ["refused", "refused"]
    office.clock.advance(3_600)
    office.tell()
    assert len(office.receiver.posts) == 2


def test_a_dead_receiver_is_asked_ever_more_rarely(office: Office) -> None:
    office.receiver.status = None
    office.tell(BLOCKED)
    asked = []
    for second in range(1, 1_000):
        office.clock.advance(1)
        before = len(office.receiver.posts)
        office.tell()
        if len(office.receiver.posts) > before:
            asked.append(second)

    assert asked == [5, 35, 155, 455, 755]


def test_one_that_answers_again_is_asked_soon_after_the_next_failure(
    office: Office,
) -> None:
    office.receiver.status = None
    office.tell(BLOCKED)
    office.clock.advance(5)
    office.tell()
    office.clock.advance(30)
    office.receiver.status = 200
    office.tell()
    office.receiver.status = None
    office.tell(SPENT)
    office.clock.advance(5)
    office.receiver.status = 200
    office.tell()

    assert office.outcomes[-1] == ("money.reached", "sent")


def test_a_dead_receiver_loses_old_alerts_alone(office: Office) -> None:
    office.receiver.status = None
    office.tell(COUNTRY_BLOCKED)
    subjects = []
    for number in range(MOST_WAITING + 20):
        # Far enough apart that none is muted.
        office.clock.advance(61)
        office.alerts.emit(blocked(number))
        subjects.append(blocked(number).subject)
    office.receiver.posts.clear()
    office.receiver.status = 200
    office.tell()

    assert office.receiver.subjects == subjects[-MOST_WAITING:]
    # The country's, too, which was the oldest.
    assert office.outcomes.count(("conversion.blocked", "dropped")) == 1 + 20
    assert office.outcomes.count(("conversion.blocked", "sent")) == MOST_WAITING


def test_an_alert_of_this_morning_is_not_told_at_night(office: Office) -> None:
    office.receiver.status = None
    office.tell(BLOCKED)
    office.clock.advance(6 * 3_600 - 1)
    office.alerts.emit(SPENT)
    office.clock.advance(2)
    office.receiver.posts.clear()
    office.receiver.status = 200
    office.tell()

    assert office.receiver.types == ["money.reached"]
    assert office.outcomes[-2:] == [
        ("conversion.blocked", "late"),
        ("money.reached", "sent"),
    ]


def test_a_slow_receiver_does_not_hold_up_the_end(office: Office) -> None:
    """The process waits for a round that is under way."""
    clock, posts = office.clock, office.receiver.posts

    class Slow(FakeReceiver):
        def post(self, body: bytes, headers: Mapping[str, str]) -> int:
            clock.advance(1.5)
            return super().post(body, headers)

    office.alerts._receiver = Slow(posts=posts)
    for event in countries(10):
        office.alerts.emit(event)

    office.alerts.deliver()
    assert len(posts) == 2
    office.alerts.deliver()
    assert len(posts) == 4


# Threads


def test_many_threads_lose_and_double_nothing(office: Office) -> None:
    numbers = count()

    def tell(_: int) -> None:
        for event in countries(40):
            office.alerts.emit(event)
            next(numbers)

    at_once(8, tell)
    office.tell()

    # Of 40 different ones 20 are of one group, and 10 of a group are told.
    assert next(numbers) == 320
    assert len(office.receiver.posts) == 20
    assert office.outcomes.count(("money.reached", "muted")) == 300
    ids = {headers["webhook-id"] for _, headers in office.receiver.posts}
    assert len(ids) == 20


def test_nobody_waits_for_a_receiver_that_hangs(office: Office) -> None:
    """Events are told while a post is under way, and before it ends."""

    class Hanging(FakeReceiver):
        def post(self, body: bytes, headers: Mapping[str, str]) -> int:
            if not self.posts:
                at_once(4, lambda it: office.alerts.emit(blocked(it)))
            return super().post(body, headers)

    office.alerts._receiver = receiver = Hanging()

    office.tell(COUNTRY_BLOCKED)

    assert receiver.subjects[0] == "IN"
    assert sorted(receiver.subjects[1:]) == [blocked(it).subject for it in range(4)]
