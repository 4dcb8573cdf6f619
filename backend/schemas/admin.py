"""Request and response bodies of the operators' API; the command line has the same."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, model_validator

from backend.schemas.body import Body
from backend.schemas.kept_text import kept_text
from backend.schemas.otp import VerificationIdText

ReasonText = Annotated[
    str,
    Field(
        min_length=1,
        max_length=100,
        description="Why; kept in the audit, so no phone number.",
        examples=["card fraud, case 4711"],
        json_schema_extra={"format": "reason"},
    ),
    AfterValidator(kept_text),
]
RoleText = Annotated[
    str,
    Field(
        pattern="^[a-z][a-z0-9_-]{0,30}$",
        description="What other services make of it is theirs.",
        examples=["support"],
    ),
]
E164Text = Annotated[
    str,
    Field(
        pattern="^\\+[1-9][0-9]{6,14}$",
        description="The phone of the person, in E.164.",
        examples=["+919876543210"],
        json_schema_extra={"format": "e164"},
    ),
]
SubjectText = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]{22}$", description="The person's `sub`."),
]


class PersonRequest(Body):
    """Whom it is about: by `phone` or by `sub`, one of them."""

    phone: E164Text | None = None
    sub: SubjectText | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        given = [it for it in self._names() if it is not None]
        if len(given) != 1:
            message = "name one person, in one way"
            raise ValueError(message)
        return self

    def _names(self) -> tuple[str | None, ...]:
        return self.phone, self.sub

    def __repr__(self) -> str:
        """Show no phone number."""
        return f"{type(self).__name__}({self.sub})"

    __str__ = __repr__


class FreezeRequest(PersonRequest):
    """Whom to freeze, and why."""

    reason: ReasonText


class RoleRequest(PersonRequest):
    """Who gets or loses a role."""

    role: RoleText


class TraceRequest(PersonRequest):
    """What to look into: a phone, a person, or one verification."""

    verification_id: VerificationIdText | None = None

    def _names(self) -> tuple[str | None, ...]:
        return self.phone, self.sub, self.verification_id


class FrozenView(Body):
    """Since when and why somebody is frozen."""

    at: Annotated[int, Field(description="Unix seconds.")]
    reason: str


class PersonSession(Body):
    """One live session."""

    session: Annotated[str, Field(description="Names it as the log and traces do.")]
    device: str
    client: str
    created_at: Annotated[int, Field(description="Unix seconds.")]
    last_used_at: Annotated[int, Field(description="The last refresh, Unix seconds.")]
    ends_at: Annotated[int, Field(description="Without a refresh, Unix seconds.")]


class LockView(Body):
    """How the phone stands with its wrong checks."""

    locked_for: Annotated[int, Field(ge=0, description="Seconds; 0: not locked.")]
    wrong_checks: Annotated[int, Field(ge=0, description="Of the last day.")]
    in_a_row: Annotated[int, Field(ge=0)]
    checks_left: Annotated[
        int | None, Field(description="Wrong ones, before it is locked for the day.")
    ]
    forgiven: Annotated[int, Field(ge=0, description="By unlocks, in the last day.")]
    since_right: Annotated[
        int, Field(ge=0, description="Wrong codes since the last right one or unlock.")
    ]
    disabled: Annotated[
        bool, Field(description="Too many of these: no SMS until an unlock.")
    ]
    device_locked_for: Annotated[
        int, Field(ge=0, description="Seconds, of devices that logged in before.")
    ]
    device_wrong_checks: Annotated[
        int, Field(ge=0, description="Of these devices, in the last day.")
    ]
    device_disabled: Annotated[bool, Field(description="These devices are, too.")]


class PersonAnswer(Body):
    """Who it was about."""

    subject: str


class LookAnswer(PersonAnswer):
    """All that is known of a person."""

    phone_tag: Annotated[str, Field(description="Names the phone as the log does.")]
    frozen: FrozenView | None
    roles: list[str]
    sessions: list[PersonSession]
    lock: LockView


class ChangedAnswer(PersonAnswer):
    """Whether anything is different now."""

    changed: bool


class RolesAnswer(ChangedAnswer):
    """The roles by now; tokens have them from the next refresh on."""

    roles: list[str]


class EndedAnswer(PersonAnswer):
    """How many sessions ended."""

    ended: Annotated[int, Field(ge=0)]


class UnlockAnswer(PersonAnswer):
    """How the phone stands now."""

    lock: LockView


class ReassignAnswer(PersonAnswer):
    """Who will log in with this phone next, and who did before."""

    former_subject: str


class EraseAnswer(Body):
    """Who was forgotten."""

    erased_subject: str


class TraceEntry(Body):
    """One thing that happened."""

    at: Annotated[float, Field(description="Unix seconds.")]
    event: str
    verification: Annotated[str, Field(description="Its fingerprint, as in the log.")]
    request_id: str
    details: dict[str, Any]


class TraceAnswer(Body):
    """What happened, oldest first."""

    hours: Annotated[int, Field(description="How far back it can be known.")]
    entries: list[TraceEntry]


class AuditEntryView(Body):
    """One act of an operator, before it was done (`begun`), or that it `failed`."""

    at: Annotated[float, Field(description="Unix seconds.")]
    op: Annotated[str, Field(description="The same in both entries of one act.")]
    action: str
    actor: str
    phone_tag: str
    subject: str
    detail: str
    request: str
    outcome: str


class AuditAnswer(Body):
    """The last acts, the newest first."""

    entries: list[AuditEntryView]
