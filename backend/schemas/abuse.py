"""Request and response bodies of the defence against abuse, for operators."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from backend.schemas.admin import ReasonText
from backend.schemas.body import Body
from services.abuse.overrides import PARTS
from services.abuse.policy import EntryKind, EntryVerdict
from services.abuse.report import MOST_DAYS
from services.abuse.rules import RULES, Kind, Mode, Scope
from services.outcomes import BlockCause, BlockState

# A year: whoever means longer means for ever.
_MOST_HOURS = 8_784

_ADDRESS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+|[0-9A-Fa-f]*:[0-9A-Fa-f]*:", re.ASCII)


def _known_rule(name: str) -> str:
    if name not in RULES:
        message = "there is no such rule"
        raise ValueError(message)
    return name


def _without_address(text: str) -> str:
    if _ADDRESS.search(text):
        message = "must not hold an address: it is kept"
        raise ValueError(message)
    return text


RuleText = Annotated[
    str,
    Field(
        max_length=40,
        description="The rule's name, as in the report.",
        json_schema_extra={"enum": list(RULES)},
    ),
    AfterValidator(_known_rule),
]
WindowsText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1_000,
        description="As in the settings: `10/10m, 30/1h`, money `12.5/1h`, `off`; where"
        " the rule is by country or service also `50/1h; IN: 100/1h`.",
        examples=["10/10m, 30/1h"],
        json_schema_extra={"format": "windows"},
    ),
]
LiftScope = Literal["prefix", "country", "caller"]


class RuleRequest(Body):
    """How a rule is to be: `mode`, `windows` or both; or `reset`."""

    rule: RuleText
    mode: Mode | None = None
    windows: WindowsText | None = None
    reset: Annotated[bool, Field(description="As the settings say, again.")] = False

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        says_how = self.mode is not None or self.windows is not None
        if says_how == self.reset:
            message = "say mode, windows or both, or reset alone"
            raise ValueError(message)
        return self


class EntryRequest(Body):
    """Whom to allow or to block."""

    kind: EntryKind
    value: Annotated[
        str,
        Field(
            min_length=1,
            max_length=64,
            description="A phone in E.164, how numbers begin (`+91987`), a country"
            " (`IN`), an address or a range (`198.51.100.0/24`).",
            examples=["+91987"],
        ),
    ]
    verdict: Annotated[
        EntryVerdict, Field(description="One block is enough, whatever is allowed.")
    ]
    hours: Annotated[
        int | None,
        Field(ge=1, le=_MOST_HOURS, description="For how long; without it for ever."),
    ] = None
    reason: Annotated[ReasonText, AfterValidator(_without_address)]

    def __repr__(self) -> str:
        """Show no phone number and no address."""
        return f"{type(self).__name__}({self.verdict} {self.kind})"

    __str__ = __repr__


class EntryRemoval(Body):
    """Which entry to take off the lists."""

    id: Annotated[
        str,
        Field(pattern="^[A-Za-z0-9_-]{1,64}$", description="Its id in the report."),
    ]


class LiftRequest(Body):
    """Which block to end, as the report names it."""

    scope: LiftScope
    name: Annotated[
        str,
        Field(
            pattern="^(\\+[1-9][0-9]{2,10}|[A-Z]{2}|svc-[a-z0-9-]{1,16})$",
            description="How the numbers begin, a country, or a service's id.",
            examples=["+91987654"],
        ),
    ]

    def __repr__(self) -> str:
        """Show no part of a number."""
        return f"{type(self).__name__}({self.scope})"

    __str__ = __repr__


class RuleView(Body):
    """How a rule is."""

    rule: str
    scope: Scope
    kind: Kind
    mode: Mode
    windows: Annotated[str, Field(description="As in `windows` of a change.")]
    set_here: Annotated[
        list[str],
        Field(description=f"What of it an operator set: {', '.join(PARTS)}."),
    ]


class EntryView(Body):
    """One entry of the lists."""

    id: str
    kind: EntryKind
    value: Annotated[str, Field(description="A phone is shown by its ends.")]
    verdict: EntryVerdict
    until: Annotated[int | None, Field(description="Unix seconds; null: for ever.")]
    reason: str
    actor: str
    at: Annotated[int, Field(description="Unix seconds.")]


class BlockView(Body):
    """A prefix, country or service whose codes are not typed."""

    scope: Scope
    name: str
    state: BlockState
    cause: BlockCause
    since: Annotated[int, Field(description="Unix seconds.")]
    until: Annotated[int | None, Field(description="Unix seconds.")]
    sent: Annotated[int, Field(ge=0, description="Codes that it was judged by.")]
    typed: Annotated[int, Field(ge=0, description="How many of them were typed.")]
    refused: Annotated[int, Field(ge=0, description="Sends since.")]
    saved: Annotated[float, Field(ge=0, description="What they would have cost.")]
    shadow: Annotated[bool, Field(description="The rule only watches.")]


class TallyView(Body):
    """Sends that one rule did not let pass on one day, or would not have (`shadow`)."""

    day: Annotated[str, Field(description="In UTC.", examples=["2026-11-20"])]
    rule: str
    verdict: Annotated[str, Field(description="challenge, block or money.")]
    shadow: bool
    sends: Annotated[int, Field(ge=0)]
    saved: Annotated[float, Field(ge=0, description="What they would have cost.")]


class SpendView(Body):
    """How a cap stands."""

    rule: str
    subject: Annotated[str, Field(description="Country or service; empty for all.")]
    window: Annotated[str, Field(examples=["24h"])]
    spent: float
    held: Annotated[float, Field(description="For messages under way.")]
    cap: float


class GuessingView(Body):
    """How everybody's wrong codes stand."""

    wrong_checks_hour: Annotated[int, Field(ge=0)]
    threshold: Annotated[int, Field(ge=0, description="0: none is set.")]
    escalated: bool
    until: Annotated[int | None, Field(description="Unix seconds.")]
    expected_takeovers: Annotated[float, Field(ge=0, description="Of 24 hours.")]


class ReportAnswer(Body):
    """What the defence does."""

    at: Annotated[int, Field(description="Unix seconds.")]
    currency: str
    days: Annotated[int, Field(ge=1, le=MOST_DAYS, description="Of the tallies.")]
    blocks: list[BlockView]
    tallies: list[TallyView]
    spending: list[SpendView]
    guessing: GuessingView
    rules: list[RuleView]
    entries: list[EntryView]
    broken: Annotated[
        list[str],
        Field(
            description="Rows of the policy that nobody can read; `everything` where"
            " Redis has lost it, and this worker still holds to that of before."
        ),
    ]


class RemovedAnswer(Body):
    """Whether there was such an entry."""

    removed: bool


class LiftedAnswer(Body):
    """Whether there was such a block."""

    lifted: bool
