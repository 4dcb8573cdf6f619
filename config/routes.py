"""Which vendors send where, in whose name, and what they charge for it."""

import math
import re
from typing import Annotated

from config.fields import read
from config.lists import is_name, items, parse_sender
from config.tables import Row, parse_table, parse_vendor

# A vendor and its weight; None where the order is the preference.
Hops = tuple[tuple[str, int | None], ...]

WEIGHT_MAX = 1_000
PRICE_MAX = 100.0

_HOP = re.compile(r"([A-Za-z0-9_]+)(?:\s*=\s*([0-9]{1,4}))?")
_PRICE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,8})?")


def parse_routes(text: str) -> tuple[Row[Hops], ...]:
    """Read ``+91: fast2sms, twilio; *: twilio=70, vonage=30``."""
    return parse_table(text, _read_hops, by_vendor=False, shape="+91: fast2sms, twilio")


def parse_senders(text: str) -> tuple[Row[tuple[str, ...]], ...]:
    """Read ``twilio +1: +15005550006 | +15005550007; vonage *: QuickCart``."""
    rows = parse_table(
        text, _read_senders, by_vendor=True, shape="twilio +1: +15005550006"
    )
    for place, row in enumerate(rows, start=1):
        # Their networks deliver from numbers alone, and change or drop the rest.
        if row.prefix.startswith("+1") and any(map(is_name, row.value)):
            raise ValueError(
                f"entry {place} has a name for +1, where only numbers can send"
            )
    return rows


def parse_prices(text: str) -> tuple[Row[float], ...]:
    """Read ``twilio +91: 0.0832, *: 0.05; fast2sms: 0.0025``."""
    return parse_table(
        text, _read_price, by_vendor=True, shape="twilio +91: 0.0832, *: 0.05"
    )


def _read_hops(text: str) -> Hops:
    hops: dict[str, int | None] = {}
    for item in items(text):
        match = _HOP.fullmatch(item)
        if not match:
            raise ValueError("must list vendors, such as twilio, or all as twilio=70")
        name = parse_vendor(match[1])
        if name in hops:
            raise ValueError(f"names {name} twice")
        hops[name] = int(match[2]) if match[2] else None
        if match[2] and not 1 <= int(match[2]) <= WEIGHT_MAX:
            raise ValueError(f"has a weight that is not between 1 and {WEIGHT_MAX}")
    if not hops:
        raise ValueError("names no vendor")
    if len({weight is None for weight in hops.values()}) > 1:
        raise ValueError("must give every vendor a weight, or none")
    return tuple(hops.items())


def _read_senders(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_sender(part.strip()) for part in text.split("|")))


def _read_price(text: str) -> float:
    price = float(text) if _PRICE.fullmatch(text) else math.inf
    if price > PRICE_MAX:
        raise ValueError(f"must give a price from 0 to {PRICE_MAX:g}, such as 0.0832")
    return price


Routes = Annotated[tuple[Row[Hops], ...], read(parse_routes)]
SenderIds = Annotated[tuple[Row[tuple[str, ...]], ...], read(parse_senders)]
Prices = Annotated[tuple[Row[float], ...], read(parse_prices)]
