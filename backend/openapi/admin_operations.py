"""The operators' routes: what each takes, and how the OpenAPI document shows it."""

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

# What the body of each operation is, by HTTP and from the command line.
REQUESTS: dict[str, type[PersonRequest]] = {
    "look": PersonRequest,
    "freeze": FreezeRequest,
    "thaw": PersonRequest,
    "end-sessions": PersonRequest,
    "unlock": PersonRequest,
    "grant-role": RoleRequest,
    "take-role": RoleRequest,
    "reassign": PersonRequest,
    "erase": PersonRequest,
    "trace": TraceRequest,
}

_ANSWERS: dict[str, tuple[type[Body], str]] = {
    "look": (
        LookAnswer,
        "Show a person: freeze, roles, sessions, lock.",
    ),
    "freeze": (
        ChangedAnswer,
        "Let somebody neither log in nor refresh.",
    ),
    "thaw": (ChangedAnswer, "Undo a freeze."),
    "end-sessions": (EndedAnswer, "Log somebody out everywhere."),
    "unlock": (
        UnlockAnswer,
        "Lift a phone's lock, and allow some wrong codes more.",
    ),
    "grant-role": (RolesAnswer, "Give a role."),
    "take-role": (RolesAnswer, "Take a granted role away."),
    "reassign": (
        ReassignAnswer,
        "The number is somebody else's now: who logs in next is a new person.",
    ),
    "erase": (EraseAnswer, "Forget a person."),
    "trace": (
        TraceAnswer,
        "Tell what happened to a phone or in one verification.",
    ),
}

SUMMARIES = {name: summary for name, (_, summary) in _ANSWERS.items()}

_CREDENTIAL_PROBLEMS = ("invalid_token", "insufficient_scope", "store_unavailable")

ADMIN_OPERATIONS = (
    *(
        Operation(
            method="post",
            path=f"/api/admin/{name}",
            summary=summary,
            status=200,
            body=REQUESTS[name],
            answers=(answer,),
            problems=(
                *BODY_PROBLEMS,
                *PHONE_PROBLEMS,
                *_CREDENTIAL_PROBLEMS,
                *(("rate_limited",) if name == "unlock" else ()),
                "not_found",
            ),
            security=("serviceToken",),
        )
        for name, (answer, summary) in _ANSWERS.items()
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
