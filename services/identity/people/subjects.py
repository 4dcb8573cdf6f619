"""Who a phone is to other services: an opaque, stable name that is never the number."""

import re
from collections.abc import Collection

from utils.crypto import base64url, from_base64url, permute, unpermute

_SUBJECT = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)
_TAG_BYTES = 12
_GENERATION_BYTES = 4

# No number changes hands more often. What is no subject of ours looks like one of a far
# higher generation, but for one in 65,536.
_MAX_GENERATION = 0xFFFF


class Subjects:
    """Names people and knows the roles they were given in the settings.

    A subject is a phone's tag and a generation, which counts up when the number is
    known to have changed hands, as one block under a secret permutation: 22 characters
    that tell nobody anything, that need no table, and that we can read back.
    """

    def __init__(self, *, key: bytes, admin_tags: Collection[str] = ()) -> None:
        """``key`` (32 bytes) decides every name: another makes everyone a stranger."""
        self._key = key
        self._admin_tags = frozenset(admin_tags)

    def subject_of(self, tag: str, generation: int = 0) -> str:
        """Return the ``sub`` that a phone's holder has by default."""
        number = generation.to_bytes(_GENERATION_BYTES, "big")
        block = permute(self._key, from_base64url(tag) + number)
        return base64url(block)

    def read(self, subject: str) -> tuple[str, int] | None:
        """Return the tag and generation of a subject; None if it is none of ours."""
        if not _SUBJECT.fullmatch(subject):
            return None
        block = from_base64url(subject)
        if base64url(block) != subject:
            return None
        plain = unpermute(self._key, block)
        generation = int.from_bytes(plain[_TAG_BYTES:], "big")
        if generation > _MAX_GENERATION:
            return None
        return base64url(plain[:_TAG_BYTES]), generation

    def roles_of(
        self, tag: str, subject: str, granted: Collection[str] = ()
    ) -> list[str]:
        """Return the roles of a phone's holder, those that were granted last.

        The settings name phones, and mean who held them then: whoever came to such a
        phone later, because it changed hands or by a move, has none of theirs.
        """
        is_admin = tag in self._admin_tags and subject == self.subject_of(tag)
        roles = ["customer", "admin"] if is_admin else ["customer"]
        return [*roles, *(role for role in granted if role not in roles)]
