"""What the defence against abuse tells: every decision, also those in shadow only.

A ``limit`` or ``rule`` is named as in ``abuse/rules.py``; ``shadow`` says that the rule
only watches. A number block is told with its last four digits as stars: ten thousand
numbers have that name, so it is nobody's.
"""

from dataclasses import dataclass

from services.outcomes import (
    AlertOutcome,
    BlockCause,
    BlockState,
    ChallengeOutcome,
    MoneyPercent,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class SendShadowed:
    """A rule that only watches would not have let a send pass.

    ``saved`` is what the message cost at most, in the operator's currency.
    """

    limit: str
    verdict: Verdict
    country: str
    phone_tag: str
    saved: float


@dataclass(frozen=True, slots=True)
class ChallengeAsked:
    """A send was answered with a challenge, because of a limit."""

    limit: str
    country: str
    phone_tag: str
    difficulty: int


@dataclass(frozen=True, slots=True)
class ChallengeChecked:
    """A solution was looked at; ``provider`` is who made the challenge.

    ``reason`` says more, in a word of ours or of the provider's.
    """

    provider: str
    outcome: ChallengeOutcome
    phone_tag: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConversionJudged:
    """Too few codes of a prefix, country or caller are typed, or enough again.

    ``subject`` is the number block (``+9198765****``), country or service client;
    ``sent`` and ``typed`` are what was judged, ``seconds`` how long it is blocked.
    """

    scope: str
    subject: str
    country: str
    state: BlockState
    cause: BlockCause
    sent: int
    typed: int
    seconds: int
    shadow: bool


@dataclass(frozen=True, slots=True)
class MoneyReached:
    """So many percent of a cap are spent or held; told once per window.

    ``subject`` is a country or service client, or empty where the cap is global.
    """

    rule: str
    subject: str
    percent: MoneyPercent
    cap: float
    window_seconds: int
    currency: str
    shadow: bool


@dataclass(frozen=True, slots=True)
class GuessingChanged:
    """So many codes are guessed that everybody gets challenges, or no more so."""

    escalated: bool
    wrong_checks: int
    threshold: int
    shadow: bool


@dataclass(frozen=True, slots=True)
class PhoneWasDisabled:
    """So many wrong codes in a row that this phone gets no SMS any more."""

    phone_tag: str
    wrong_checks: int


@dataclass(frozen=True, slots=True)
class PolicyFollowed:
    """This worker follows another policy of the operator; ``version`` counts them.

    ``broken`` rows of it cannot be read, and count as none. ``lost``: Redis has none
    any more; that of before still holds in this worker.
    """

    version: int
    rules: int
    entries: int
    broken: int = 0
    lost: bool = False


@dataclass(frozen=True, slots=True)
class AbuseMeasured:
    """How the defence stands, asked every few seconds by every worker.

    ``expected_takeovers``: wrong checks of 24 hours, each weighed with its chance to
    hit. ``blocked`` counts by scope what is blocked now.
    """

    expected_takeovers: float
    wrong_checks_hour: int
    escalated: bool
    blocked: dict[str, int]


@dataclass(frozen=True, slots=True)
class AlertSent:
    """An alert went to the operator's webhook, or did not; ``kind`` is its type."""

    kind: str
    outcome: AlertOutcome


AbuseEvent = (
    SendShadowed
    | ChallengeAsked
    | ChallengeChecked
    | ConversionJudged
    | MoneyReached
    | GuessingChanged
    | PhoneWasDisabled
    | PolicyFollowed
    | AbuseMeasured
    | AlertSent
)
