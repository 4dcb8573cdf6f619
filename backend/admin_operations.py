"""The operators' routes: what each takes, and how the OpenAPI document shows it."""

from backend import admin_schemas
from backend.admin_schemas import FreezeRequest, PersonRequest, RoleRequest
from backend.operation import BODY_PROBLEMS, PHONE_PROBLEMS, Operation
from backend.schemas import Body

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
    "trace": admin_schemas.TraceRequest,
}

_ANSWERS: dict[str, tuple[type[Body], str]] = {
    "look": (
        admin_schemas.LookAnswer,
        "Show a person: freeze, roles, sessions, lock.",
    ),
    "freeze": (
        admin_schemas.ChangedAnswer,
        "Let somebody neither log in nor refresh.",
    ),
    "thaw": (admin_schemas.ChangedAnswer, "Undo a freeze."),
    "end-sessions": (admin_schemas.EndedAnswer, "Log somebody out everywhere."),
    "unlock": (
        admin_schemas.UnlockAnswer,
        "Lift a phone's lock, and allow some wrong codes more.",
    ),
    "grant-role": (admin_schemas.RolesAnswer, "Give a role."),
    "take-role": (admin_schemas.RolesAnswer, "Take a granted role away."),
    "reassign": (
        admin_schemas.ReassignAnswer,
        "The number is somebody else's now: who logs in next is a new person.",
    ),
    "erase": (admin_schemas.EraseAnswer, "Forget a person."),
    "trace": (
        admin_schemas.TraceAnswer,
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
        answers=(admin_schemas.AuditAnswer,),
        problems=("invalid_request", *_CREDENTIAL_PROBLEMS),
        security=("serviceToken",),
    ),
)
