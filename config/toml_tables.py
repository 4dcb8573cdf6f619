"""Files of TOML tables, read as far as TOML goes.

What stands in the tables is judged where they are used: in ``services``.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# As large as a thousand texts or clients; nobody's file is.
SIZE_MAX = 1_000_000

_PLACE = re.compile(r"line [0-9]+, column [0-9]+")

Table = Mapping[str, Any]


def read_document(path: str) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises:
        ValueError: it cannot be read, or is not TOML.
    """
    try:
        content = Path(path).read_bytes()
    except (OSError, ValueError):
        raise ValueError("must be the path of a file that can be read") from None
    if len(content) > SIZE_MAX:
        raise ValueError(f"must not be larger than {SIZE_MAX} bytes")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError:
        raise ValueError("must be the path of a file in UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _PLACE.search(str(error))
        where = f": see {place[0]}" if place else ""
        raise ValueError(f"must be the path of a TOML file{where}") from None


def read_tables(path: str, name: str) -> tuple[Table, ...]:
    """Return a TOML file's tables of one name, in order.

    Raises:
        ValueError: it cannot be read, is not TOML, or holds something else.
    """
    document = read_document(path)
    tables = document.pop(name, [])
    if document or not isinstance(tables, list):
        raise ValueError(f"must hold [[{name}]] tables, and nothing beside them")
    if not all(isinstance(table, dict) for table in tables):
        raise ValueError(f"must hold [[{name}]] tables, and nothing beside them")
    return tuple(tables)
