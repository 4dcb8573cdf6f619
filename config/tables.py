"""Tables of what goes by vendor and by the beginning of a phone number.

::

    +91: fast2sms, twilio; *: twilio=70, vonage=30
    twilio +1: +15005550006 | +15005550007; vonage *: QuickCart
    twilio +91: 0.0832, *: 0.05; fast2sms: 0.0025

Entries stand between semicolons. ``, +44:`` or ``, *:`` begins another one of the same
vendor, and a vendor alone stands for all numbers. A message names an entry by its place
and never repeats it: a secret may have been pasted there.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import phonenumbers

Value = TypeVar("Value")

# What vendors are called in settings. The console has no row: nobody routes to it.
VENDORS = (
    "twilio",
    "twilio_verify",
    "twilio_voice",
    "fast2sms",
    "msg91",
    "vonage",
    "plivo",
    "infobip",
    "messagebird",
    "aws",
    "whatsapp",
    "webhook",
)

_ENTRY = re.compile(
    r"(?P<vendor>[A-Za-z][A-Za-z0-9_]*)?\s*(?P<prefix>\+[1-9][0-9]{0,9}|\*)?"
    r"\s*:\s*(?P<value>.+)",
    re.DOTALL,
)
_PREFIX = re.compile(r"\+[1-9][0-9]{0,9}", re.ASCII)
_SAME_VENDOR = re.compile(r",(?=\s*(?:\+[0-9]+|\*)\s*:)")


@dataclass(frozen=True, slots=True)
class Row(Generic[Value]):
    """One entry: ``vendor`` is empty where the table has none, ``prefix`` where ``*``.

    A prefix is the beginning of an E.164 number, with its ``+``.
    """

    vendor: str
    prefix: str
    value: Value


def parse_table(
    text: str, read: Callable[[str], Value], *, by_vendor: bool, shape: str
) -> tuple[Row[Value], ...]:
    """Read a table; ``read`` reads what stands behind an entry's colon.

    Raises:
        ValueError: names every entry that cannot be read, by its place. ``shape`` is
            an example of what would do.
    """
    rows: dict[tuple[str, str], Row[Value]] = {}
    problems = []
    for place, (vendor, entry) in enumerate(_entries(text), start=1):
        try:
            row = _read_entry(entry, vendor, read, by_vendor=by_vendor, shape=shape)
        except ValueError as error:
            problems.append(f"entry {place} {error}")
            continue
        if rows.setdefault((row.vendor, row.prefix), row) is not row:
            problems.append(f"entry {place} is for what an entry before it is for")
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(rows.values())


def parse_vendor(text: str) -> str:
    """Read a vendor's name."""
    name = text.strip().lower()
    if name not in VENDORS:
        raise ValueError(f"names an unknown vendor; known are {', '.join(VENDORS)}")
    return name


def parse_prefix(text: str) -> str:
    """Read the beginning of an E.164 number, with its ``+``."""
    if not _PREFIX.fullmatch(text):
        raise ValueError("must be the beginning of a number such as +91")
    if not _is_some_countrys(text):
        raise ValueError("begins with what is no country's calling code")
    return text


def _entries(text: str) -> Iterator[tuple[str, str]]:
    """Yield each entry, and the vendor of the one before it that it may go on from."""
    for group in text.split(";"):
        vendor = ""
        for entry in _SAME_VENDOR.split(group):
            if entry.strip():
                yield vendor, entry.strip()
            match = _ENTRY.fullmatch(entry.strip())
            vendor = (match["vendor"] or vendor) if match else vendor


def _read_entry(
    entry: str,
    vendor: str,
    read: Callable[[str], Value],
    *,
    by_vendor: bool,
    shape: str,
) -> Row[Value]:
    match = _ENTRY.fullmatch(entry)
    if not match:
        raise ValueError(f"must look like {shape}")
    name, prefix = match["vendor"] or vendor, match["prefix"]
    # Without vendors, a number must be named: nothing else says what an entry is for.
    if by_vendor != bool(name) or not (by_vendor or prefix):
        raise ValueError(f"must look like {shape}")
    return Row(
        vendor=parse_vendor(name) if name else "",
        prefix="" if not prefix or prefix == "*" else parse_prefix(prefix),
        value=read(match["value"].strip()),
    )


def _is_some_countrys(prefix: str) -> bool:
    codes = [f"+{code}" for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE]
    return any(prefix.startswith(code) or code.startswith(prefix) for code in codes)
