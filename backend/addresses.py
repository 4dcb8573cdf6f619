"""Where vendors reach this service with their receipts."""

from dataclasses import dataclass

from config.config import Settings
from utils.crypto import derive_key, mac_text

_TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where vendors are to send their receipts, and the secret in an unsigned path."""

    base_url: str | None
    key: bytes

    def signed(self, vendor: str) -> str | None:
        """Return the address for a vendor that signs; None when none is public."""
        return f"{self.base_url}/api/webhooks/{vendor}" if self.base_url else None

    def secret(self, vendor: str) -> str | None:
        """Return the address for a vendor that does not: its path is the secret."""
        address = self.signed(vendor)
        return f"{address}/{self.token(vendor)}" if address else None

    def token(self, vendor: str) -> str:
        """Return the secret last part of a vendor's path."""
        return mac_text(self.key, "webhook", vendor, size=_TOKEN_BYTES)


def addresses_of(settings: Settings) -> Addresses:
    """Return where the vendors reach this service."""
    secret = settings.secret_key.get_secret_value().encode()
    return Addresses(settings.public_base_url, derive_key(secret, "webhook path"))
