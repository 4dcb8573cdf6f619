"""Text that somebody writes and that is kept: it must read well and hold no number."""

import re

# What eight digits or more spell may be a phone number, whatever stands between them. A
# date is none.
_MOST_DIGITS = 7
_DATE = re.compile(
    r"(?<!\d)20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?!\d)", re.ASCII
)


def kept_text(text: str) -> str:
    """Return the text, which is kept in Redis, in logs or both.

    Raises:
        ValueError: it cannot be printed, is empty, or may hold a phone number.
    """
    if not text.isprintable() or not text.strip():
        message = "must be printable, and not empty"
        raise ValueError(message)
    if sum(map(str.isdigit, _DATE.sub("", text))) > _MOST_DIGITS:
        message = "must not hold eight digits or more: it is kept, and may be a phone"
        raise ValueError(message)
    return text
