"""Checks QuickCart Auth's tokens in other services, offline or live."""

from quickcart_auth.errors import (
    IntrospectionUnavailable,
    InvalidCredentials,
    InvalidToken,
    KeysUnavailable,
    Unavailable,
)
from quickcart_auth.identity import Identity, Receipt
from quickcart_auth.introspection import Introspection
from quickcart_auth.verifier import Verifier

__all__ = [
    "Identity",
    "Introspection",
    "IntrospectionUnavailable",
    "InvalidCredentials",
    "InvalidToken",
    "KeysUnavailable",
    "Receipt",
    "Unavailable",
    "Verifier",
]
