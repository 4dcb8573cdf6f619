"""What the simulator needs to know about a vendor."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.simulator.inbox import Code, Message
from tests.simulator.wire import Request, Response

# How far a message came. "sent" is on its way to the phone; the others are final.
State = Literal["sent", "delivered", "undelivered"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt to send a text, and what the vendor itself says to it.

    ``recipients`` and ``params`` are as good as they could be read, so that rules
    match and tests can look even where the vendor refuses. ``code`` is the vendor's
    error code, None where it accepts. ``receipts_url`` is where the sender asked for
    delivery receipts, None where it did not or where the vendor's dashboard decides.
    """

    recipients: tuple[str, ...]
    text: str
    params: Mapping[str, str]
    response: Response
    message_id: str | None = None
    code: Code | None = None
    receipts_url: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the vendor takes it upon itself to deliver the text."""
        return self.message_id is not None


@dataclass(frozen=True, slots=True)
class ReceiptCall:
    """A delivery receipt as the vendor sends it, signed as the vendor signs."""

    method: str
    url: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


class Vendor(Protocol):
    """One SMS vendor's HTTP interface.

    A new vendor is a class like this in a module of its own, and one line in
    ``simulator.py``.
    """

    @property
    def name(self) -> str:
        """How rules and messages call it."""

    @property
    def success_status(self) -> int:
        """The HTTP status it accepts a text with."""

    @property
    def error_codes(self) -> Collection[Code]:
        """The codes ``refusal`` knows."""

    def serves(self, path: str) -> bool:
        """Tell whether ``path`` is on this vendor's host."""

    def receive(self, request: Request) -> Submission | Response:
        """Judge an attempt to send; anything else is answered as it is."""

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        """Answer with the vendor's error ``code`` to a submission of ``params``."""

    def outage(self, status: int) -> Response:
        """Answer with HTTP ``status`` and the body the vendor sends along with it."""

    @property
    def receipt_codes(self) -> Collection[Code]:
        """The codes ``receipt`` knows for a message that does not arrive."""

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall | None:
        """Write a receipt for ``message``, to be sent to ``url``.

        ``code`` is the vendor's for ``undelivered``, None for its usual one. None where
        this vendor sends no receipt for that state, or none at all.
        """
