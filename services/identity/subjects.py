"""Who a phone is to other services: an opaque, stable name that is never the number."""

from collections.abc import Collection

from utils.crypto import mac_text

_SUBJECT_BYTES = 16

# Counts up when a number is known to have changed hands, which makes it a new subject.
_FIRST_HOLDER = "0"


class Subjects:
    """Names phones and knows the roles they were given in the settings."""

    def __init__(self, *, key: bytes, admin_phones: Collection[str]) -> None:
        """``key`` decides every name; changing it makes everyone a stranger."""
        self._key = key
        self._admin_phones = frozenset(admin_phones)

    def subject_of(self, e164: str) -> str:
        """Return the ``sub`` of a phone: 22 characters of a keyed MAC."""
        return mac_text(self._key, "subject", e164, _FIRST_HOLDER, size=_SUBJECT_BYTES)

    def roles_of(self, e164: str) -> list[str]:
        """Return the roles of a phone."""
        return ["customer", "admin"] if e164 in self._admin_phones else ["customer"]
