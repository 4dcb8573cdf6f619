"""What a good token says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls: a person, or a service where services are allowed.

    ``subject`` names the person for ever, and is never the phone number; ``phone`` is
    there for tokens of scope ``phone`` alone. Times are Unix seconds. A service has no
    session: ``session_id`` is empty, ``auth_time`` 0.
    """

    subject: str
    session_id: str
    client_id: str
    roles: tuple[str, ...]
    scopes: frozenset[str]
    auth_time: int
    amr: tuple[str, ...]
    acr: str
    issued_at: int
    expires_at: int
    phone: str | None = field(repr=False)
    is_service: bool
    claims: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A phone was verified at a time (Unix seconds), for ``purpose``: ``verify``.

    It says nothing about who sends it, and logs nobody in.
    """

    subject: str
    phone: str = field(repr=False)
    client_id: str
    purpose: str
    verified_at: int
    expires_at: int
    claims: Mapping[str, Any] = field(repr=False)
