"""A session: what a won login leaves in Redis.

All sessions of a phone are one JSON value beside the phone's other keys, read and
written whole by one script, so every decision about them is atomic.

Key ``ses:{<tag>}``, a string of JSON ``{"sessions": {<22 characters>: ...}}``. A
session's id is the tag and those 22 characters, 128 random bits, together. Times are
Unix milliseconds by Redis's own clock; what is absent has its default.

==============  ======================================================================
``sub``         the subject
``client``      the storefront, or who else asked, as in ``client_id``
``phone``       the E.164 number, sealed with a key that is not in Redis
``created``     the login
``used``        the last refresh that rotated; absent before the first
``n``           how often the session was refreshed; absent for 0
``amr``         how the code came (RFC 8176), where not ``sms``
``device``      what the person calls the device
``scope``       what was asked for
==============  ======================================================================

TTL: the last end of these sessions. Roles are not here: they are looked up each time.
``services/identity/people/people.py`` has what stands beside, ``person:{<tag>}``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# The tag leads a session's id.
TAG_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions last, and how many one person has."""

    idle_days: int = 14
    max_days: int = 30
    most: int = 10


@dataclass(frozen=True, slots=True)
class Session:
    """A login that lasts, as it was when Redis was asked.

    ``created``, ``used`` (the last refresh) and ``ends`` (without another one) are Unix
    seconds; ``age`` and ``expires_in`` are seconds, all by Redis's own clock.
    ``counter`` says how often it was refreshed.
    """

    id: str
    subject: str
    client_id: str
    created: int
    used: int
    ends: int
    age: int = field(compare=False)
    expires_in: int = field(compare=False)
    device: str
    amr: str
    scope: str
    roles: list[str]
    counter: int
    sealed_phone: str = field(repr=False)

    @property
    def tag(self) -> str:
        """The tag of the phone that it was opened with."""
        return self.id[:TAG_CHARACTERS]


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """What a check is to win: keys in the phone's slot, and what is told ``on_win``."""

    tag: str
    keys: Sequence[str]
    argument: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose phone was verified, and how the code came (RFC 8176)."""

    subject: str
    amr: str
