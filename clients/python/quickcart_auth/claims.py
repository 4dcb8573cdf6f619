"""Claims that were found good, read into what callers use."""

from typing import Any

from quickcart_auth.errors import InvalidToken
from quickcart_auth.identity import Identity, Receipt


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
    phone = claims.get("phone_number")
    if phone is not None and not isinstance(phone, str):
        raise InvalidToken("claims")
    return Identity(
        subject=subject,
        session_id="" if is_service else _text(claims, "sid"),
        client_id=client_id,
        roles=_texts(claims, "roles"),
        scopes=frozenset(_text(claims, "scope", "").split()),
        auth_time=0 if is_service else _time(claims, "auth_time"),
        amr=_texts(claims, "amr"),
        acr=_text(claims, "acr", ""),
        expires_at=claims["exp"],
        phone=phone,
        is_service=is_service,
        claims=claims,
    )


def read_receipt(claims: dict[str, Any]) -> Receipt:
    """Return what a verification token says.

    Raises:
        InvalidToken: it does not say that a phone was verified.
    """
    if claims.get("phone_number_verified") is not True:
        raise InvalidToken("claims")
    return Receipt(
        subject=_text(claims, "sub"),
        phone=_text(claims, "phone_number"),
        client_id=_text(claims, "client_id"),
        purpose=_text(claims, "purpose"),
        verified_at=_time(claims, "auth_time"),
        expires_at=claims["exp"],
        claims=claims,
    )


def read_texts(value: object) -> tuple[str, ...] | None:
    """Return a list of text as a tuple, or None when it is something else."""
    if isinstance(value, list) and all(isinstance(it, str) for it in value):
        return tuple(value)
    return None


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
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidToken("claims")
    return value
