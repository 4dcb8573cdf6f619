"""What is logged and counted of the routing."""

import json
from io import BytesIO
from typing import Any

import pytest

from backend.telemetry import Telemetry
from config.logging import configure_logging
from services.routing_events import RouteChosen, VendorMeasured, VendorWeightChanged

ROUTE = 'channel="sms",country="IN"'


class Told:
    """What becomes of events."""

    def __init__(self) -> None:
        self.log = BytesIO()
        self.telemetry = Telemetry(configure_logging("info", output=self.log))

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def metric(self, name: str) -> float:
        text = self.telemetry.metrics.render().decode()
        (value,) = (
            line.rsplit(" ", 1)[1]
            for line in text.splitlines()
            if line.rsplit(" ", 1)[0] == name
        )
        return float(value)


@pytest.fixture
def told() -> Told:
    return Told()


def test_a_change_of_weight_is_a_warning_with_its_reason(told: Told) -> None:
    told.telemetry.emit(
        VendorWeightChanged("twilio", "sms", "IN", 100, 75, "undelivered")
    )

    (line,) = told.lines
    assert (line["event"], line["level"]) == ("vendor_weight_changed", "warning")
    assert (line["before"], line["after"]) == (100, 75)
    labels = f'{ROUTE},provider="twilio",reason="undelivered"'
    assert told.metric(f"sms_vendor_weight_changes_total{{{labels}}}") == 1


def test_what_is_measured_is_counted_and_not_logged(told: Told) -> None:
    for weight in (100, 75):
        told.telemetry.emit(
            VendorMeasured(
                provider="twilio",
                channel="sms",
                country="IN",
                weight=weight,
                judged=10,
                delivered=9,
                tries=8,
                converted=7,
            )
        )

    assert told.lines == []
    assert told.metric(f'sms_vendor_weight{{{ROUTE},provider="twilio"}}') == 75
    for outcome, count in (
        ("judged", 20),
        ("delivered", 18),
        ("tries", 16),
        ("converted", 14),
    ):
        labels = f'{ROUTE},outcome="{outcome}",provider="twilio"'
        assert told.metric(f"sms_outcomes_total{{{labels}}}") == count


def test_what_the_shadow_chose_is_told_apart(told: Told) -> None:
    for obeyed in (True, False):
        told.telemetry.emit(
            RouteChosen("twilio", "sms", "IN", explored=False, obeyed=obeyed)
        )

    assert [(it["event"], it["obeyed"]) for it in told.lines] == [
        ("route_chosen", True),
        ("route_chosen", False),
    ]
    labels = f'{ROUTE},explored="false",obeyed="false",provider="twilio"'
    assert told.metric(f"sms_routes_chosen_total{{{labels}}}") == 1
