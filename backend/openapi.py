"""The OpenAPI 3.1 document, built from the models that validate and answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backend import schemas
from backend.errors import PROBLEM_TYPE, PROBLEMS
from backend.version import VERSION

_REF = "#/components/schemas/{model}"

_JSON = "application/json"
_HEALTH = "application/health+json"

_REQUEST_ID = {
    "description": "Names this request in our log.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "description": "Seconds to wait.",
    "schema": {"type": "integer", "minimum": 1},
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as the document shows it; ``problems`` are codes of the table."""

    method: str
    path: str
    summary: str
    status: int
    answers: tuple[type[BaseModel], ...]
    problems: tuple[str, ...] = ()
    body: type[BaseModel] | None = None
    content_type: str = _JSON
    failing: int | None = None
    bearer: str | None = None
    path_parameter: str | None = None


_BODY_PROBLEMS = (
    "malformed_request",
    "bad_request",
    "invalid_request",
    "payload_too_large",
    "unsupported_media_type",
)
_PHONE_PROBLEMS = ("phone_invalid", "phone_not_supported")

OPERATIONS = (
    Operation(
        method="post",
        path="/api/send-otp",
        summary="Send a code to a phone, or the same code again.",
        status=202,
        body=schemas.SendOtpRequest,
        answers=(schemas.SendOtpResponse,),
        problems=(
            *_BODY_PROBLEMS,
            *_PHONE_PROBLEMS,
            "verification_gone",
            "phone_locked",
            "rate_limited",
            "recipient_unreachable",
            "delivery_unavailable",
            "store_unavailable",
        ),
    ),
    Operation(
        method="post",
        path="/api/verify-otp",
        summary="Check the code that the person typed.",
        status=200,
        body=schemas.VerifyOtpRequest,
        answers=(schemas.LoginResponse, schemas.VerificationResponse),
        problems=(
            *_BODY_PROBLEMS,
            *_PHONE_PROBLEMS,
            "wrong_code",
            "verification_gone",
            "attempts_exhausted",
            "phone_locked",
            "rate_limited",
            "store_unavailable",
        ),
    ),
    Operation(
        method="get",
        path="/api/otp-status/{verification_id}",
        summary="Tell how a verification stands. Who holds its id may ask.",
        status=200,
        answers=(schemas.StatusResponse,),
        problems=("invalid_request", "not_found", "store_unavailable"),
        path_parameter="verification_id",
    ),
    Operation(
        method="get",
        path="/api/me",
        summary="Tell who the bearer of the token is, if the session is alive.",
        status=200,
        answers=(schemas.MeResponse,),
        problems=("invalid_token", "store_unavailable"),
        bearer="accessToken",
    ),
    Operation(
        method="get",
        path="/.well-known/jwks.json",
        summary="The keys that verify our tokens (RFC 7517).",
        status=200,
        answers=(schemas.JwksResponse,),
    ),
    Operation(
        method="get",
        path="/api/health",
        summary="Health of the service and of each dependency; calls no vendor.",
        status=200,
        answers=(schemas.HealthResponse,),
        content_type=_HEALTH,
        failing=503,
    ),
    Operation(
        method="get",
        path="/livez",
        summary="The process runs; restart it if this fails.",
        status=200,
        answers=(schemas.LiveResponse,),
        content_type=_HEALTH,
    ),
    Operation(
        method="get",
        path="/readyz",
        summary="The service can serve; send it no traffic while this fails.",
        status=200,
        answers=(schemas.HealthResponse,),
        content_type=_HEALTH,
        failing=503,
    ),
    Operation(
        method="get",
        path="/metrics",
        summary="Metrics in Prometheus's text format; with METRICS_TOKEN set, by it.",
        status=200,
        answers=(),
        content_type="text/plain",
        problems=("invalid_token", "not_found"),
        bearer="metricsToken",
    ),
    Operation(
        method="get",
        path="/api",
        summary="What this is.",
        status=200,
        answers=(schemas.AboutResponse,),
    ),
    Operation(
        method="get",
        path="/api/openapi.json",
        summary="This document.",
        status=200,
        answers=(),
    ),
    Operation(
        method="get",
        path="/api/docs",
        summary="This document, to read.",
        status=200,
        answers=(),
        content_type="text/html",
    ),
)


def document() -> dict[str, Any]:
    """Return the document; a new one at each call."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "QuickCart Auth",
            "version": VERSION,
            "description": "Log in by phone: send a code, check it, get a token.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                },
                "metricsToken": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "summary": operation.summary,
        "operationId": _operation_id(operation),
        "responses": _responses(operation),
    }
    if operation.body:
        described["requestBody"] = {
            "required": True,
            "content": {_JSON: {"schema": _ref(operation.body)}},
        }
    if operation.path_parameter:
        described["parameters"] = [
            {
                "name": operation.path_parameter,
                "in": "path",
                "required": True,
                "schema": {
                    "type": "string",
                    "pattern": "^[A-Za-z0-9_-]{16}[lv][A-Za-z0-9_-]{22}$",
                },
            }
        ]
    if operation.bearer:
        described["security"] = [{operation.bearer: []}]
        if operation.bearer == "metricsToken":
            described["security"].append({})
    return described


def _operation_id(operation: Operation) -> str:
    words = operation.path.partition("{")[0].strip("/").replace(".", "-")
    return f"{operation.method}_{words.replace('/', '_').replace('-', '_')}".strip("_")


def _responses(operation: Operation) -> dict[str, Any]:
    responses = {str(operation.status): _answer(operation, "The answer.")}
    if operation.failing:
        responses[str(operation.failing)] = _answer(operation, "It fails.")
    for status, codes in _by_status((*operation.problems, "internal_error")):
        titles = "; ".join(f"`{code}`: {PROBLEMS[code].title}" for code in codes)
        headers = {"X-Request-Id": _REQUEST_ID}
        if status in {429, 503}:
            headers["Retry-After"] = _RETRY_AFTER
        responses[str(status)] = {
            "description": titles + ".",
            "headers": headers,
            "content": {PROBLEM_TYPE: {"schema": _ref(schemas.Problem)}},
        }
    return responses


def _answer(operation: Operation, description: str) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if len(operation.answers) == 1:
        schema = _ref(operation.answers[0])
    elif operation.answers:
        schema = {"oneOf": [_ref(model) for model in operation.answers]}
    return {
        "description": description,
        "headers": {"X-Request-Id": _REQUEST_ID},
        "content": {operation.content_type: {"schema": schema}},
    }


def _by_status(codes: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    for status in sorted({PROBLEMS[code].status for code in codes}):
        yield status, [code for code in codes if PROBLEMS[code].status == status]


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas() -> dict[str, Any]:
    requests = [(it.body, "validation") for it in OPERATIONS if it.body]
    answers = [(model, "serialization") for it in OPERATIONS for model in it.answers]
    problem = (schemas.Problem, "serialization")
    _, found = models_json_schema(
        [*requests, *answers, problem],  # type: ignore[list-item]
        ref_template=_REF,
    )
    definitions: dict[str, Any] = found["$defs"]
    return definitions
