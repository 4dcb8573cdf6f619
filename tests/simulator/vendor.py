"""What the simulator needs to know about a vendor."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from tests.simulator.wire import Request, Response


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt to send a text, and what the vendor itself says to it.

    ``recipients`` and ``params`` are as good as they could be read, so that rules
    match and tests can look even where the vendor refuses. ``code`` is the vendor's
    error code, None where it accepts.
    """

    recipients: tuple[str, ...]
    text: str
    params: Mapping[str, str]
    response: Response
    message_id: str | None = None
    code: int | None = None

    @property
    def accepted(self) -> bool:
        """Whether the vendor takes it upon itself to deliver the text."""
        return self.message_id is not None


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
    def error_codes(self) -> Collection[int]:
        """The codes ``refusal`` knows."""

    def serves(self, path: str) -> bool:
        """Tell whether ``path`` is on this vendor's host."""

    def receive(self, request: Request) -> Submission | Response:
        """Judge an attempt to send; anything else is answered as it is."""

    def refusal(self, code: int, params: Mapping[str, str]) -> Response:
        """Answer with the vendor's error ``code`` to a submission of ``params``."""

    def outage(self, status: int) -> Response:
        """Answer with HTTP ``status`` and the body the vendor sends along with it."""
