"""What is blocked because its codes are not typed, and how an operator ends that."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from services.abuse import keys
from services.abuse.bindings import Bindings, Subjects
from services.abuse.calls import after_call
from services.abuse.judging import Changes
from services.abuse.policy import Policy
from services.abuse.rules import MICROS, Scope
from services.outcomes import BlockCause, BlockState
from services.scripts import Call, Script, ScriptRunner

_LUA = Path(__file__).parent
_BLOCKS = Script.load(_LUA / "blocks.lua")

# A block that ended so long ago without anybody to try is history.
_FORGET_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Block:
    """One subject that is not open; times are Unix seconds, ``until`` 0 without one.

    ``name`` is how a block of numbers begins, a country or a service client.
    ``refused`` sends were kept back since, which saved at most ``saved`` money.
    """

    scope: Scope
    name: str
    state: BlockState
    cause: BlockCause
    since: float
    until: float
    sent: int
    typed: int
    refused: int
    saved: float
    shadow: bool


class Blocks:
    """Lists and lifts blocks. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        policy: Callable[[], Policy],
        bindings: Bindings,
        subjects: Subjects,
        changes: Changes,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._scripts = scripts
        self._policy = policy
        self._bindings = bindings
        self._subjects = subjects
        self._changes = changes
        self._offset_seconds = offset_seconds

    def all(self) -> Sequence[Block]:
        """Return what is not open, the newest first, in one round trip."""
        call = Call(
            _BLOCKS,
            [keys.BLOCKS, keys.SAVED],
            {"offset_ms": self._offset_ms(), "forget_ms": _FORGET_MS},
        )
        found = self._scripts.run(call)["blocks"] or ()
        blocks = [self._block(it) for it in found]
        return sorted(blocks, key=lambda it: it.since, reverse=True)

    def lift(self, scope: Scope, name: str) -> bool:
        """End a block, and forget what led to it; False: there is none.

        What the sends of the next minutes are like may well make another.
        """
        bindings = self._bindings.on(self._policy(), scope, name)
        if not bindings:
            return False  # The rule is off, so it blocks nobody.
        arguments = {"offset_ms": self._offset_ms(), "what": "lift"}
        reply = self._scripts.run(after_call(arguments, bindings))
        self._changes.tell(reply, bindings, None)
        return bool(reply["done"])

    def _block(self, found: Mapping[str, Any]) -> Block:
        row = orjson.loads(found["row"])
        return Block(
            scope=found["field"].partition(":")[0],
            name=self._subjects.unsealed(row["name"]),
            state=row["state"],
            cause=row["cause"],
            since=row["since"] / 1000,
            until=row["ends"] / 1000,
            sent=int(row["sent"]),
            typed=int(row["typed"]),
            refused=int(found["refused"]),
            saved=found["micros"] / MICROS,
            shadow=row["shadow"],
        )

    def _offset_ms(self) -> int:
        return int(self._offset_seconds() * 1000)
