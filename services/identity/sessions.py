"""Sessions: what a won login leaves in Redis.

Key ``ses:{<tag>}:<22 characters>``, a string of JSON:

==============  ======================================================================
``sub``         the subject
``phone``       the E.164 number, sealed with a key that is not in Redis
``roles``       at login
``created``     Unix seconds
==============  ======================================================================

TTL: the life of the access token. The session id is tag and random part together, so it
names its own slot.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson
import redis

from services.errors import InvalidToken, StoreUnavailable
from services.identity.subjects import Subjects
from utils.clock import Clock
from utils.crypto import random_text, seal, unseal

_ID = re.compile(r"([A-Za-z0-9_-]{16})([A-Za-z0-9_-]{22})", re.ASCII)
_RANDOM_BYTES = 16


@dataclass(frozen=True, slots=True)
class Session:
    """A login that lasts."""

    id: str
    subject: str
    phone: str
    roles: list[str]
    created: int

    def __repr__(self) -> str:
        """Leave the phone out."""
        return f"Session({self.id[-6:]})"


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """A session that is not stored yet: its check has still to be won."""

    session: Session
    key: str
    value: str
    ttl_seconds: int


class Sessions:
    """Drafts and finds sessions. Safe to share between threads."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        subjects: Subjects,
        tag_of: Callable[[str], str],
        key: bytes,
        ttl_seconds: int,
        clock: Clock,
    ) -> None:
        """``key`` seals phone numbers; ``tag_of`` names a phone in Redis."""
        self._client = client
        self._subjects = subjects
        self._tag_of = tag_of
        self._key = key
        self._ttl_seconds = ttl_seconds
        self._clock = clock

    def draft(self, e164: str) -> SessionDraft:
        """Prepare the session of a phone, to be stored by the check that wins it."""
        tag, random = self._tag_of(e164), random_text(_RANDOM_BYTES)
        session = Session(
            id=tag + random,
            subject=self._subjects.subject_of(e164),
            phone=e164,
            roles=self._subjects.roles_of(e164),
            created=int(self._clock.now()),
        )
        value = {
            "sub": session.subject,
            "phone": seal(self._key, e164, context=session.id),
            "roles": session.roles,
            "created": session.created,
        }
        return SessionDraft(
            session=session,
            key=_key(tag, random),
            value=orjson.dumps(value).decode(),
            ttl_seconds=self._ttl_seconds,
        )

    def find(self, session_id: str) -> Session:
        """Return a live session, in one round trip.

        Raises:
            InvalidToken: there is none, or it has ended.
            StoreUnavailable: Redis cannot be reached.
        """
        match = _ID.fullmatch(session_id)
        if match is None:
            raise InvalidToken
        try:
            stored = self._client.get(_key(match[1], match[2]))
        except redis.RedisError as error:
            raise StoreUnavailable(retry_after=1) from error
        if stored is None:
            raise InvalidToken
        try:
            value = orjson.loads(stored)
            return Session(
                id=session_id,
                subject=value["sub"],
                phone=unseal(self._key, value["phone"], context=session_id),
                roles=value["roles"],
                created=value["created"],
            )
        except (ValueError, TypeError, KeyError) as error:
            # Not what we wrote.
            raise InvalidToken from error


def _key(tag: str, random: str) -> str:
    return f"ses:{{{tag}}}:{random}"
