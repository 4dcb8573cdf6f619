"""Delivery receipts: what a vendor says, later, of a message that it took.

Each vendor's reader checks the vendor's own signature and then trusts the document; a
receipt says how a delivery fares and can never verify anything.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from services.sms.documents import read_amount
from services.sms.provider import Failure
from utils.crypto import same

_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)

DeliveryStatus = Literal["accepted", "sent", "delivered", "undelivered", "unknown"]


@dataclass(frozen=True, slots=True)
class Callback:
    """A vendor's request to us, as it came.

    ``url`` is the address that the vendor called: the configured public one, with the
    path and query of this request, whatever host a proxy made of it. Header names are
    lower case. ``token`` is the secret last part of the path, or "" without one.
    """

    method: str
    url: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    token: str = ""

    def __repr__(self) -> str:
        """Show nothing that came: it holds phone numbers and secrets."""
        return f"Callback({self.method})"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one message fares; ``failure`` says why it was not delivered.

    ``message_id`` is what the vendor called the message when it accepted it, and
    ``vendor_code`` its own code, never its text: texts echo numbers. ``price`` is what
    the message cost, in ``currency`` (ISO 4217), where the vendor says so.
    """

    message_id: str
    status: DeliveryStatus
    failure: Failure | None = None
    vendor_code: str = field(default="")
    price: float | None = None
    currency: str = ""


class BadSignature(Exception):
    """Nobody can tell that the vendor sent this."""


class ReceiptReader(Protocol):
    """Reads one vendor's receipts. Safe to share between threads."""

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the vendor says; nothing where it is not about a delivery.

        Unknown fields and unknown events are not errors, nor is a document that cannot
        be read once its signature is right: vendors add to theirs without notice.

        Raises:
            BadSignature: the signature or the secret token is missing or wrong.
        """
        ...


def with_price(receipt: Receipt, price: object, currency: str) -> Receipt:
    """Return the receipt with what the message cost, where both can be read."""
    amount = read_amount(price)
    if amount is None or not _CURRENCY.fullmatch(currency):
        return receipt
    return replace(receipt, price=amount, currency=currency.upper())


def check_token(callback: Callback, expected: str) -> None:
    """Stand in for a signature where the vendor has none: a secret path.

    Raises:
        BadSignature: the path ends in another token, or in none.
    """
    if not expected or not same(callback.token, expected):
        raise BadSignature
