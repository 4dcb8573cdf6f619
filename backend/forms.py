"""Reads a request's form, as OAuth has it (RFC 6749, appendix B)."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.exceptions import UnsupportedMediaType

from backend.body import MAX_BODY_BYTES, read_raw
from backend.errors import BodyError

FORM = "application/x-www-form-urlencoded"

# OAuth has a dozen; what is beyond a few more is nobody's request.
_MAX_PARAMETERS = 32

# A name that is safe to repeat in ``error_description`` (RFC 6749 5.2).
_NAME = re.compile(r"[a-z_]{1,32}", re.ASCII)


def read_form(request: Request) -> Mapping[str, str]:
    """Return the parameters of ``request``; one without a value is as if left out.

    Raises:
        BodyError: a parameter appears twice (RFC 6749 3.2), or it is not UTF-8.
        HTTPException: too large, or not declared as a form.
    """
    if request.mimetype != FORM:
        raise UnsupportedMediaType
    try:
        pairs = parse_qsl(
            read_raw(request, MAX_BODY_BYTES).decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MAX_PARAMETERS,
        )
    except ValueError:
        raise bad_form("", "The form cannot be read as UTF-8") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            known = name if _NAME.fullmatch(name) else ""
            raise bad_form(known, "A parameter appears twice")
        found[name] = value
    return {name: value for name, value in found.items() if value}


def required(form: Mapping[str, str], name: str) -> str:
    """Return a parameter that must be there.

    Raises:
        BodyError: it is not.
    """
    value = form.get(name)
    if value is None:
        raise bad_form(name, "Is missing")
    return value


def bad_form(field: str, message: str) -> BodyError:
    """Return the error that says what is wrong with a form."""
    return BodyError("bad_request", [{"field": field, "message": message}])
