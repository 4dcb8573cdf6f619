"""How the decisions about one phone read in its trace."""

import re
from typing import Any

import pytest

from backend.cli.traces import _LINES, trace_text
from backend.schemas.admin import TraceAnswer, TraceEntry
from services.abuse_events import (
    ChallengeAsked,
    ChallengeChecked,
    PhoneWasDisabled,
    SendShadowed,
)
from services.events import Event
from services.journal.lines import _KINDS, read_lines, write_line
from tests.backend.api import OTHER_PHONE, PHONE
from tests.backend.conftest import MakeApi
from tests.backend.desk import Desk

TAG = "phonetagphonetag"


def text_of(event: Event) -> list[str]:
    """Write an event into a trail, read it again, and show its cells."""
    (entry,) = read_lines(f"18000000000|{write_line(event, '')}")
    fields: dict[str, Any] = {
        "at": entry.at,
        "event": entry.kind,
        "verification": "",
        "request_id": "",
        "details": entry.fields,
    }
    answer = TraceAnswer(hours=24, entries=[TraceEntry(**fields)])
    _, line = trace_text(answer).strip().splitlines()
    return re.split(r"  +", line)[2:5]


def test_who_was_challenged_can_be_traced(make_api: MakeApi) -> None:
    desk = Desk(make_api(SENDS_PER_IP="1/1h"))
    desk.api.start(OTHER_PHONE)
    answer = desk.api.send(PHONE)
    desk.api.settle()

    (entry,) = desk.do("trace")["entries"]

    assert answer.json["code"] == "challenge_required"
    assert (entry["event"], entry["details"]["limit"]) == ("challenged", "sends_per_ip")
    assert entry["request_id"] == answer.headers["X-Request-Id"]


def test_each_kind_of_the_trail_has_words() -> None:
    assert set(_LINES) == {it.name for it in _KINDS.values()}


@pytest.mark.parametrize(
    ("event", "cells"),
    [
        (
            ChallengeAsked("sends_per_ip", "IN", TAG, 1),
            ["challenged", "sends_per_ip", "send answered with a challenge"],
        ),
        (
            ChallengeAsked("phones_per_ip", "IN", TAG, 4),
            [
                "challenged",
                "phones_per_ip",
                "send answered with a challenge, difficulty 4",
            ],
        ),
        (
            ChallengeChecked("altcha", "solved", TAG),
            ["challenge checked", "altcha", "solution solved"],
        ),
        (
            ChallengeChecked("turnstile", "refused", TAG, "timeout-or-duplicate"),
            [
                "challenge checked",
                "turnstile",
                "solution refused (timeout-or-duplicate)",
            ],
        ),
        (
            SendShadowed("sends_per_country", "block", "IN", TAG, 0.05),
            [
                "shadowed",
                "sends_per_country",
                "only watched: block, were it not in mode monitor",
            ],
        ),
        (
            PhoneWasDisabled(TAG, 100),
            [
                "phone disabled",
                "person",
                "100 wrong codes in a row: no SMS any more",
            ],
        ),
    ],
    ids=["asked", "asked harder", "solved", "refused", "shadowed", "disabled"],
)
def test_a_decision_reads_as_a_sentence(event: Event, cells: list[str]) -> None:
    assert text_of(event) == cells
