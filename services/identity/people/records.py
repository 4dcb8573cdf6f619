"""A session: what a won login leaves in Redis, and what shows it.

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

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

# Stands in front of every script about people.
PERSON_LUA = Path(__file__).with_name("person.lua")

# The tag leads a session's id.
_TAG_CHARACTERS = 16
_TAG = re.compile(r"[A-Za-z0-9_-]{16}", re.ASCII)

_ID = re.compile(r"[A-Za-z0-9_-]{38}", re.ASCII)
_PHONE = "phone"
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions last, and how many one person has."""

    idle_days: int = 14
    max_days: int = 30
    most: int = 10

    @property
    def arguments(self) -> dict[str, int]:
        """As the scripts read them."""
        return {
            "idle_ms": self.idle_days * _DAY_MS,
            "max_ms": self.max_days * _DAY_MS,
            "most": self.most,
        }


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
        return parts_of(self.id)[0]

    @property
    def shows_phone(self) -> bool:
        """Whether its tokens name the phone number."""
        return shows_phone(self.scope)


@dataclass(frozen=True, slots=True)
class SessionPrize:
    """What a check is to win: keys in the phone's slot, and what is told ``on_win``."""

    keys: Sequence[str]
    argument: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose phone was verified, and how the code came (RFC 8176)."""

    subject: str
    amr: str


def read_session(tag: str, told: Mapping[str, Any], roles: list[str]) -> Session:
    """Read one session as ``show`` of ``person.lua`` tells it."""
    stored, at_ms = told["session"], told["at_ms"]
    return Session(
        id=tag + told["id"],
        subject=stored["sub"],
        client_id=stored["client"],
        created=stored["created"] // 1000,
        used=stored.get("used", stored["created"]) // 1000,
        ends=told["ends_ms"] // 1000,
        age=(at_ms - stored["created"]) // 1000,
        expires_in=(told["ends_ms"] - at_ms) // 1000,
        device=stored.get("device", ""),
        amr=stored.get("amr", "sms"),
        scope=stored.get("scope", ""),
        roles=roles,
        counter=stored.get("n", 0),
        sealed_phone=stored["phone"],
    )


def is_session_id(text: str) -> bool:
    """Tell whether a text could name a session."""
    return _ID.fullmatch(text) is not None


def is_tag(value: object) -> TypeGuard[str]:
    """Tell whether something could be the tag of a phone."""
    return isinstance(value, str) and _TAG.fullmatch(value) is not None


def parts_of(session_id: str) -> tuple[str, str]:
    """Return the tag of the phone, and the part that is the session's own."""
    return session_id[:_TAG_CHARACTERS], session_id[_TAG_CHARACTERS:]


def keys_of(tag: str) -> list[str]:
    """Return the keys of a phone's sessions and of its holder, in one slot."""
    return [f"ses:{{{tag}}}", person_key(tag)]


def person_key(tag: str) -> str:
    """Return the key of what is known of a phone's holder."""
    return f"person:{{{tag}}}"


def shows_phone(scope: str) -> bool:
    """Tell whether a scope lets its bearer know the phone number."""
    return _PHONE in scope.split()
