"""Values by the beginning of a phone number: the longest one counts."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from utils.phone import PhoneNumber

Value = TypeVar("Value")

# A vendor's name, the beginning of an E.164 number (empty for all), and a value.
Row = tuple[str, str, Value]


class Prefixes(Generic[Value]):
    """Values by E.164 prefix, such as ``+91``; the empty prefix stands for all."""

    def __init__(self, rows: Iterable[tuple[str, Value]]) -> None:
        self._values = dict(rows)
        self._lengths = sorted({len(prefix) for prefix in self._values}, reverse=True)

    def find(self, number: PhoneNumber | str) -> Value | None:
        """Return the value for a number or a prefix."""
        digits = number if isinstance(number, str) else number.e164
        for length in self._lengths:
            value = self._values.get(digits[:length])
            if value is not None:
                return value
        return None


class VendorPrefixes(Generic[Value]):
    """Values by vendor and E.164 prefix."""

    def __init__(self, rows: Iterable[Row[Value]]) -> None:
        by_vendor: dict[str, list[tuple[str, Value]]] = {}
        for vendor, prefix, value in rows:
            by_vendor.setdefault(vendor, []).append((prefix, value))
        self._vendors = {vendor: Prefixes(it) for vendor, it in by_vendor.items()}

    def find(self, vendor: str, number: PhoneNumber | str) -> Value | None:
        """Return a vendor's value for a number or a prefix."""
        prefixes = self._vendors.get(vendor)
        return prefixes.find(number) if prefixes else None
