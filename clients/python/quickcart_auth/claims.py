"""Claims that were found good, read into what callers use."""

from typing import Any, TypeGuard

from quickcart_auth.errors import InvalidToken
from quickcart_auth.identity import Identity, Receipt

# What a person agreed to when they typed the code: no login, no change of number.
_PURPOSE = "verify"

# Every reader of JSON has whole numbers exactly below it (RFC 8259 6): what one takes
# for a time is the same time to all.
_TIME_END = 2**53


def read_identity(claims: dict[str, Any], *, allow_service: bool) -> Identity:
    """Return whom an access token (RFC 9068) is about.

    A person's token belongs to a session; a service's is about the client itself.

    Raises:
        InvalidToken: it is neither, or a service's where none is allowed.
    """
    subject, client_id = _text(claims, "sub"), _text(claims, "client_id")
    is_service = "sid" not in claims
    if is_service and not (allow_service and subject == client_id):
        raise InvalidToken("service")
    is_verified = claims.get("phone_number_verified") is True
    return Identity(
        subject=subject,
        session_id="" if is_service else _text(claims, "sid"),
        client_id=client_id,
        roles=_texts(claims, "roles"),
        scopes=frozenset(_text(claims, "scope", "").split()),
        auth_time=0 if is_service else _time(claims, "auth_time"),
        amr=_texts(claims, "amr"),
        acr=_text(claims, "acr", ""),
        issued_at=claims["iat"],
        expires_at=claims["exp"],
        phone=_text(claims, "phone_number") if is_verified else None,
        is_service=is_service,
        claims=claims,
    )


def read_receipt(claims: dict[str, Any]) -> Receipt:
    """Return what a verification token says.

    Raises:
        InvalidToken: it does not say that a phone was verified, and for nothing else.
    """
    if claims.get("phone_number_verified") is not True:
        raise InvalidToken("claims")
    if claims.get("purpose") != _PURPOSE:
        raise InvalidToken("purpose")
    return Receipt(
        subject=_text(claims, "sub"),
        phone=_text(claims, "phone_number"),
        client_id=_text(claims, "client_id"),
        purpose=_PURPOSE,
        verified_at=_time(claims, "auth_time"),
        expires_at=claims["exp"],
        claims=claims,
    )


def read_texts(value: object) -> tuple[str, ...] | None:
    """Return a list of text as a tuple, or None when it is something else."""
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return tuple(value)
    return None


def is_time(value: object) -> TypeGuard[int]:
    """Tell whether it is Unix seconds: no bool, no text that looks like a number."""
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return 0 <= value < _TIME_END


def _text(claims: dict[str, Any], name: str, default: str | None = None) -> str:
    value = claims.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise InvalidToken("claims")
    return value


def _texts(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    found = read_texts(claims.get(name, []))
    if found is None:
        raise InvalidToken("claims")
    return found


def _time(claims: dict[str, Any], name: str) -> int:
    value = claims.get(name)
    if not is_time(value):
        raise InvalidToken("claims")
    return value
