"""Why the services refuse or fail.

::

    AuthError
    ├── PhoneInvalid              not a phone number
    ├── PhoneNotSupported         a kind, country or prefix that we do not send to
    ├── ChannelNotAvailable       not for this number, or not before a first message
    ├── RecipientUnreachable      the provider says this phone cannot get it
    ├── VerificationGone          unknown, expired, used, or another phone's
    ├── WrongCode                 evaluated and wrong
    ├── AttemptsExhausted         the guesses on this code are used up
    ├── PhoneLocked               too many wrong codes for this phone
    ├── PhoneDisabled             a hundred wrong codes in a row: no more SMS
    ├── RateLimited               a limit
    ├── ChallengeRequired         first show that you are no robot
    ├── CallerBlocked             the operator lets this network not ask
    ├── DeviceTokenInvalid        a device token that is not this phone's
    ├── SpendLimit                the money for messages is used up for now
    ├── DeliveryUnavailable       every provider failed
    ├── StoreUnavailable          Redis cannot be reached: nothing sent or accepted
    ├── InvalidToken              a token that is not good here
    ├── InsufficientScope         a good token that is not enough for this
    ├── InvalidGrant              a refresh token that is not good any more
    ├── InvalidScope              more than was granted is asked for
    ├── InvalidClient             a service client that does not prove who it is
    ├── SubjectFrozen             the operator lets this person not log in
    ├── FreshLoginRequired        the login is too long ago for this
    ├── PhoneInUse                the number is another account's
    └── NotFound                  no such session, person or client

Every class has a stable ``code`` and a row in ``backend/errors.py``; a test holds the
two together. Provider failures have their own tree (``services/sms/provider.py``),
which ends in ``services/otp``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Turn:
    """Whether an action may be taken, and after how many seconds.

    ``allowed=False`` means that waiting will not help; then ``retry_in`` is None.
    """

    allowed: bool
    retry_in: int | None


@dataclass(frozen=True, slots=True)
class Next:
    """What the person may do next, computed from all limits that bind."""

    sms: Turn
    check: Turn
    whatsapp: Turn = field(default_factory=lambda: Turn(allowed=False, retry_in=None))
    voice: Turn = field(default_factory=lambda: Turn(allowed=False, retry_in=None))


class AuthError(Exception):
    """Any refusal or failure of the services."""

    code: ClassVar[str]

    def __init__(
        self,
        *,
        retry_after: int | None = None,
        attempts_left: int | None = None,
        limit: str | None = None,
        detail: str | None = None,
        next_step: Next | None = None,
    ) -> None:
        """Carry what the answer shows; ``retry_after`` in whole seconds.

        ``detail`` tells the person what to do.
        """
        super().__init__(self.code)
        self.detail = detail
        self.retry_after = retry_after
        self.attempts_left = attempts_left
        self.limit = limit
        self.next_step = next_step


class PhoneInvalid(AuthError):
    """The text is not a phone number."""

    code = "phone_invalid"


class PhoneNotSupported(AuthError):
    """A kind, country or prefix of number that we do not send to."""

    code = "phone_not_supported"


class ChannelNotAvailable(AuthError):
    """The channel is not there for this number, or not before a first message."""

    code = "channel_not_available"


class RecipientUnreachable(AuthError):
    """The provider says that this phone cannot get the message."""

    code = "recipient_unreachable"


class VerificationGone(AuthError):
    """Unknown, expired, used, or another phone's: one answer for all."""

    code = "verification_gone"


class WrongCode(AuthError):
    """The guess was evaluated and is wrong."""

    code = "wrong_code"


class AttemptsExhausted(AuthError):
    """The guesses on this code are used up; a new one is needed."""

    code = "attempts_exhausted"


class PhoneLocked(AuthError):
    """Too many wrong codes for this phone: no send and no check for a while."""

    code = "phone_locked"


class PhoneDisabled(AuthError):
    """Too many wrong codes in a row: no SMS until support or another factor helps."""

    code = "phone_disabled"


class RateLimited(AuthError):
    """A limit was reached; ``limit`` names it."""

    code = "rate_limited"


class ChallengeRequired(AuthError):
    """A challenge must be solved first; ``challenge`` is one, as JSON."""

    code = "challenge_required"

    def __init__(
        self,
        challenge: Mapping[str, Any],
        *,
        detail: str | None = None,
        next_step: Next | None = None,
    ) -> None:
        super().__init__(detail=detail, next_step=next_step)
        self.challenge = challenge


class CallerBlocked(AuthError):
    """The operator lets nobody in this network ask for codes."""

    code = "caller_blocked"


class DeviceTokenInvalid(AuthError):
    """The device token is not one of this phone."""

    code = "device_token_invalid"


class SpendLimit(AuthError):
    """The money for messages is used up; phones that logged in before are served."""

    code = "spend_limit"


class DeliveryUnavailable(AuthError):
    """Every provider failed; nothing is left behind.

    ``budget_returned`` is False when a message may have left all the same.
    """

    code = "delivery_unavailable"
    budget_returned = False


class StoreUnavailable(AuthError):
    """Redis cannot be reached; nothing was sent and nothing accepted."""

    code = "store_unavailable"


class InvalidToken(AuthError):
    """The token is malformed, forged, expired, revoked, or of another kind."""

    code = "invalid_token"


class TokenMissing(InvalidToken):
    """No token was sent where one is needed."""


class InsufficientScope(AuthError):
    """The token is good, and does not allow this."""

    code = "insufficient_scope"


class InvalidGrant(AuthError):
    """The refresh token is malformed, forged, used, expired or revoked.

    ``session_lives``: it is refused to this caller, or for now; the session goes on.
    """

    code = "invalid_grant"

    def __init__(self, *, session_lives: bool = False) -> None:
        super().__init__()
        self.session_lives = session_lives


class InvalidScope(AuthError):
    """A scope is asked for that is unknown, or was not granted."""

    code = "invalid_scope"


class InvalidClient(AuthError):
    """A service client is unknown, expired, or does not prove who it is."""

    code = "invalid_client"


class SubjectFrozen(AuthError):
    """The operator froze this person: no login, no refresh."""

    code = "subject_frozen"


class FreshLoginRequired(AuthError):
    """The login is too long ago for what is asked; a new one is needed."""

    code = "fresh_login_required"

    def __init__(self, max_age_seconds: int) -> None:
        """``max_age_seconds`` is how long ago the login may be."""
        super().__init__()
        self.max_age_seconds = max_age_seconds


class PhoneInUse(AuthError):
    """The phone number belongs to another account."""

    code = "phone_in_use"


class NotFound(AuthError):
    """There is no such session, person or service client."""

    code = "not_found"
