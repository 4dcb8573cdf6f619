"""The provider of last resort in development: the developer's own terminal."""

import sys
from typing import TextIO

from services.sms.provider import Accepted, Channel, Message


class ConsoleProvider:
    """Prints number and code, or notice, in the clear. Never for production."""

    name = "console"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "console"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, message: Message, deadline: float) -> Accepted:  # noqa: ARG002
        """Print one line; the deadline means nothing to a terminal."""
        # Looked up now: a test or a server may have replaced the stream since.
        stream = self._stream or sys.stderr
        said = f"the code is {message.code}" if message.code else message.text
        line = f"SMS to {message.phone.e164}: {said}\n"
        # In one piece, so that the lines of two threads do not mix.
        stream.write(line)
        stream.flush()
        return Accepted("console")
