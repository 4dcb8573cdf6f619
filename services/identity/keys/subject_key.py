"""Whether the names of people are still made with the key they always were.

Key ``subject_key``, a string: a keyed MAC that tells one subject key from another. No
TTL: it is a standing record.
"""

import redis

from utils.crypto import mac_text, same

_KEY = "subject_key"
_BYTES = 16

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

    def problem(self) -> str:
        """Return what is wrong, or nothing; the first key that asks is put on record.

        Raises:
            redis.RedisError: Redis cannot be reached.
        """
        if self._may_change:
            self._client.set(_KEY, self._mark)
            # From now on a worker that has another key is wrong.
            self._may_change = False
        known = self._client.set(_KEY, self._mark, nx=True, get=True)
        if known is None:
            return ""
        text = known.decode() if isinstance(known, bytes) else str(known)
        return "" if same(text, self._mark) else PROBLEM
