"""The operators' routes of the defence against abuse, as the OpenAPI document shows."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.openapi.operation import BODY_PROBLEMS, PHONE_PROBLEMS, Operation
from backend.schemas.abuse import (
    EntryRemoval,
    EntryRequest,
    EntryView,
    LiftedAnswer,
    LiftRequest,
    RemovedAnswer,
    ReportAnswer,
    RuleRequest,
    RuleView,
)
from backend.schemas.body import Body


@dataclass(frozen=True, slots=True)
class AbuseOperation:
    """One thing that an operator does; ``path`` is below ``/api/admin/abuse/``."""

    path: str
    request: type[Body]
    answer: type[Body]
    summary: str
    problems: tuple[str, ...] = ()


ON_ABUSE: Mapping[str, AbuseOperation] = {
    it.path: it
    for it in (
        AbuseOperation(
            "rules", RuleRequest, RuleView, "Change a rule; all workers follow in 5 s."
        ),
        AbuseOperation(
            "entries",
            EntryRequest,
            EntryView,
            "Allow or block a phone, prefix, country or range of addresses.",
            problems=PHONE_PROBLEMS,
        ),
        AbuseOperation(
            "entries/remove",
            EntryRemoval,
            RemovedAnswer,
            "Take an entry off the lists.",
        ),
        AbuseOperation(
            "lift", LiftRequest, LiftedAnswer, "End what too few typed codes blocked."
        ),
    )
}

_CREDENTIAL_PROBLEMS = ("invalid_token", "insufficient_scope", "store_unavailable")

ABUSE_OPERATIONS = (
    Operation(
        method="get",
        path="/api/admin/abuse",
        summary="What is blocked, why, and what it saved; the rules and lists. With the"
        " tallies of today and the day before, or ?days= of them.",
        status=200,
        answers=(ReportAnswer,),
        problems=("invalid_request", *_CREDENTIAL_PROBLEMS),
        security=("serviceToken",),
    ),
    *(
        Operation(
            method="post",
            path=f"/api/admin/abuse/{operation.path}",
            summary=operation.summary,
            status=200,
            body=operation.request,
            answers=(operation.answer,),
            problems=(*BODY_PROBLEMS, *operation.problems, *_CREDENTIAL_PROBLEMS),
            security=("serviceToken",),
        )
        for operation in ON_ABUSE.values()
    ),
)
