"""Which keys a worker has: those of its settings, and those of the store."""

from collections.abc import Sequence

from services.identity.keys.signing_keys import KeySet, SigningKey, State
from services.identity.keys.store import KeyStore, StoredKey


class Keyring:
    """Reads the store and puts it together with the keys that the settings give.

    Safe to share between threads: what two of them do at once is only done twice.
    """

    def __init__(self, store: KeyStore, held: Sequence[SigningKey]) -> None:
        """Take the keys of the settings; the built-in one comes first."""
        self._store = store
        self._held = {it.kid: it for it in held}
        self._built_in = held[0]
        # With the seal that it was found under. Parsing costs more than signing.
        self._opened: dict[str, tuple[str, SigningKey | None]] = {}

    def read(self) -> KeySet:
        """Return the keys as they are now, in one command if nothing is new.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        rows = self._store.read()
        stored = {kid: self._key_of(row) for kid, row in rows.items()}
        retired = {kid for kid, row in rows.items() if row.state == "retired"}
        found = {kid: key for kid, key in stored.items() if key is not None}
        verifying = {
            kid: key
            for kid, key in {**found, **self._held}.items()
            if kid not in retired
        }
        signs = next(
            (kid for kid, row in rows.items() if row.state == "active"),
            self._built_in.kid,
        )
        # A stored key that nobody can open must not keep everybody out.
        active = verifying.get(signs) or verifying.get(self._built_in.kid)
        states: dict[str, State] = {
            kid: "unreadable" if row.sealed and stored[kid] is None else row.state
            for kid, row in rows.items()
        }
        if active is not None:
            # The built-in key signs without a row.
            states[active.kid] = "active"
        return KeySet.of(active, verifying.values(), states=states, stored=rows)

    def _key_of(self, row: StoredKey) -> SigningKey | None:
        if row.sealed is None:
            self._opened.pop(row.kid, None)
            return self._held.get(row.kid)
        seal, key = self._opened.get(row.kid, ("", None))
        if seal != row.sealed:
            key = self._store.open(row)
            self._opened[row.kid] = (row.sealed, key)
        return key
