"""The fleet's signing keys in Redis, and how they come and go.

Key ``keys``, a hash: the key's id (its thumbprint, RFC 7638) -> JSON:

==========  ==========================================================================
``state``   ``published`` (verifiers learn it), ``active`` (it signs), ``verifying``
            (it signed) or ``retired``
``alg``     ES256, EdDSA or RS256
``since``   Unix seconds: when it came into that state
``sealed``  the private key's PEM, sealed; absent when retired, and for the built-in
            key, which everybody has from the settings
==========  ==========================================================================

No TTL: it is a standing record. At most one row is active; the built-in key signs while
none is. A row that cannot be read is told as ``unreadable``, and counts as none.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from services.identity.keys.signing_keys import (
    Algorithm,
    SigningKey,
    State,
    read_signing_key,
)
from services.scripts import Call, Reply, Script, ScriptRunner
from utils.crypto import Keys, seal, unseal

_HERE = Path(__file__).parent
_ROWS = _HERE / "key_rows.lua"
_READ = Script.load(_ROWS, _HERE / "key_read.lua")
_ADD = Script.load(_ROWS, _HERE / "key_add.lua")
_ACTIVATE = Script.load(_ROWS, _HERE / "key_activate.lua")
_RETIRE = Script.load(_ROWS, _HERE / "key_retire.lua")
_RESEAL = Script.load(_ROWS, _HERE / "key_reseal.lua")

_KEY = "keys"

# The JWKS may be kept for 300 s, and a worker may be 60 s behind.
SEEN_AFTER_SECONDS = 300 + 60
# The longest life of a token, the leeway of a check, and a worker that is behind.
DONE_AFTER_SECONDS = 3600 + 30 + 60


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A row of the hash; one that is unreadable has no algorithm and no time."""

    kid: str
    state: State
    algorithm: Algorithm | None = None
    since: int | None = None
    sealed: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What came of a change of state; ``wait_seconds`` with too_soon."""

    outcome: Literal["published", "known", "active", "retired", "too_soon", "unknown"]
    wait_seconds: int = 0


class KeyStore:
    """The keys of all workers. Safe to share between threads and operators.

    Every method that asks Redis raises ``StoreUnavailable`` when it cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        seal_keys: Keys,
        built_in: SigningKey,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``seal_keys`` seal private keys; ``built_in`` signs while none is active."""
        self._scripts = scripts
        self._seal_keys = seal_keys
        self._built_in = built_in
        self._offset_seconds = offset_seconds

    def read(self) -> dict[str, StoredKey]:
        """Return all rows by the key's id, in one command."""
        reply = self._run(_READ)
        # An empty table is an empty object to one Lua, and an empty list to another.
        rows: dict[str, Any] = reply["rows"] or {}
        return {kid: _read_row(kid, row) for kid, row in rows.items()}

    def add(self, pem: bytes) -> Change:
        """Publish a private key ahead of its use.

        Raises:
            ValueError: no PEM, or no P-256, Ed25519 or RSA key.
        """
        key = read_signing_key(pem)
        sealed = seal(self._seal_keys, pem.decode(), context=key.kid)
        arguments = {"kid": key.kid, "alg": key.algorithm, "sealed": sealed}
        return _read_change(self._run(_ADD, arguments))

    def activate(self, kid: str, *, at_once: bool) -> Change:
        """Let a key sign; before all verifiers can know it only ``at_once``."""
        arguments = {"seen_after": SEEN_AFTER_SECONDS, "at_once": at_once}
        return self._change(_ACTIVATE, kid, arguments)

    def retire(self, kid: str, *, at_once: bool) -> Change:
        """Let a key verify no more; before its tokens have expired only ``at_once``."""
        arguments = {"done_after": DONE_AFTER_SECONDS, "at_once": at_once}
        return self._change(_RETIRE, kid, arguments)

    def open(self, row: StoredKey) -> SigningKey | None:
        """Return a row's private key; None if it holds none that we can open."""
        pem = self._unseal(row, self._seal_keys)
        if pem is None:
            return None
        try:
            return read_signing_key(pem.encode())
        except ValueError:
            return None

    def seal_again(self, row: StoredKey) -> bool:
        """Seal with the current secret what an earlier one sealed; say if it was so.

        It is for operators: workers of both orders of secrets would never end.
        """
        pem = self._unseal(row, self._seal_keys)
        if pem is None or self._unseal(row, self._seal_keys[:1]) is not None:
            return False
        sealed = seal(self._seal_keys, pem, context=row.kid)
        arguments = {"kid": row.kid, "before": row.sealed, "sealed": sealed}
        return bool(self._run(_RESEAL, arguments)["outcome"] == "sealed")

    def _unseal(self, row: StoredKey, keys: Keys) -> str | None:
        if row.sealed is None:
            return None
        try:
            return unseal(keys, row.sealed, context=row.kid)
        except ValueError:
            return None

    def _change(self, script: Script, kid: str, arguments: dict[str, Any]) -> Change:
        arguments |= {
            "kid": kid,
            "built_in": self._built_in.kid,
            "alg": self._built_in.algorithm,
        }
        return _read_change(self._run(script, arguments))

    def _run(self, script: Script, arguments: dict[str, Any] | None = None) -> Reply:
        offset_ms = int(self._offset_seconds() * 1000)
        call = Call(script, [_KEY], {"offset_ms": offset_ms, **(arguments or {})})
        return self._scripts.run(call)


def _read_row(kid: str, row: dict[str, Any]) -> StoredKey:
    return StoredKey(
        kid=kid,
        state=row["state"],
        algorithm=row.get("alg"),
        since=row.get("since"),
        sealed=row.get("sealed"),
    )


def _read_change(reply: Reply) -> Change:
    return Change(outcome=reply["outcome"], wait_seconds=reply["wait"])
