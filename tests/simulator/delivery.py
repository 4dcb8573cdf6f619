"""What becomes of a text that a vendor accepted, and which receipts tell of it."""

from dataclasses import dataclass
from typing import NamedTuple

from tests.simulator.inbox import Code
from tests.simulator.rules import Rule
from tests.simulator.vendor import State


class Step(NamedTuple):
    """One receipt to come, ``after_seconds`` from the vendor's answer."""

    state: State
    code: Code | None
    after_seconds: float


@dataclass(frozen=True, slots=True)
class Timing:
    """How long after the answer the receipts come that no rule holds up."""

    sent_seconds: float = 0.05
    delivered_seconds: float = 0.2


def reaches_phone(rule: Rule | None) -> bool:
    """Tell whether the phone gets a text whose delivery ``rule`` acts on."""
    return rule is None or rule.action not in {"undelivered", "outage"}


def plan_steps(rule: Rule | None, timing: Timing) -> list[Step]:
    """List the receipts of one text, in the order in which they come."""
    if rule is None:
        return _steps(timing)
    match rule.action:
        case "outage" | "receipt_missing":
            return []
        case "undelivered":
            return _steps(timing, rule.seconds, last="undelivered", code=rule.code)
        case "receipt_doubled":
            return [step for step in _steps(timing, rule.seconds) for _ in range(2)]
        case "receipt_out_of_order":
            sent, delivered = _steps(timing, rule.seconds)
            # The states change places, the times do not.
            return [
                delivered._replace(after_seconds=sent.after_seconds),
                sent._replace(after_seconds=delivered.after_seconds),
            ]
        case _:
            return _steps(timing, rule.seconds)


def _steps(
    timing: Timing,
    late_seconds: float = 0.0,
    *,
    last: State = "delivered",
    code: Code | None = None,
) -> list[Step]:
    return [
        Step("sent", None, timing.sent_seconds + late_seconds),
        Step(last, code, timing.delivered_seconds + late_seconds),
    ]
