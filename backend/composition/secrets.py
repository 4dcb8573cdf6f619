"""What every key is derived from: names stay, secrets rotate.

What names things for ever (a phone in Redis, a person) follows from SUBJECT_KEY; what
protects them for a while (codes, seals, signatures) from SECRET_KEY, which another one
may replace. Where SUBJECT_KEY is not set, which production refuses, it follows from
SECRET_KEY, too.
"""

from dataclasses import dataclass

from config.config import Settings
from utils.crypto import Keys, base64url, derive_key, from_base64url, random_text

SUBJECT_KEY_BYTES = 32

_SUBJECT_KEY = "subject key"


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """The root of all names, and those of all secrets: the current one first."""

    subject_key: bytes
    secret_keys: tuple[bytes, ...]

    def naming(self, label: str) -> bytes:
        """Return the key of one kind of names; it never changes."""
        return derive_key(self.subject_key, label)

    def keys(self, label: str) -> Keys:
        """Return the keys of one purpose: what is new is made with the first."""
        return tuple(derive_key(secret, label) for secret in self.secret_keys)


def secrets_of(settings: Settings) -> Secrets:
    """Return what the settings say."""
    given = (settings.secret_key, settings.secret_key_previous)
    secret_keys = tuple(it.get_secret_value().encode() for it in given if it)
    set_apart = settings.subject_key
    subject_key = (
        from_base64url(set_apart.get_secret_value())
        if set_apart
        else derive_key(secret_keys[0], _SUBJECT_KEY)
    )
    return Secrets(subject_key=subject_key, secret_keys=secret_keys)


def write_subject_key(secrets: Secrets) -> str:
    """Return the spelling of the key, as ``SUBJECT_KEY`` takes it."""
    return base64url(secrets.subject_key)


def new_subject_key() -> str:
    """Return a key that has named nobody yet, as ``SUBJECT_KEY`` takes it."""
    return random_text(SUBJECT_KEY_BYTES)
