"""The OpenAPI 3.1 document, built from the models that validate and answer."""

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from backend.callers import DIRECT
from backend.cookies import refresh_cookie
from backend.errors import PROBLEM_TYPE, PROBLEMS
from backend.forms import FORM
from backend.openapi.operation import JSON, Operation
from backend.openapi.operations import OPERATIONS
from backend.schemas.body import Problem
from backend.schemas.oauth import OAuthProblem
from backend.version import VERSION

_REF = "#/components/schemas/{model}"

_PARAMETERS = {
    "verification_id": {
        "type": "string",
        "pattern": r"^([A-Za-z0-9_-]{16}[lvcLVC][A-Za-z0-9_-]{26}|\+?[0-9]{4,20})$",
    },
    "of_issuer": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    "session_id": {"type": "string", "pattern": "^[A-Za-z0-9_-]{38}$"},
    "vendor": {"type": "string", "pattern": "^[a-z0-9_]{1,30}$"},
    "token": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
}

_REQUEST_ID = {
    "description": "Names this request in our log.",
    "schema": {"type": "string"},
}
_RETRY_AFTER = {
    "description": "Seconds to wait.",
    "schema": {"type": "integer", "minimum": 1},
}


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
                "refreshCookie": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": refresh_cookie(DIRECT),
                    "description": "So named for callers without an Origin; every"
                    " storefront has another one, by a hash of its origin. It counts"
                    " only beside X-Requested-With: QuickCart.",
                },
                "metricsToken": {"type": "http", "scheme": "bearer"},
                "serviceClient": {"type": "http", "scheme": "basic"},
                "serviceToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                },
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
            "required": not operation.is_body_optional,
            "content": {
                FORM if operation.is_oauth else JSON: {"schema": _ref(operation.body)}
            },
        }
    names = re.findall(r"{(\w+)}", operation.path)
    if names:
        described["parameters"] = [
            {"name": it, "in": "path", "required": True, "schema": _PARAMETERS[it]}
            for it in names
        ]
    if operation.bearer:
        described["security"] = [{operation.bearer: []}]
        if operation.bearer == "metricsToken":
            described["security"].append({})
    if operation.security:
        described["security"] = [{it: []} if it else {} for it in operation.security]
    return described


def _operation_id(operation: Operation) -> str:
    words = re.sub(r"\W+", "_", operation.path).strip("_")
    return f"{operation.method}_{words}"


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
            "content": _problem_content(operation),
        }
    return responses


def _problem_content(operation: Operation) -> dict[str, Any]:
    if operation.is_oauth:
        return {JSON: {"schema": _ref(OAuthProblem)}}
    return {PROBLEM_TYPE: {"schema": _ref(Problem)}}


def _answer(operation: Operation, description: str) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if len(operation.answers) == 1:
        schema = _ref(operation.answers[0])
    elif operation.answers:
        schema = {"oneOf": [_ref(model) for model in operation.answers]}
    if operation.status == HTTPStatus.NO_CONTENT or (operation.is_oauth and not schema):
        return {"description": description, "headers": {"X-Request-Id": _REQUEST_ID}}
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
    problems = [(Problem, "serialization"), (OAuthProblem, "serialization")]
    _, found = models_json_schema(
        [*requests, *answers, *problems],  # type: ignore[list-item]
        ref_template=_REF,
    )
    definitions: dict[str, Any] = found["$defs"]
    return definitions
