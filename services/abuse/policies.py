"""The operator's policy: kept in Redis, changed without a restart, followed by all.

Key ``policy:{all}``, a hash; no TTL: it is a standing record. Its fields:

===========================  =========================================================
``version``                  how often it was changed
``stamp``                    names the last change; another one tells workers to read
``rule:<name>:mode``         what the operator set of a rule; ``overrides.py`` has how
``rule:<name>:windows``      it is written. What is not set is as the settings have it
``rule:<name>:special``
``entry:<id>``               ``<until>:<sealed>``: Unix seconds or 0, and the entry as
                             JSON, sealed: kind, value, verdict, until, label, reason,
                             actor, at
===========================  =========================================================

An entry's id follows from what it names, by a keyed MAC: who names the same again puts
it in the place of the first. Entries that have ended go with the next change.

Redis that came back without it is no change: workers keep what they know (``lost``).
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from services.abuse.entries import EntryRows, ListEntry
from services.abuse.lists import Lists, read_value
from services.abuse.overrides import (
    PARTS,
    Override,
    PolicyRefused,
    check_override,
    definition_of,
    write_parts,
)
from services.abuse.policy import Entry, EntryKind, EntryVerdict, Policy
from services.abuse.policy_rows import PolicyState, read_rows
from services.abuse.rules import RULES, Mode, Rule, Windows
from services.abuse_events import PolicyFollowed
from services.errors import StoreUnavailable
from services.events import Emit
from services.scripts import Call, Script, ScriptRunner
from utils.clock import Clock
from utils.crypto import Keys, random_text

_HERE = Path(__file__).parent
_READ = Script.load(_HERE / "policy_read.lua")
_CHANGE = Script.load(_HERE / "policy.lua")

_KEY = "policy:{all}"
_STAMP_BYTES = 9
# As long as anybody waits for another thread that reads the policy for the first time.
_FIRST_SECONDS = 1.0

# Each costs every worker 2 ms of CPU in 100 when it starts, and Redis 300 bytes.
MOST_ENTRIES = 10_000


class Policies:
    """The policy as this worker last saw it. Safe to share between threads.

    Until it was read once every method tries to, and raises ``StoreUnavailable`` where
    that fails: somebody may be blocked. What asks Redis raises it, too.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        defaults: Mapping[str, Rule],
        keys: Keys,
        clock: Clock,
        emit: Emit,
    ) -> None:
        """``defaults`` are the rules as the settings have them.

        ``keys`` seal entries (``EntryRows``).
        """
        self._scripts = scripts
        self._defaults = {name: it.default for name, it in RULES.items()} | {**defaults}
        self._rows = EntryRows(keys)
        self._clock = clock
        self._emit = emit
        self._state: PolicyState | None = None
        self._following = threading.Lock()

    def current(self) -> Policy:
        """Return the policy, from memory."""
        return self._shown().policy

    def lists(self) -> Lists:
        """Return the lists, from memory."""
        return self._shown().lists

    def entries(self) -> Sequence[ListEntry]:
        """Return what is on the lists and has not ended, the newest first."""
        now = self._clock.now()
        bound = [it for it in self._shown().read.values() if it.entry.binds_at(now)]
        return sorted(bound, key=lambda it: (-it.at, it.id))

    def overrides(self) -> Mapping[str, Override]:
        """Return what the operator set of the rules, by name."""
        return self._shown().overrides

    def broken(self) -> Sequence[str]:
        """Name the rows that nobody can read; they count as none.

        ``everything``: Redis has lost the policy; that of before holds here.
        """
        state = self._shown()
        return ("everything", *state.broken) if state.is_lost else state.broken

    def follow(self) -> None:
        """Read the policy if it was changed, and use it from now on.

        A row that cannot be read is passed over.

        Raises:
            StoreUnavailable: Redis cannot be reached; the last policy is used.
        """
        with self._following:
            self._follow()

    def set_rule(self, name: str, rule: Rule) -> None:
        """Have a rule be so, all of it, whatever the settings say.

        Raises:
            PolicyRefused: it cannot be so, or there is no such rule.
        """
        self._override(name, Override(rule.mode, rule.windows, rule.special))

    def change_rule(
        self,
        name: str,
        *,
        mode: Mode | None = None,
        windows: Windows | None = None,
        special: Mapping[str, Windows] | None = None,
    ) -> None:
        """Change parts of a rule; those left out stay as they are.

        Atomic: who changes the mode undoes nobody's change of the windows.

        Raises:
            PolicyRefused: it cannot be so, or there is no such rule.
        """
        self._override(name, Override(mode, windows, special))

    def reset_rule(self, name: str) -> bool:
        """Have a rule be as the settings say; tell whether it was not.

        Raises:
            PolicyRefused: there is no such rule.
        """
        definition_of(name)
        return self._change(drop=[f"rule:{name}:{part}" for part in PARTS])

    def put_entry(
        self,
        kind: EntryKind,
        value: str,
        verdict: EntryVerdict,
        *,
        reason: str,
        actor: str,
        until: float | None = None,
        label: str = "",
    ) -> ListEntry:
        """Allow or block a phone (by its tag), the beginning of numbers, ...

        What is on the lists already is replaced. ``label`` is what operators see in the
        place of ``value``; ``until`` a Unix time.

        Raises:
            PolicyRefused: the value is nothing of this kind, or the lists are full.
        """
        value = read_value(kind, value)
        put = ListEntry(
            id=self._rows.id_of(kind, value),
            # Whole seconds, as the row says them.
            entry=Entry(kind, value, verdict, None if until is None else int(until)),
            label=label or value,
            reason=reason,
            actor=actor,
            at=int(self._clock.now()),
        )
        if not self._change(put=[f"entry:{put.id}", self._rows.write(put)]):
            message = f"the lists hold {MOST_ENTRIES} entries, and no more"
            raise PolicyRefused("value", message)
        return put

    def remove_entry(self, entry_id: str) -> bool:
        """Take an entry off the lists, readable or not; False if there is none."""
        return self._change(drop=[f"entry:{entry_id}"])

    def id_of(self, kind: EntryKind, value: str) -> str:
        """Return the id of the entry that names ``value``, on the lists or not.

        Raises:
            PolicyRefused: the value is nothing of this kind.
        """
        return self._rows.id_of(kind, read_value(kind, value))

    def _shown(self) -> PolicyState:
        if self._state:
            return self._state
        if self._following.acquire(blocking=False):
            try:
                return self._state or self._follow()
            finally:
                self._following.release()
        # Where Redis is mute, one thread after the other would wait for it.
        if self._following.acquire(timeout=_FIRST_SECONDS):
            self._following.release()
        if self._state is None:
            raise StoreUnavailable
        return self._state

    def _follow(self) -> PolicyState:
        """Read it, with the lock held."""
        before = self._state
        known = {"stamp": before.stamp} if before else {}
        reply = self._scripts.run(Call(_READ, [_KEY], known))
        if before and reply.get("stamp", before.stamp) == before.stamp:
            state = replace(before, is_lost=False)
        elif before and not (reply["stamp"] or reply["rows"] or reply["broken"]):
            state = replace(before, is_lost=True)
        else:
            state = read_rows(
                reply, defaults=self._defaults, rows=self._rows, before=before
            )
        self._state = state
        if (
            (before.stamp, before.is_lost) != (state.stamp, state.is_lost)
            if before
            else state.policy.version
        ):
            self._emit(
                PolicyFollowed(
                    version=state.policy.version,
                    rules=len(state.overrides),
                    entries=len(state.read),
                    broken=len(state.broken) + state.is_lost,
                    lost=state.is_lost,
                )
            )
        return state

    def _override(self, name: str, override: Override) -> None:
        check_override(name, override)
        parts = write_parts(override).items()
        self._change(put=chain.from_iterable((f"rule:{name}:{p}", v) for p, v in parts))

    def _change(self, *, put: Iterable[str] = (), drop: Iterable[str] = ()) -> bool:
        arguments = {
            "stamp": random_text(_STAMP_BYTES),
            "now": self._clock.now(),
            "most": MOST_ENTRIES,
            "set": list(put),
            "drop": list(drop),
        }
        done = bool(self._scripts.run(Call(_CHANGE, [_KEY], arguments))["done"])
        self.follow()
        return done
