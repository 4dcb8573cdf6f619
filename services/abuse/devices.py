"""Device tokens: what a device that logged in shows when it asks for the next code.

So strangers cannot use up what the phone's holder may send and guess. A token is no
credential: it logs nobody in, and whoever steals one gains a few more guesses a day.

It is the time of its issue, sealed and bound to the phone's tag. No two look alike, and
nobody but us can tell whose it is, or whether two are the same phone's.
"""

from services.errors import DeviceTokenInvalid
from utils.clock import Clock
from utils.crypto import Keys, seal, unseal

# As a refresh token has its own: who finds one in a log knows what it is.
_PREFIX = "qcd_"
# As long as a phone is known after a login.
_LIFE_SECONDS = 90 * 86_400


class DeviceTokens:
    """Makes and reads them. Safe to share between threads."""

    def __init__(self, keys: Keys, *, clock: Clock) -> None:
        """Seal with the first of ``keys``; what any of them sealed is read."""
        self._keys = keys
        self._clock = clock

    def issue(self, tag: str, *, at: int | None = None) -> str:
        """Return a new token of a phone; ``at`` is now, in Unix seconds.

        Give Redis's time where it is at hand: the phone's record compares the token's
        with the time of the login, and the two clocks may differ.
        """
        seconds = int(self._clock.now()) if at is None else at
        return _PREFIX + seal(self._keys, str(seconds), context=_context(tag))

    def read(self, token: str, tag: str) -> int | None:
        """Return when a token of this phone was issued, in Unix milliseconds.

        None if that is more than 90 days ago, when it means nothing any more.

        Raises:
            DeviceTokenInvalid: it is forged, altered, or another phone's.
        """
        try:
            issued = int(unseal(self._keys, _body(token), context=_context(tag)))
        except ValueError:
            raise DeviceTokenInvalid from None
        if self._clock.now() - issued > _LIFE_SECONDS:
            return None
        return issued * 1000


def _body(token: str) -> str:
    body = token.removeprefix(_PREFIX)
    if body == token:
        raise ValueError("not a device token")
    return body


def _context(tag: str) -> str:
    return f"device token/1/{tag}"
