"""What vendors charge for a message."""

from collections.abc import Iterable

from services.sms.prefixes import Row, VendorPrefixes
from utils.phone import PhoneNumber


class Prices:
    """Prices of one message each, all in one currency, which is the operator's."""

    def __init__(self, rows: Iterable[Row[float]] = ()) -> None:
        self._prices = VendorPrefixes(rows)

    def of(self, vendor: str, number: PhoneNumber | str) -> float | None:
        """Return the price to a number or a prefix such as ``+91``, if it is known."""
        return self._prices.find(vendor, number)
