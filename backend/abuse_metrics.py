"""What is counted of the defence against abuse."""

from collections.abc import Callable, Mapping
from typing import Any

from services import abuse_events

_Metric = Callable[..., Mapping[tuple[object, ...], Any]]

# What can be blocked for its conversion. Always shown: a scope that is not blocked any
# more must say 0, also by a worker that never saw it blocked.
_BLOCKED_SCOPES = ("prefix", "country", "caller")


class AbuseMetrics:
    """The part of the metrics that is about abuse.

    No subject is a label: an attack may have as many as there are number blocks.
    """

    def __init__(self, counter: _Metric, gauge: _Metric) -> None:
        """``counter(name, meaning, *labels)`` makes a metric; ``gauge``, too.

        What is measured, every worker measures: gauges show the latest word of any.
        """
        self._asked = counter(
            "challenges_asked", "Sends that were answered with a challenge.", "limit"
        )
        self._checked = counter(
            "challenges_checked", "Solutions looked at.", "provider", "outcome"
        )
        self._shadowed = counter(
            "shadow_refusals",
            "Sends that a rule in mode monitor would not have let pass.",
            "limit",
            "verdict",
        )
        self._shadow_money = counter(
            "shadow_money",
            "What these sends cost at most, in the operator's currency.",
            "limit",
        )
        self._judged = counter(
            "conversion_changes",
            "Number blocks, countries and service clients whose state changed, as too"
            " few of their codes were typed, or enough again.",
            "scope",
            "state",
            "shadow",
        )
        self._money = counter(
            "money_caps_reached",
            "Caps of money of which so many percent were used up.",
            "rule",
            "percent",
            "shadow",
        )
        self._disabled = counter(
            "phones_disabled", "Phones that get no SMS after so many wrong codes."
        )
        self._alerts = counter(
            "alerts", "Alerts for the operator's webhook.", "kind", "outcome"
        )
        self._escalated = gauge(
            "guessing_escalated", "1 while everybody gets challenges and longer codes."
        )
        self._takeovers = gauge(
            "expected_takeovers",
            "Wrong checks of 24 hours, each weighed with its chance to hit.",
        )
        self._wrong_checks = gauge(
            "wrong_checks_hour", "Codes that were checked and wrong in the last hour."
        )
        self._blocked = gauge(
            "blocked_subjects",
            "Number blocks, countries and service clients that are blocked now.",
            "scope",
        )
        self._policy = gauge("abuse_policy_version", "The operator's policy followed.")
        self._broken = gauge("abuse_policy_broken", "Its rows that cannot be read.")
        self.takers: dict[type, Callable[[Any], None]] = {
            abuse_events.SendShadowed: self._send_shadowed,
            abuse_events.ChallengeAsked: self._challenge_asked,
            abuse_events.ChallengeChecked: self._challenge_checked,
            abuse_events.ConversionJudged: self._conversion_judged,
            abuse_events.MoneyReached: self._money_reached,
            abuse_events.GuessingChanged: self._guessing_changed,
            abuse_events.PhoneWasDisabled: self._phone_was_disabled,
            abuse_events.PolicyFollowed: self._policy_followed,
            abuse_events.AbuseMeasured: self._abuse_measured,
            abuse_events.AlertSent: self._alert_sent,
        }

    def _send_shadowed(self, event: abuse_events.SendShadowed) -> None:
        self._shadowed[event.limit, event.verdict].inc()
        self._shadow_money[event.limit,].inc(event.saved)

    def _challenge_asked(self, event: abuse_events.ChallengeAsked) -> None:
        self._asked[event.limit,].inc()

    def _challenge_checked(self, event: abuse_events.ChallengeChecked) -> None:
        self._checked[event.provider, event.outcome].inc()

    def _conversion_judged(self, event: abuse_events.ConversionJudged) -> None:
        self._judged[event.scope, event.state, _flag(event.shadow)].inc()

    def _money_reached(self, event: abuse_events.MoneyReached) -> None:
        self._money[event.rule, event.percent, _flag(event.shadow)].inc()

    def _guessing_changed(self, event: abuse_events.GuessingChanged) -> None:
        if not event.shadow:
            self._escalated[()].set(int(event.escalated))

    def _phone_was_disabled(self, _: abuse_events.PhoneWasDisabled) -> None:
        self._disabled[()].inc()

    def _policy_followed(self, event: abuse_events.PolicyFollowed) -> None:
        self._policy[()].set(event.version)
        self._broken[()].set(event.broken)

    def _abuse_measured(self, event: abuse_events.AbuseMeasured) -> None:
        self._escalated[()].set(int(event.escalated))
        self._takeovers[()].set(event.expected_takeovers)
        self._wrong_checks[()].set(event.wrong_checks_hour)
        for scope in {*_BLOCKED_SCOPES, *event.blocked}:
            self._blocked[scope,].set(event.blocked.get(scope, 0))

    def _alert_sent(self, event: abuse_events.AlertSent) -> None:
        self._alerts[event.kind, event.outcome].inc()


def _flag(yes: bool) -> str:  # noqa: FBT001 - it is the value itself
    return str(yes).lower()
