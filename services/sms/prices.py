"""What vendors charge for a message: as it is listed, and as their receipts tell.

All in one currency, the operator's. What receipts tell comes before what is listed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from services.sms.learned_prices import LearnedPrices
from services.sms.prefixes import Prefixes
from services.sms.provider import Channel
from services.sms.receipts import Receipt
from services.sms.routes import LAST_RESORT
from utils.phone import PhoneNumber

# Caps on money count in millionths, in whole numbers.
MICROS = 1_000_000

# A receipt that is so many times off what was expected is a mistake, or not a vendor's.
_BELIEVED_FACTOR = 100


@dataclass(frozen=True, slots=True)
class Price:
    """One line of a price list: what one message by ``vendor`` costs.

    It is for numbers that begin with ``prefix`` (E.164), or for those of ``country``
    (ISO 3166), or without both for all; without ``channel`` it is for every channel.
    """

    vendor: str
    amount: float
    prefix: str = ""
    country: str = ""
    channel: Channel | None = None


class Prices:
    """Prices of one message each. Safe to share between threads.

    Of listed prices one for the channel comes before one for all, then the longest
    prefix counts; a country is as long as its calling code, and before that. What
    nobody lists and no receipt told costs ``unknown``, and the vendor of last resort
    nothing. Of ``learned`` prices those in ``currency`` (ISO 4217) are believed, within
    reason.
    """

    def __init__(
        self,
        rows: Iterable[Price] = (),
        *,
        unknown: float = 0.1,
        currency: str = "USD",
        learned: LearnedPrices | None = None,
    ) -> None:
        by_vendor: dict[tuple[str, Channel | None], list[Price]] = {}
        for row in rows:
            by_vendor.setdefault((row.vendor, row.channel), []).append(row)
        self._lists = {names: _List(them) for names, them in by_vendor.items()}
        self._unknown = _Amount(unknown)
        self._currency = currency
        self._learned = learned

    def of(self, vendor: str, phone: PhoneNumber, channel: Channel) -> float | None:
        """Return the price of a message, if it is known; costs no round trip."""
        if vendor == LAST_RESORT:
            return 0.0
        listed, told = self._known(vendor, phone, channel)
        if told is not None:
            return told / MICROS
        return listed.amount if listed else None

    def is_learned(self, vendor: str, phone: PhoneNumber, channel: Channel) -> bool:
        """Tell whether the price is what receipts told, and not a listed one."""
        return self._known(vendor, phone, channel)[1] is not None

    def micros(self, vendor: str, phone: PhoneNumber, channel: Channel) -> int:
        """Return the price in millionths, rounded up; one not known is ``unknown``."""
        if vendor == LAST_RESORT:
            return 0
        listed, told = self._known(vendor, phone, channel)
        return (listed or self._unknown).micros if told is None else told

    def learn(
        self, vendor: str, phone: PhoneNumber, channel: Channel, receipt: Receipt
    ) -> None:
        """Take the price from a receipt that carries one; nothing else, no round trip.

        Not believed are another currency, nothing, and a hundred times or a hundredth
        of what is listed. A price that is listed for a part of the country is not for
        a receipt to change: those from elsewhere in the country tell nothing of it.
        """
        price = receipt.price
        if self._learned is None or not price or receipt.currency != self._currency:
            return
        listed = self._listed(vendor, phone, channel)
        if listed and listed.is_within_country(phone):
            return
        expected = (listed.amount if listed else 0.0) or self._unknown.amount
        if expected / _BELIEVED_FACTOR < price < expected * _BELIEVED_FACTOR:
            micros = _Amount(price).micros
            self._learned.add((vendor, phone.region, channel), micros)

    def exchange(self) -> None:
        """Tell the other workers what was learned, and learn what they did.

        Raises:
            StoreUnavailable: Redis cannot be reached; what was learned is kept.
        """
        if self._learned is not None:
            self._learned.exchange()

    def _known(
        self, vendor: str, phone: PhoneNumber, channel: Channel
    ) -> "tuple[_Amount | None, int | None]":
        """Return the listed price, and in millionths the learned one that beats it."""
        listed = self._listed(vendor, phone, channel)
        if self._learned is None or (listed and listed.is_within_country(phone)):
            return listed, None
        return listed, self._learned.of((vendor, phone.region, channel))

    def _listed(
        self, vendor: str, phone: PhoneNumber, channel: Channel
    ) -> "_Amount | None":
        for names in ((vendor, channel), (vendor, None)):
            rows = self._lists.get(names)
            if rows and (found := rows.find(phone)):
                return found
        return None


class _Amount:
    """A price, and how long the beginning of the numbers is that it is for."""

    def __init__(self, amount: float, prefix: str = "") -> None:
        self.amount = amount
        # What a float is off must not become another millionth.
        self.micros = math.ceil(round(amount * MICROS, 3))
        self._length = len(prefix)

    def is_within_country(self, phone: PhoneNumber) -> bool:
        """Tell whether it is for a part of the phone's country only."""
        return self._length > 1 + len(str(phone.country_code))


class _List:
    """What one vendor lists, for one channel or for all."""

    def __init__(self, rows: Iterable[Price]) -> None:
        rows = list(rows)
        self._prefixes = Prefixes(
            (it.prefix, _Amount(it.amount, it.prefix)) for it in rows if not it.country
        )
        self._countries = {it.country: _Amount(it.amount) for it in rows if it.country}

    def find(self, phone: PhoneNumber) -> _Amount | None:
        found = self._prefixes.find(phone)
        country = self._countries.get(phone.region)
        if country and not (found and found.is_within_country(phone)):
            return country
        return found
