"""Decides over sends and checks by the shared rules, in one round trip each.

Units are taken before the phone's own limits are asked. When those refuse, or no vendor
takes the message, they are given back; a crash in between counts too much, never too
little. The money held is let go of after a minute.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from services.abuse.asking import (
    Ask,
    Caller,
    ChallengeWanted,
    MoneyUsedUp,
    Quota,
    Room,
    SharedLimitReached,
    Ticket,
)
from services.abuse.bindings import Binding, Bindings, Subjects
from services.abuse.calls import admit_call
from services.abuse.guessing import Guessing
from services.abuse.judging import Changes
from services.abuse.keys import rule_key
from services.abuse.lists import Listed, Lists
from services.abuse.policy import EntryKind, Policy
from services.abuse.rules import MICROS, Rule
from services.abuse_events import SendShadowed
from services.errors import CallerBlocked, PhoneNotSupported
from services.events import Emit, LimitReached
from services.scripts import Call, Reply, ScriptRunner, whole_seconds
from utils.clock import Clock
from utils.crypto import random_text
from utils.phone import PhoneNumber

_SEND_KINDS = ("count", "distinct", "conversion", "money", "guessing")

# A warning is read once, and whoever makes us send it again wants to annoy.
_NOTICE: Mapping[str, Any] = {
    "rule": "notices_per_phone",
    "kind": "count",
    "mode": "block",
    "part": "send",
    "scope": "phone",
    "take": True,
    "spares": False,
    "quota": False,
    "windows": [[1, 3_600_000]],
}

# Longer than a challenge is good for.
_USED_MS = 3_600_000
_OP_BYTES = 6


class Guard:
    """Admits sends and checks by the shared rules. Safe to share between threads.

    Every method that asks Redis raises ``StoreUnavailable`` when it cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        policy: Callable[[], Policy],
        lists: Callable[[], Lists],
        bindings: Bindings,
        subjects: Subjects,
        guessing: Guessing,
        changes: Changes,
        clock: Clock,
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``policy`` and ``lists`` are the operator's, as this worker knows them."""
        self._scripts = scripts
        self._policy = policy
        self._lists = lists
        self._bindings = bindings
        self._subjects = subjects
        self._guessing = guessing
        self._changes = changes
        self._clock = clock
        self._emit = emit
        self._offset_seconds = offset_seconds

    def admit_send(self, ask: Ask) -> Room:
        """Take a unit of every rule that binds, and hold the money.

        Raises:
            CallerBlocked, PhoneNotSupported: the operator's lists forbid it.
            SharedLimitReached: a rule has no unit left; nothing was taken of any.
            ChallengeWanted: it must come with a solved challenge, as above.
            MoneyUsedUp: a cap has no room, as above.
        """
        bindings = self._bindings.of(
            self._policy(),
            ask.caller,
            ask.phone,
            device_id=ask.device_id,
            taking={"send", "call"} if ask.by_voice else {"send"},
            # Checks: an answer tells of all that binds (``next``).
            kinds=_SEND_KINDS,
            allowed=self._let_in(ask),
        )
        reply = self._run("send", bindings, ask)
        if reply["verdict"] == "used":
            raise ChallengeWanted("challenge", 1, Room(), spent=True)
        self._changes.tell(reply, bindings, ask.phone)
        room = _room(reply, bindings)
        if reply["verdict"] != "pass":
            raise self._refusal(reply, ask, room)
        if shadow := reply.get("shadow"):
            self._emit(
                SendShadowed(
                    limit=reply["shadow_by"],
                    verdict=shadow,
                    country=ask.phone.region,
                    phone_tag=ask.tag,
                    saved=ask.cost_micros / MICROS,
                )
            )
        return room

    def admit_check(self, caller: Caller, phone: PhoneNumber, tag: str) -> Room:
        """See whether wrong checks are left; none is taken until one is wrong.

        So checks that are under way at the same time may overshoot these limits by
        their number; those of the phone and the verification they cannot.

        Raises:
            SharedLimitReached: too many wrong checks from here.
        """
        bindings = self._bindings.of(
            self._policy(),
            caller,
            phone,
            allowed=self._listed(caller, phone, tag).allowed,
        )
        reply = self._run("look", bindings)
        room = _room(reply, bindings)
        over = {
            it.name: whole_seconds(found["over_ms"])
            for it, found in zip(bindings, reply["rules"], strict=True)
            if it.document["part"] == "check" and found["over_ms"] > 0
        }
        if room.check_wait:
            limit = max(over, key=lambda it: over[it])
            self._emit(LimitReached(limit, "check", room.check_wait, tag))
            raise SharedLimitReached(limit, room.check_wait, room)
        for limit in over:
            self._emit(SendShadowed(limit, "block", phone.region, tag, 0.0))
        return room

    def count_wrong_check(
        self, caller: Caller, phone: PhoneNumber, *, digits: int | None
    ) -> Room:
        """Count a wrong check against the caller, and a guess against all.

        ``digits`` are those of the code that was guessed at. A check that met no live
        verification has none: it takes no account, but who holds an id could find its
        number by trying them all, so the caller's limits count it.
        """
        policy = self._policy()
        bindings = self._bindings.of(policy, caller, phone, taking={"check"})
        calls = [self._call("force", bindings)]
        if digits is not None:
            calls.append(self._guessing.count_call(policy, digits))
        replies = self._scripts.run_together(*calls)
        if digits is not None:
            self._guessing.read(policy, replies[1])
        return _room(replies[0], bindings)

    def admit_notice(self, ask: Ask) -> Room | None:
        """Take the one notice that a phone may get in an hour, and hold the money.

        None: it had one, or there is no money. Notices are no sends: they neither need
        nor take a unit of those limits.
        """
        subject = self._subjects.masked(ask.phone.e164)
        key = rule_key("count", _NOTICE["rule"], "phone", subject)
        document = {**_NOTICE, "subject": subject}
        binding = Binding(_NOTICE["rule"], Rule("block"), "", key, document)
        caps = self._bindings.of(
            self._policy(), None, ask.phone, taking={"send"}, kinds={"money"}
        )
        bindings = [binding, *caps]
        reply = self._run("send", bindings, ask)
        self._changes.tell(reply, bindings, ask.phone)
        return _room(reply, bindings) if reply["verdict"] == "pass" else None

    def look(self, caller: Caller) -> tuple[Call, Callable[[Reply], Room]]:
        """Return a call that only looks, and how to read its answer.

        Without the phone the limits on its block of numbers cannot be seen.
        """
        bindings = self._bindings.of(self._policy(), caller, None)
        return self._call("look", bindings), lambda reply: _room(reply, bindings)

    def _listed(self, caller: Caller | None, phone: PhoneNumber, tag: str) -> Listed:
        networks = [caller.network] if caller is not None else []
        return self._lists().look(phone, tag, networks, self._clock.now())

    def _let_in(self, ask: Ask) -> Collection[EntryKind]:
        """Return which of the operator's lists spare this send.

        Raises:
            CallerBlocked, PhoneNotSupported: one of them forbids it.
        """
        listed = self._listed(ask.caller, ask.phone, ask.tag)
        if listed.blocked is None:
            return listed.allowed
        self._emit(LimitReached(f"blocked_{listed.blocked}", "send", 0, ask.tag))
        if listed.blocked == "ip":
            raise CallerBlocked
        raise PhoneNotSupported

    def _run(
        self, action: str, bindings: Sequence[Binding], ask: Ask | None = None
    ) -> Reply:
        return self._scripts.run(self._call(action, bindings, ask))

    def _call(
        self, action: str, bindings: Sequence[Binding], ask: Ask | None = None
    ) -> Call:
        arguments: dict[str, Any] = {
            "offset_ms": int(self._offset_seconds() * 1000),
            "action": action,
            "op": random_text(_OP_BYTES),
            "device": ask is not None and ask.knows_device,
            # A message that follows another was let pass with that.
            "vouched": ask is not None and ask.caller is None,
            "wants": ask.wants_challenge if ask else "",
            "cost": ask.cost_micros if ask else 0,
            "used_ms": _USED_MS,
        }
        return admit_call(
            arguments,
            bindings,
            tag=ask.tag if ask else "",
            solution_key=ask.solution_key if ask else "",
        )

    def _refusal(self, reply: Reply, ask: Ask, room: Room) -> Exception:
        limit = reply["by"]
        wait = max(1, whole_seconds(reply["wait_ms"]))
        if reply["verdict"] == "challenge":
            return ChallengeWanted(limit, int(reply["difficulty"]), room)
        self._emit(LimitReached(limit, "send", wait, ask.tag))
        if reply["verdict"] == "money":
            return MoneyUsedUp(wait, room)
        return SharedLimitReached(limit, wait, room)


def _room(reply: Reply, bindings: Sequence[Binding]) -> Room:
    waits = reply["waits"]
    room = Room(
        send_wait=whole_seconds(waits["send"]),
        call_wait=whole_seconds(waits["call"]),
        check_wait=whole_seconds(waits["check"]),
        escalated=bool(reply["escalated"]),
        ticket=Ticket(
            at_ms=int(reply["at_ms"]),
            hold=reply["hold"],
            took=frozenset(reply["took"] or ()),
            counted=reply["counted"],
        ),
    )
    for it, found in zip(bindings, reply["rules"] or (), strict=True):
        if it.document["quota"] and found.get("windows"):
            room.quotas = _quotas(it, found["windows"])
    return room


def _quotas(binding: Binding, found: Sequence[Mapping[str, Any]]) -> Sequence[Quota]:
    windows = binding.rule.windows_of(binding.subject)
    return [
        Quota(
            limit=binding.name,
            capacity=capacity,
            window_seconds=seconds,
            left=int(window["left"]),
            reset_seconds=whole_seconds(window["reset_ms"]),
        )
        for (capacity, seconds), window in zip(windows, found, strict=True)
    ]
