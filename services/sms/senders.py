"""Who a message is from, where the settings say so for the phone's country."""

from collections.abc import Iterable

from services.sms.prefixes import Row, VendorPrefixes
from utils.phone import PhoneNumber

# Networks there deliver from registered numbers, toll-free numbers and short codes
# alone: a name fails, or is changed to a number that nobody knows.
_NUMBERS_ONLY = frozenset({"US", "CA"})


class Senders:
    """Sender ids by vendor and number, several of them to take turns."""

    def __init__(self, rows: Iterable[Row[tuple[str, ...]]] = ()) -> None:
        self._senders = VendorPrefixes(rows)

    def of(self, vendor: str, phone: PhoneNumber) -> tuple[str, ...]:
        """Return a vendor's senders for a phone; none means the vendor's own setting.

        A name that is meant for everywhere is left out where names cannot send.
        """
        senders = self._senders.find(vendor, phone) or ()
        if phone.region not in _NUMBERS_ONLY:
            return senders
        return tuple(it for it in senders if it.removeprefix("+").isdigit())

    def pick(self, vendor: str, phone: PhoneNumber, turn: int) -> str | None:
        """Return the sender for a vendor's ``turn``-th message of a verification.

        ``turn`` counts from 0. A resend that must go through the same vendor comes from
        another sender where there is one: the first may be what was filtered.
        """
        senders = self.of(vendor, phone)
        return senders[turn % len(senders)] if senders else None
