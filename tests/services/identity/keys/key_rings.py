"""A fleet's signing keys on a store: its operator, and workers that follow."""

from collections.abc import Sequence
from typing import Any

from services.identity.keys.keyring import Keyring
from services.identity.keys.signing_keys import (
    SigningKey,
    SigningKeys,
    derived_signing_key,
    generate_signing_key,
    read_signing_key,
)
from services.identity.keys.store import KeyStore
from tests.services.stores import Store
from utils.crypto import Keys, derive_key

OLD, NEW = b"the old secret", b"the new secret"


def seal_keys(secrets: Sequence[bytes]) -> Keys:
    return tuple(derive_key(it, "signing key") for it in secrets)


class Fleet:
    """A worker with these secrets, the current one first, and its operator."""

    def __init__(self, store: Store, *secrets: bytes) -> None:
        secrets = secrets or (OLD,)
        self.store = store
        self.held = [read_signing_key(derived_signing_key(it)) for it in secrets]
        self.built_in = self.held[0]
        self.keys = KeyStore(
            store.scripts,
            seal_keys=seal_keys(secrets),
            built_in=self.built_in,
            offset_seconds=store.offset,
        )
        self.signing = self.worker()

    def worker(self) -> SigningKeys:
        """Return another worker, which has not read any key yet."""
        return SigningKeys(
            Keyring(self.keys, self.held).read, emit=self.store.events.append
        )

    def publish(self, algorithm: Any = "ES256") -> SigningKey:
        """Have a new key published."""
        pem = generate_signing_key(algorithm)
        assert self.keys.add(pem).outcome == "published"
        return read_signing_key(pem)

    def activate(self, kid: str, *, at_once: bool = True) -> tuple[str, int]:
        change = self.keys.activate(kid, at_once=at_once)
        return change.outcome, change.wait_seconds

    def retire(self, kid: str, *, at_once: bool = True) -> tuple[str, int]:
        change = self.keys.retire(kid, at_once=at_once)
        return change.outcome, change.wait_seconds

    def states(self) -> dict[str, str]:
        """Return the state of each row."""
        return {kid: row.state for kid, row in self.keys.read().items()}

    def shown(self) -> set[str]:
        """Return the ids in the JWKS of a worker that follows now."""
        self.signing.follow()
        return {it["kid"] for it in self.signing.jwks()["keys"]}

    def signs(self) -> str:
        """Return the id of the key that a worker that follows now signs with."""
        self.signing.follow()
        return self.signing.active().kid
