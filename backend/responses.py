"""Answers as JSON."""

from typing import Any

import orjson
from flask import Response
from pydantic import BaseModel


def json_response(
    body: object, *, status: int = 200, content_type: str = "application/json"
) -> Response:
    """Answer with a model, or with a dict in which dataclasses stand for objects.

    The models in ``schemas.py`` describe every body, and the tests hold each answer
    against them. On the busy routes a dict takes the model's place: to build the model
    costs more than all that is in it.
    """
    encoded = orjson.dumps(body, default=_encode)
    return Response(encoded, status=status, content_type=content_type)


def _encode(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True)
    raise TypeError
