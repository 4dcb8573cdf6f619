"""Reads a request's JSON body into a model, or says all that is wrong with it."""

import json
from typing import Any, TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from backend.errors import BodyError

Model = TypeVar("Model", bound=BaseModel)

# All our requests fit in a quarter of it.
MAX_BODY_BYTES = 4096

# Where Werkzeug stops reading a body of unknown length, without a word: one byte more,
# or what it leaves unread would go unnoticed.
READ_BYTES = MAX_BODY_BYTES + 1

# Ours hold no lists and no objects. At the bottom of a recursion as deep as 4 KiB allow
# whatever else Python does just then (a finalizer, say) would fail.
_MAX_NESTED = 200

# A field name of the caller's own that we repeat is cut to this.
_MAX_FIELD_NAME = 64


def read_body(request: Request, model: type[Model]) -> Model:
    """Parse the body of ``request`` as ``model``.

    Raises:
        BodyError: not JSON, or fields that are not valid (all of them at once).
        HTTPException: too large, or not declared as JSON.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return model.model_validate(_parse(read_raw(request, MAX_BODY_BYTES)))
    except ValidationError as error:
        raise BodyError("invalid_request", _field_errors(error)) from None


def read_raw(request: Request, most: int) -> bytes:
    """Return the body as it came; ``most`` replaces the limit on our own requests.

    Raises:
        HTTPException: too large.
    """
    request.max_content_length = most + 1
    if (request.content_length or 0) > most:
        raise RequestEntityTooLarge
    body = request.get_data(cache=False)
    if len(body) > most:
        raise RequestEntityTooLarge
    return body


def _parse(body: bytes) -> dict[str, Any]:
    """Parse JSON strictly: UTF-8, an object, no name twice, no NaN (RFC 8259).

    A parser that took the last of two equal names would let a proxy that takes the
    first see another phone than we do.
    """
    if body.count(b"[") + body.count(b"{") > _MAX_NESTED:
        raise BodyError("malformed_request")
    try:
        document = json.loads(
            body.decode(), object_pairs_hook=_object, parse_constant=_refuse
        )
    except ValueError:
        raise BodyError("malformed_request") from None
    if not isinstance(document, dict):
        raise BodyError("malformed_request")
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "a name appears twice"
        raise ValueError(message)
    return found


def _refuse(constant: str) -> None:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def _field_errors(error: ValidationError) -> list[dict[str, str]]:
    """List what is wrong, without repeating what was sent (it may be a number)."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [{"field": _printable(*it["loc"][:1]), "message": it["msg"]} for it in found]


def _printable(name: str | int = "") -> str:
    """Cut a name, and replace what UTF-8 has no bytes for.

    A name that is nothing but that is not even named by the validation.
    """
    return str(name)[:_MAX_FIELD_NAME].encode(errors="replace").decode()
