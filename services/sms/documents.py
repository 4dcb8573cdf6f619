"""Reads what vendors write: JSON of any shape and forms, whatever their pages say."""

import math
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

# The longest receipts have some twenty.
_MOST_FIELDS = 200

_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,20})?", re.ASCII)


def read_object(body: bytes) -> dict[str, Any]:
    """Read a JSON object; what is none says nothing, so it is an empty one."""
    try:
        document = orjson.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def read_form(body: bytes) -> dict[str, str]:
    """Read a form; the last value of a repeated field counts."""
    try:
        return dict(split_form(body.decode(errors="replace")))
    except ValueError:
        return {}


def split_form(text: str) -> list[tuple[str, str]]:
    """Return the fields of a form or a query in their order.

    Raises:
        ValueError: more of them than a vendor sends: to sort and to sign thousands
            would cost more than to send them.
    """
    return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)


def dig(document: object, *path: str | int) -> Any:
    """Follow keys and positions into a document; None where it goes no further."""
    found = document
    for step in path:
        if isinstance(step, str) and isinstance(found, dict):
            found = found.get(step)
        elif isinstance(step, int) and isinstance(found, list):
            found = found[step] if step < len(found) else None
        else:
            return None
    return found


def dig_text(document: object, *path: str | int) -> str:
    """Follow a path to a text; "" where there is none."""
    found = dig(document, *path)
    return found if isinstance(found, str) else ""


def dig_list(document: object, *path: str | int) -> list[Any]:
    """Follow a path to a list; an empty one where there is none."""
    found = dig(document, *path)
    return found if isinstance(found, list) else []


def read_amount(value: object) -> float | None:
    """Read an amount of money, as a number or in digits; None for anything else."""
    if isinstance(value, str):
        return float(value) if _AMOUNT.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < math.inf else None
