"""Which events an operator is woken for, and how they are told.

An alert's ``type`` and ``data`` are an interface: docs/alerts.md has them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from services.abuse_events import (
    ConversionJudged,
    GuessingChanged,
    MoneyReached,
    PolicyFollowed,
)
from services.events import Event

Level = Literal["warning", "error"]

_MONEY_SPENT = 100


@dataclass(frozen=True, slots=True)
class Alert:
    """What an operator should know now; ``data`` holds no phone number.

    The same ``group`` about the same ``subject`` is the same alert once more.
    """

    type: str
    level: Level
    message: str
    group: str
    subject: str
    data: Mapping[str, Any]


# To see whether alerts arrive.
TRIAL = Alert(
    type="test",
    level="warning",
    message="This is a test of the alerts: nothing has happened",
    group="test",
    subject="",
    data={},
)


def alert_of(event: Event) -> Alert | None:
    """Return what to tell of an event, if anything.

    Disabled phones are told by their number alone: see ``phones_alert``.
    """
    tell = _WORDS.get(type(event))
    return tell(event) if tell else None


def phones_alert(phones: int, seconds: int) -> Alert:
    """Tell that so many phones were disabled in the last ``seconds``."""
    return Alert(
        type="phones.disabled",
        level="error",
        message=f"{phones} phones get no SMS any more: somebody guesses their codes",
        group="phones.disabled",
        subject="",
        data={"phones": phones, "seconds": seconds},
    )


def _conversion(event: ConversionJudged) -> Alert | None:
    match event.state:
        case "blocked":
            kind = "conversion.blocked"
            said = "would be" if event.shadow else "is"
            why = (
                "a vendor calls its numbers fraud"
                if event.cause == "vendor"
                else f"{event.typed} of {event.sent} codes were typed"
            )
            message = f"{event.subject} {said} blocked for {event.seconds} s: {why}"
        case "open":
            kind = "conversion.recovered"
            message = f"{event.subject} is open again"
        case _:
            return None
    # One number block is ten thousand numbers; a country is a country.
    is_wide = event.scope != "prefix" and event.state == "blocked"
    return Alert(
        type=kind,
        level="error" if is_wide and not event.shadow else "warning",
        message=_shadowed(message, event.shadow),
        group=f"{kind} {event.scope} {event.shadow}",
        subject=f"conversion {event.scope} {event.subject}",
        data=asdict(event),
    )


def _money(event: MoneyReached) -> Alert:
    of_whom = f" of {event.subject}" if event.subject else ""
    message = (
        f"{event.percent} % of {event.cap:.12g} {event.currency} in"
        f" {event.window_seconds} s are used up{of_whom}"
    )
    is_spent = event.percent == _MONEY_SPENT and not event.shadow
    return Alert(
        type="money.reached",
        level="error" if is_spent else "warning",
        message=_shadowed(message, event.shadow),
        group=f"money.reached {event.percent} {event.shadow}",
        subject=(
            f"money {event.percent} {event.rule} {event.subject} {event.window_seconds}"
        ),
        data=asdict(event),
    )


def _guessing(event: GuessingChanged) -> Alert:
    kind = "guessing.escalated" if event.escalated else "guessing.calmed"
    what = (
        "challenges for all, and longer codes"
        if event.escalated
        else "challenges and longer codes are over"
    )
    message = f"{event.wrong_checks} wrong codes in an hour: {what}"
    return Alert(
        type=kind,
        level="error" if event.escalated and not event.shadow else "warning",
        message=_shadowed(message, event.shadow),
        group=f"{kind} {event.shadow}",
        subject="guessing",
        data=asdict(event),
    )


def _policy(event: PolicyFollowed) -> Alert | None:
    if not event.lost:
        return None
    return Alert(
        type="policy.lost",
        level="warning",
        message=(
            "Redis has lost the policy of operators; rules and lists hold in the memory"
            " of running workers alone"
        ),
        group="policy.lost",
        subject="policy",
        data=asdict(event),
    )


def _shadowed(message: str, shadow: bool) -> str:  # noqa: FBT001 - as the event has it
    return f"{message} (only watched: nothing is refused)" if shadow else message


_WORDS: Mapping[type, Callable[[Any], Alert | None]] = {
    ConversionJudged: _conversion,
    MoneyReached: _money,
    GuessingChanged: _guessing,
    PolicyFollowed: _policy,
}
