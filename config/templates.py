"""The file of the operator's own texts; ``services/sms`` judges them."""

from typing import Annotated

from config.fields import read
from config.toml_tables import Table, read_tables


def read_templates(path: str) -> tuple[Table, ...]:
    """Return the file's ``[[template]]`` tables, in order.

    Raises:
        ValueError: it cannot be read, is not TOML, or holds something else.
    """
    return read_tables(path, "template")


TemplatesFile = Annotated[tuple[Table, ...], read(read_templates)]
