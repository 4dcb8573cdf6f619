"""The shape of one route in the OpenAPI document."""

from dataclasses import dataclass

from pydantic import BaseModel

JSON = "application/json"

BODY_PROBLEMS = (
    "malformed_request",
    "bad_request",
    "invalid_request",
    "payload_too_large",
    "unsupported_media_type",
)
PHONE_PROBLEMS = ("phone_invalid", "phone_not_supported")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document shows it; ``problems`` are codes of the table.

    ``security`` names the schemes of which any one does; an empty name stands for none.
    """

    method: str
    path: str
    summary: str
    status: int
    answers: tuple[type[BaseModel], ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    is_body_optional: bool = False
    content_type: str = JSON
    failing: int | None = None
    bearer: str | None = None
    security: tuple[str, ...] = ()
    is_oauth: bool = False
