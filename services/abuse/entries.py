"""Entries of the lists as they are kept: sealed, and named by what they name.

Who reads Redis without our keys learns how many there are, and when each ends.
"""

import base64
from dataclasses import asdict, dataclass

import orjson

from services.abuse.policy import Entry, EntryKind
from utils.crypto import Keys, mac, seal, unseal

_ID_BYTES = 10


@dataclass(frozen=True, slots=True)
class ListEntry:
    """An entry as operators see it; ``label`` is what they called it, ``at`` when."""

    id: str
    entry: Entry
    label: str
    reason: str
    actor: str
    at: int


class EntryRows:
    """Writes and reads the rows of entries. Safe to share between threads."""

    def __init__(self, keys: Keys) -> None:
        """``keys`` should be names' keys: entries stand for years."""
        self._keys = keys

    def id_of(self, kind: EntryKind, value: str) -> str:
        """Return the id of the entry that names ``value``, on the lists or not."""
        name = mac(self._keys[0], "entry", kind, value)[:_ID_BYTES]
        return base64.b32encode(name).decode().lower()

    def write(self, put: ListEntry) -> str:
        """Write a row: when the entry ends, for the script, and all of it, sealed."""
        until = put.entry.until
        ends = str(0 if until is None else int(until))
        text = orjson.dumps(
            {
                **asdict(put.entry),
                "label": put.label,
                "reason": put.reason,
                "actor": put.actor,
                "at": put.at,
            }
        ).decode()
        return f"{ends}:{seal(self._keys, text, context=_context(put.id, ends))}"

    def read(self, entry_id: str, row: str) -> ListEntry:
        """Read a row.

        Raises:
            ValueError: it is not as we wrote it, or another entry's.
        """
        ends, _, sealed = row.partition(":")
        held = orjson.loads(
            unseal(self._keys, sealed, context=_context(entry_id, ends))
        )
        return ListEntry(
            id=entry_id,
            entry=Entry(held["kind"], held["value"], held["verdict"], held["until"]),
            label=held["label"],
            reason=held["reason"],
            actor=held["actor"],
            at=held["at"],
        )


def _context(entry_id: str, ends: str) -> str:
    return f"policy {entry_id} {ends}"
