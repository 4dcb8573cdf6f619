"""The operators' routes: what each takes, and how the OpenAPI document shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from backend.openapi.operation import BODY_PROBLEMS, PHONE_PROBLEMS, Operation
from backend.schemas.admin import (
    AuditAnswer,
    ChangedAnswer,
    EndedAnswer,
    EraseAnswer,
    FreezeRequest,
    LookAnswer,
    PersonRequest,
    ReassignAnswer,
    RoleRequest,
    RolesAnswer,
    TraceAnswer,
    TraceRequest,
    UnlockAnswer,
)
from backend.schemas.body import Body


@dataclass(frozen=True, slots=True)
class AdminOperation:
    """One thing that an operator does about a person, by HTTP or as a command.

    ``problems`` are those that it has beside all others'.
    """

    name: str
    request: type[PersonRequest]
    answer: type[Body]
    summary: str
    problems: tuple[str, ...] = ()


ON_PEOPLE: Mapping[str, AdminOperation] = {
    it.name: it
    for it in (
        AdminOperation(
            "look",
            PersonRequest,
            LookAnswer,
            "Show a person: freeze, roles, sessions, lock.",
        ),
        AdminOperation(
            "freeze",
            FreezeRequest,
            ChangedAnswer,
            "Let somebody neither log in nor refresh.",
        ),
        AdminOperation("thaw", PersonRequest, ChangedAnswer, "Undo a freeze."),
        AdminOperation(
            "end-sessions", PersonRequest, EndedAnswer, "Log somebody out everywhere."
        ),
        AdminOperation(
            "unlock",
            PersonRequest,
            UnlockAnswer,
            "Lift a phone's lock, and allow some wrong codes more.",
            problems=("rate_limited",),
        ),
        AdminOperation("grant-role", RoleRequest, RolesAnswer, "Give a role."),
        AdminOperation(
            "take-role", RoleRequest, RolesAnswer, "Take a granted role away."
        ),
        AdminOperation(
            "reassign",
            PersonRequest,
            ReassignAnswer,
            "The number is somebody else's now: who logs in next is a new person.",
        ),
        AdminOperation("erase", PersonRequest, EraseAnswer, "Forget a person."),
        AdminOperation(
            "trace",
            TraceRequest,
            TraceAnswer,
            "Tell what happened to a phone or in one verification.",
        ),
    )
}

_CREDENTIAL_PROBLEMS = ("invalid_token", "insufficient_scope", "store_unavailable")

ADMIN_OPERATIONS = (
    *(
        Operation(
            method="post",
            path=f"/api/admin/{operation.name}",
            summary=operation.summary,
            status=200,
            body=operation.request,
            answers=(operation.answer,),
            problems=(
                *BODY_PROBLEMS,
                *PHONE_PROBLEMS,
                *_CREDENTIAL_PROBLEMS,
                *operation.problems,
                "not_found",
            ),
            security=("serviceToken",),
        )
        for operation in ON_PEOPLE.values()
    ),
    Operation(
        method="get",
        path="/api/admin/audit",
        summary="The last acts of operators, the newest first; 50, or ?last= of them.",
        status=200,
        answers=(AuditAnswer,),
        problems=("invalid_request", *_CREDENTIAL_PROBLEMS),
        security=("serviceToken",),
    ),
)
