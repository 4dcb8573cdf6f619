"""Why a token is not taken, or cannot be judged.

::

    InvalidToken                    not good here: 401
    Unavailable                     nobody can tell: 503
    ├── KeysUnavailable             no keys, or none young enough
    └── IntrospectionUnavailable    the auth service does not say whether it lives
        └── InvalidCredentials      it does not take your client, or its scope
"""


class InvalidToken(Exception):
    """A token that is not good here, whatever the reason.

    Its text is always the same, so that an answer made of it tells an attacker nothing;
    ``reason`` is one word for your logs.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("the token is not valid")
        self.reason = reason


class Unavailable(Exception):
    """A token cannot be judged now; ``reason`` is a word or two for your logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the auth service cannot be asked: {reason}")
        self.reason = reason


class KeysUnavailable(Unavailable):
    """The keys could never be fetched, or not for a day."""


class IntrospectionUnavailable(Unavailable):
    """The auth service does not say whether the token is still alive."""


class InvalidCredentials(IntrospectionUnavailable):
    """It answers, and refuses the client: a wrong secret, an end, or no scope for it.

    No outage: it stays so until somebody mends the settings.
    """
