"""Whether the names of people are still made with the key they always were.

Key ``subject_key``, a string: a keyed MAC that tells one subject key from another. No
TTL: it is a standing record.
"""

from contextlib import suppress

import redis

from services.errors import StoreUnavailable
from utils.crypto import mac_text, same

_KEY = "subject_key"
_BYTES = 16
_RETRY_SECONDS = 10

PROBLEM = (
    "SUBJECT_KEY: is not the one that names everybody here; put that one back, or set "
    "SUBJECT_KEY_CHANGE=true, which makes everybody a stranger"
)


class SubjectKeyCheck:
    """Compares the subject key with the one on record. Threads may share it."""

    def __init__(self, client: redis.Redis, *, key: bytes, may_change: bool) -> None:
        """``key`` is of the subject key; ``may_change`` puts it on record, once."""
        self._client = client
        self._mark = mac_text(key, "subject key", size=_BYTES)
        self._may_change = may_change
        # What the last look at the record found; None: there was none yet.
        self._found: str | None = None

    def record(self) -> None:
        """Put the key on record where none is, or once over another, if it may change.

        Raises:
            redis.RedisError: Redis cannot be reached; a change is still to be made.
        """
        self._client.set(_KEY, self._mark, nx=not self._may_change)
        # From now on a worker that has another key is wrong.
        self._may_change = False

    def problem(self) -> str:
        """Return what is wrong with the key, or nothing; changes nothing.

        Raises:
            redis.RedisError: Redis cannot be reached.
        """
        known = self._client.get(_KEY) or self._mark
        text = (
            known.decode(errors="replace") if isinstance(known, bytes) else str(known)
        )
        self._found = "" if same(text, self._mark) else PROBLEM
        return self._found

    def ensure(self) -> None:
        """See that nobody is given another name; asks Redis until it was there once.

        Raises:
            StoreUnavailable: another key is on record, so this is not our store.
        """
        if self._found is None:
            # Where Redis is away the request finds out by itself.
            with suppress(redis.RedisError):
                self.record()
                self.problem()
        if self._found:
            raise StoreUnavailable(retry_after=_RETRY_SECONDS)
