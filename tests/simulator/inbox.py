"""What the simulator was asked to deliver, as the phones and the vendors saw it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Literal

# A vendor's own error code.
Code = int | str

CAPACITY = 100_000

# accepted: the vendor took it upon itself to deliver, whatever the sender was told.
# refused: the vendor said no. lost: no text, and no answer of the vendor's either.
Outcome = Literal["accepted", "refused", "lost"]


@dataclass(frozen=True, slots=True)
class Message:
    """One text to one recipient.

    ``to`` is in E.164 where it could be read as a number, "" where there was none.
    ``code`` is the vendor's error code and ``http_status`` what was answered, None
    where nothing was. ``rule`` is the id of the rule applied, the answer's where the
    delivery met another. ``received_at`` is in Unix seconds, before any delay.
    ``reached_phone`` says whether the phone gets the text, which is decided when the
    vendor takes it: an accepted one may be lost on its way.
    """

    id: str | None
    provider: str
    to: str
    text: str
    params: Mapping[str, str]
    outcome: Outcome
    code: Code | None
    http_status: int | None
    rule: int | None
    received_at: float
    receipts_url: str | None = None
    reached_phone: bool = True


class Inbox:
    """The newest messages, oldest first; at most ``capacity`` of them."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Start empty."""
        self._capacity = capacity
        self._messages: deque[Message] = deque()
        # A load test asks for one number's messages a thousand times a second.
        self._by_number: defaultdict[str, deque[Message]] = defaultdict(deque)

    def add(self, message: Message) -> None:
        """Keep ``message``, and forget the oldest if there are too many."""
        if len(self._messages) >= self._capacity:
            oldest = self._messages.popleft()
            of_number = self._by_number[oldest.to]
            of_number.popleft()
            if not of_number:
                del self._by_number[oldest.to]
        self._messages.append(message)
        self._by_number[message.to].append(message)

    def find(
        self, *, to: str | None = None, provider: str | None = None
    ) -> list[Message]:
        """List the messages to a number, of a provider, or all."""
        found: Iterable[Message] = self._messages
        if to is not None:
            found = self._by_number.get(to, ())
        return [m for m in found if provider is None or m.provider == provider]

    def find_by_id(self, message_id: str) -> Message | None:
        """Return the newest message that a vendor calls so, None if there is none."""
        newest_first = reversed(self._messages)
        return next((m for m in newest_first if m.id == message_id), None)

    def newest(self, count: int) -> list[Message]:
        """List the last ``count`` messages, oldest first."""
        return [*islice(reversed(self._messages), count)][::-1]

    def __len__(self) -> int:
        """Count the messages kept."""
        return len(self._messages)

    def clear(self) -> None:
        """Forget all messages."""
        self._messages.clear()
        self._by_number.clear()
