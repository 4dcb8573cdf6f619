"""What the simulator was asked to deliver, as the phones and the vendors saw it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

CAPACITY = 100_000

# accepted: the phone gets the text, whatever the sender was told.
# refused: the vendor said no. lost: no text, and no answer of the vendor's either.
Outcome = Literal["accepted", "refused", "lost"]


@dataclass(frozen=True, slots=True)
class Message:
    """One text to one recipient.

    ``to`` is in E.164 where it could be read as a number, "" where there was none.
    ``code`` is the vendor's error code and ``http_status`` what was answered, None
    where nothing was. ``rule`` is the id of the rule applied. ``received_at`` is in
    Unix seconds, before any delay.
    """

    id: str | None
    provider: str
    to: str
    text: str
    params: Mapping[str, str]
    outcome: Outcome
    code: int | None
    http_status: int | None
    rule: int | None
    received_at: float


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

    def __len__(self) -> int:
        """Count the messages kept."""
        return len(self._messages)

    def clear(self) -> None:
        """Forget all messages."""
        self._messages.clear()
        self._by_number.clear()
