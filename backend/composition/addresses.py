"""Where vendors reach this service with their receipts."""

from dataclasses import dataclass

from backend.composition.secrets import secrets_of
from config.config import Settings
from utils.crypto import Keys, mac_text, same

_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where vendors are to send their receipts, and the secret in an unsigned path."""

    base_url: str | None
    keys: Keys

    def signed(self, vendor: str) -> str | None:
        """Return the address for a vendor that signs; None when none is public."""
        return f"{self.base_url}/api/webhooks/{vendor}" if self.base_url else None

    def secret(self, vendor: str) -> str | None:
        """Return the address for a vendor that does not: its path is the secret."""
        address = self.signed(vendor)
        return f"{address}/{self.token(vendor)}" if address else None

    def token(self, vendor: str) -> str:
        """Return the secret last part of a vendor's path."""
        return self.tokens(vendor)[0]

    def renewed(self, vendor: str, token: str) -> str:
        """Return the current last part of a path for one that was, or is, good.

        Vendors go on calling the address that they were given, also while another
        secret replaces the one it was made with. Any other text is returned as it is.
        """
        good = [same(token, it) for it in self.tokens(vendor)]
        return self.token(vendor) if any(good) else token

    def tokens(self, vendor: str) -> list[str]:
        """Return what is accepted in the place of ``token``, which comes first."""
        return [
            mac_text(key, "webhook", vendor, size=_TOKEN_BYTES) for key in self.keys
        ]


def addresses_of(settings: Settings) -> Addresses:
    """Return where the vendors reach this service."""
    keys = secrets_of(settings).keys("webhook path")
    return Addresses(settings.public_base_url, keys)
