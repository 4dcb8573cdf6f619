"""Service clients: other services that may ask about people, and prove who they are.

Every worker holds all of them in memory, and follows changes by one read of Redis every
few seconds: asking about a token costs no round trip for who asks.
"""

import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from services.errors import InvalidClient
from services.events import ClientChecked, Emit
from services.identity.clients.public_keys import PublicKey
from services.outcomes import ClientMethod, ClientOutcome
from utils.clock import Clock
from utils.crypto import base64url

Source = Literal["store", "file"]

# Never 22 characters, as the subject of a person has: neither can pass for the other.
CLIENT_ID = re.compile(r"svc-[a-z0-9-]{1,16}", re.ASCII)

# What is kept of a secret: SHA-256 in hex.
DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

# What a service client may be allowed.
SCOPES = ("otp:send", "otp:status", "token:introspect", "token:revoke", "admin")

# Two, so that a new one is in use before the old one goes (OWASP ASVS v5.0.0-13.2.6).
MAX_SECRETS = 2

# A client that nobody renews ends: attack A34, a stolen key that nobody misses.
MAX_DAYS = 366
DEFAULT_DAYS = 90

# Public: scanners of code and logs look for it.
_PREFIX = "qcs_"
_RANDOM_BYTES = 32
_SECRET = re.compile(rf"{_PREFIX}[A-Za-z0-9_-]{{49}}", re.ASCII)
_CHECKSUM_CHARACTERS = 6
_ENDING_CHARACTERS = 4

# How long a worker goes on with what it knew when Redis is away. After that, who was
# removed meanwhile would still be let in.
_KEEP_SECONDS = 60.0

# No secret has it: what an unknown client's secret is compared with.
_NO_DIGEST = "0" * 64


class ClientRefused(ValueError):
    """A client cannot be changed so; the text says why."""


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """What is kept of a secret: its SHA-256, and its end, by which operators name it.

    A fast hash is enough, and keeps every request cheap: slow ones protect what people
    choose, and nobody tries 2^256.
    """

    digest: str
    ending: str

    @classmethod
    def of(cls, secret: str) -> "StoredSecret":
        """Return what to keep of a new secret."""
        return cls(digest=_digest(secret), ending=secret[-_ENDING_CHARACTERS:])


@dataclass(frozen=True, slots=True)
class ServiceClient:
    """A service that is registered here.

    ``audiences``: it may ask about the tokens for these, and end them. ``expires`` and
    ``registered`` are in Unix seconds; tokens from before ``registered`` were those of
    another one, which had its id. ``source`` is where it is registered.
    """

    id: str
    name: str
    scopes: frozenset[str]
    audiences: frozenset[str]
    expires: int
    secrets: tuple[StoredSecret, ...] = ()
    public_keys: tuple[PublicKey, ...] = ()
    source: Source = "store"
    registered: int = 0

    def with_secret(self, secret: StoredSecret) -> "ServiceClient":
        """Return it with one more secret.

        Raises:
            ClientRefused: it has two.
        """
        if len(self.secrets) >= MAX_SECRETS:
            message = "has two secrets; drop one of them first"
            raise ClientRefused(message)
        return replace(self, secrets=(*self.secrets, secret))

    def without_secret(self, ending: str) -> "ServiceClient":
        """Return it less the secret that ends so.

        Raises:
            ClientRefused: none does, or it could not prove itself any more.
        """
        kept = tuple(it for it in self.secrets if it.ending != ending)
        if len(kept) == len(self.secrets):
            message = f"has no secret that ends in {ending}"
            raise ClientRefused(message)
        if not (kept or self.public_keys):
            message = "has no other secret; make one first, or remove the client"
            raise ClientRefused(message)
        return replace(self, secrets=kept)

    def has_secret(self, digest: str) -> bool:
        """Compare with every secret, in constant time."""
        found = [
            hmac.compare_digest(stored.digest, digest)
            for stored in (*self.secrets, StoredSecret(_NO_DIGEST, ""))
        ]
        return any(found)


_NOBODY = ServiceClient("", "", frozenset(), frozenset(), 0)


class ServiceClients:
    """All service clients, as this worker knows them. Safe to share between threads."""

    def __init__(
        self,
        read_stored: Callable[[], Iterable[ServiceClient]],
        *,
        fixed: Iterable[ServiceClient] = (),
        clock: Clock,
        emit: Emit,
    ) -> None:
        """``read_stored`` asks Redis for all of them; ``fixed`` are the file's."""
        self._read_stored = read_stored
        self._fixed = {client.id: client for client in fixed}
        self._clock = clock
        self._emit = emit
        # Replaced as a whole, so that no reader sees half of a change.
        self._stored: Mapping[str, ServiceClient] = {}
        self._read_at = float("-inf")

    def reload(self) -> None:
        """Read all clients from Redis, in one round trip.

        Raises:
            StoreUnavailable: Redis cannot be reached; what was known stays known.
        """
        asked_at = self._clock.monotonic()
        self._stored = {client.id: client for client in self._read_stored()}
        self._read_at = asked_at

    def find(self, client_id: str) -> ServiceClient | None:
        """Return a client that is registered and has not expired.

        Raises:
            StoreUnavailable: Redis has been away for too long to know.
        """
        client = self.look_up(client_id)
        return None if client is None or self.is_over(client) else client

    def find_holder(self, client_id: str, issued_at: int) -> ServiceClient | None:
        """Return the client that holds a token which was issued then.

        None where ``find`` has none, or the token is older than the client: it was
        another's, which had the id before.

        Raises:
            StoreUnavailable: Redis has been away for too long to know.
        """
        client = self.find(client_id)
        return None if client is None or issued_at < client.registered else client

    def look_up(self, client_id: str) -> ServiceClient | None:
        """Return a client that is registered, and may have expired.

        Raises:
            StoreUnavailable: Redis has been away for too long to know.
        """
        if client_id in self._fixed:
            return self._fixed[client_id]
        return self._known().get(client_id)

    def ids(self) -> Collection[str]:
        """Name all clients that are registered, expired ones among them.

        Raises:
            StoreUnavailable: Redis has been away for too long to know.
        """
        return {*self._fixed, *self._known()}

    def is_over(self, client: ServiceClient) -> bool:
        """Tell whether a client has expired."""
        return client.expires <= self._clock.now()

    def check_secret(self, client_id: str, secret: str) -> ServiceClient:
        """Return the client that proves by a secret who it is.

        An unknown client takes the same work as a known one.

        Raises:
            InvalidClient: it does not; the reason is in the event alone.
            StoreUnavailable: Redis has been away for too long to know.
        """
        client = self.look_up(client_id)
        right = is_secret(secret) and (client or _NOBODY).has_secret(_digest(secret))
        outcome: ClientOutcome
        if client is None:
            outcome = "unknown"
        elif not right:
            outcome = "wrong_secret"
        elif self.is_over(client):
            outcome = "expired"
        else:
            self.tell_checked(client, "client_secret_basic", "ok")
            return client
        self.tell_checked(client, "client_secret_basic", outcome)
        raise InvalidClient

    def tell_checked(
        self,
        client: ServiceClient | None,
        method: ClientMethod,
        outcome: ClientOutcome,
        *,
        claim: str = "",
    ) -> None:
        """Tell that a client proved who it is, or did not."""
        name = client.id if client else "unknown"
        self._emit(ClientChecked(name, method, outcome, claim))

    def _known(self) -> Mapping[str, ServiceClient]:
        if self._clock.monotonic() - self._read_at > _KEEP_SECONDS:
            self.reload()
        return self._stored


def new_secret() -> str:
    """Draw a secret: 256 random bits between a prefix and a checksum."""
    random = secrets.token_urlsafe(_RANDOM_BYTES)
    return f"{_PREFIX}{random}{_checksum(_PREFIX + random)}"


def is_secret(text: str) -> bool:
    """Tell whether a text can be one of our secrets, before anything is looked up."""
    if not _SECRET.fullmatch(text):
        return False
    body, checksum = text[:-_CHECKSUM_CHARACTERS], text[-_CHECKSUM_CHARACTERS:]
    return checksum == _checksum(body)


def _checksum(text: str) -> str:
    crc = binascii.crc32(text.encode()).to_bytes(4, "big")
    return base64url(crc)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
