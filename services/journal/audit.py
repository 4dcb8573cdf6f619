"""The audit: what operators did, to whom, and who they were.

Key ``audit``, a stream. An entry's id is its time, by Redis's own clock. Its fields:

=============  =======================================================================
``op``         names the act; its entries share it
``action``     freeze, grant-role, ...
``actor``      ``client:<id>`` or ``cli:<user>``
``phone_tag``  whom it was done to, as everywhere in Redis; may be empty
``subject``    their ``sub`` at that time; may be empty
``detail``     the role, the reason, the verification's fingerprint; why it failed
``request``    the HTTP request's id, as in the log; empty from the command line
``outcome``    ``begun``, entered before the act; ``failed``, after one that failed
=============  =======================================================================

TTL: 400 days from the last entry on, which covers the year that India's DPDP Rules 2025
ask for; about 100,000 entries are kept. Whoever needs them safe from whoever may write
to this Redis ships the log, where every act is a line.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from services.errors import StoreUnavailable
from services.events import AdminActed, Emit
from services.scripts import Call, Script, ScriptRunner
from utils.crypto import random_text

_HERE = Path(__file__).parent
_ADD = Script.load(_HERE / "audit_add.lua")
_LAST = Script.load(_HERE / "audit_last.lua")

_KEY = "audit"
_MOST = 100_000
_TTL_MS = 400 * 86_400 * 1000
_OP_BYTES = 6

# How many entries are read unless somebody says, and at most.
AT_ONCE = 50
MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Act:
    """What is about to be done, and by whom. ``detail`` holds no number, no secret."""

    action: str
    actor: str
    phone_tag: str = ""
    subject: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry, as the module's table has it; ``at`` in Unix seconds."""

    at: float
    op: str
    action: str
    actor: str
    phone_tag: str
    subject: str
    detail: str
    request: str
    outcome: str


class Audit:
    """Enters acts and reads them back. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        emit: Emit,
        request_id: Callable[[], str] = lambda: "",
    ) -> None:
        """``request_id`` names the request that is being served, if one is."""
        self._scripts = scripts
        self._emit = emit
        self._request_id = request_id

    @contextmanager
    def acting(self, act: Act) -> Iterator[None]:
        """Enter an act, let it be done, and tell how it ended.

        Without the entry it is not done.
        """
        op = random_text(_OP_BYTES)
        self._enter(op, act, act.detail, "begun")
        try:
            yield
        except Exception as error:
            why = getattr(error, "code", type(error).__name__)
            # What went wrong stays true where it cannot be entered.
            with suppress(StoreUnavailable):
                self._enter(op, act, why, "failed")
            self._tell(act, why, "failed")
            raise
        self._tell(act, act.detail, "done")

    def last(self, count: int) -> list[AuditEntry]:
        """Return the newest entries, the newest first."""
        reply = self._scripts.run(Call(_LAST, [_KEY], {"count": count}))
        # Lua has one empty table for lists and objects.
        return [_read(*entry) for entry in reply["entries"] or ()]

    def _enter(self, op: str, act: Act, detail: str, outcome: str) -> None:
        fields = {
            "op": op,
            "action": act.action,
            "actor": act.actor,
            "phone_tag": act.phone_tag,
            "subject": act.subject,
            "detail": detail,
            "request": self._request_id(),
            "outcome": outcome,
        }
        pairs = [text for pair in fields.items() for text in pair]
        arguments = {"most": _MOST, "ttl_ms": _TTL_MS, "fields": pairs}
        self._scripts.run(Call(_ADD, [_KEY], arguments))

    def _tell(self, act: Act, detail: str, outcome: str) -> None:
        self._emit(
            AdminActed(
                action=act.action,
                actor=act.actor,
                phone_tag=act.phone_tag,
                subject=act.subject,
                detail=detail,
                outcome=outcome,
            )
        )


def _read(id_: str, pairs: list[str]) -> AuditEntry:
    found = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return AuditEntry(
        at=int(id_.partition("-")[0]) / 1000,
        op=found["op"],
        action=found["action"],
        actor=found["actor"],
        phone_tag=found["phone_tag"],
        subject=found["subject"],
        detail=found["detail"],
        request=found["request"],
        outcome=found["outcome"],
    )
