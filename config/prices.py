"""The file of prices: what one message costs, by vendor, place and channel."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast, get_args

from config.fields import read
from config.lists import parse_country
from config.routes import PRICE_MAX
from config.tables import parse_prefix, parse_vendor
from config.toml_tables import Table, read_tables

Channel = Literal["sms", "whatsapp", "voice"]

_KEYS = frozenset({"vendor", "country", "prefix", "channel", "price"})


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One ``[[price]]`` table; what it leaves out is empty, and it is for all of that.

    ``prefix`` is the beginning of an E.164 number, with its ``+``.
    """

    vendor: str
    price: float
    country: str = ""
    prefix: str = ""
    channel: Channel | None = None

    @property
    def scope(self) -> tuple[str, str, str]:
        """What no other price may be for."""
        return self.vendor, self.country or self.prefix, self.channel or ""


def read_prices(path: str) -> tuple[ListedPrice, ...]:
    """Return the file's ``[[price]]`` tables, in order.

    Raises:
        ValueError: it cannot be read, is not TOML, or some prices cannot be what is
            meant: each is named by its place, with all that is wrong.
    """
    problems: list[str] = []
    found: dict[tuple[str, str, str], ListedPrice] = {}
    for place, table in enumerate(read_tables(path, "price"), start=1):
        faults = list(_faults(table))
        if not faults:
            row = _read_row(table)
            if found.setdefault(row.scope, row) is not row:
                faults = ["is for what a price before it is for"]
        problems += [f"price {place} {fault}" for fault in faults]
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(found.values())


def _faults(table: Table) -> Iterator[str]:
    if table.keys() - _KEYS:
        yield f"has an unknown key; known are {', '.join(sorted(_KEYS))}"
    for key, parse in (
        ("vendor", parse_vendor),
        ("country", parse_country),
        ("prefix", parse_prefix),
        ("channel", _parse_channel),
    ):
        if (fault := _fault_of(table.get(key), parse)) is not None:
            yield f"{key} {fault}"
    if "vendor" not in table:
        yield "needs a vendor"
    if "country" in table and "prefix" in table:
        yield "must have a country or a prefix, not both"
    if not _is_price(table.get("price")):
        yield f"must have a price from 0 to {PRICE_MAX:g}, such as 0.0832"


def _fault_of(value: object, parse: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        return "must be a text"
    try:
        parse(value)
    except ValueError as error:
        return str(error)
    return None


def _parse_channel(text: str) -> str:
    if text not in get_args(Channel):
        raise ValueError(f"must be one of {', '.join(get_args(Channel))}")
    return text


def _is_price(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 <= value <= PRICE_MAX


def _read_row(table: Table) -> ListedPrice:
    country = table.get("country")
    return ListedPrice(
        vendor=parse_vendor(table["vendor"]),
        price=float(table["price"]),
        country=parse_country(country) if country else "",
        prefix=table.get("prefix", ""),
        channel=cast("Channel | None", table.get("channel")),
    )


PricesFile = Annotated[tuple[ListedPrice, ...], read(read_prices)]
