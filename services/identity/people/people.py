"""People: what was decided about somebody, and which phone they are at.

Whoever logs in is known by the phone's default subject, and has no record. One is made
when an operator decides something, or somebody changes the number.

Key ``person:{<tag>}``, a string of JSON without TTL, gone when empty:

===============  =====================================================================
``sub``          who holds the phone, where that is not the default subject
``generation``   how often the number changed hands; absent for 0
``frozen``       ``{at, reason}``: no login and no refresh (milliseconds)
``roles``        granted, beside those of the settings
``moved``        subject -> tag: where each went who moved away from here
``moved_in``     ``sub`` came from another phone
``coming_from``  the tag of that phone, until nothing is left of them there
===============  =====================================================================

Two phones are in two slots, so a phone change takes steps: the check won at the new
phone makes ``sub`` and ``coming_from`` there; then the old phone is left, and what they
had there moves along. Each step may be run again, and whoever next finds
``coming_from`` takes those that are left.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from services.errors import AuthError, NotFound, StoreUnavailable
from services.events import Emit, PhoneChanged, SessionsEnded
from services.identity.people.records import (
    PERSON_LUA,
    Session,
    is_tag,
    keys_of,
    person_key,
)
from services.identity.people.subjects import Subjects
from services.outcomes import EndReason
from services.scripts import Call, Reply, Script, ScriptRunner

_HERE = Path(__file__).parent
_LOOK = Script.load(PERSON_LUA, _HERE / "look.lua")
_DECIDE = Script.load(PERSON_LUA, _HERE / "decide.lua")
_LEAVE = Script.load(PERSON_LUA, _HERE / "leave.lua")
_ARRIVE = Script.load(PERSON_LUA, _HERE / "arrive.lua")

# A number a year for a long life; a chain has no loops, but Redis may hold anything.
_MAX_HOPS = 100
# Somebody else would have to change the same record in between, each time.
_TRIES = 3
# How many phone changes, each cut short, are finished at once.
_MAX_UNFINISHED = 3


@dataclass(frozen=True, slots=True)
class Freeze:
    """When (Unix seconds) and why a person was frozen."""

    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who holds a phone; ``roles`` are all, ``granted`` those by the operator."""

    tag: str
    subject: str
    frozen: Freeze | None
    roles: list[str]
    granted: list[str]


class People:
    """What is known of people beyond their sessions. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        subjects: Subjects,
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Use ``scripts``; tests move Redis's time by ``offset_seconds``."""
        self._scripts = scripts
        self._subjects = subjects
        self._emit = emit
        self._offset_seconds = offset_seconds

    def look(self, tag: str) -> Person:
        """Return who holds a phone, whether they ever logged in or not."""
        stored = self._load(tag)
        frozen, granted = stored.get("frozen"), stored.get("roles") or []
        subject = self._holder(tag, stored)
        return Person(
            tag=tag,
            subject=subject,
            frozen=Freeze(frozen["at"] // 1000, frozen["reason"]) if frozen else None,
            roles=self._subjects.roles_of(tag, subject, granted),
            granted=granted,
        )

    def locate(self, subject: str) -> str:
        """Return the tag of the phone that a person is at, wherever they moved.

        Raises:
            NotFound: it is nobody's subject, or not any more.
        """
        read = self._subjects.read(subject)
        tag = read[0] if read else None
        for _ in range(_MAX_HOPS):
            if not is_tag(tag):
                break
            stored = self._load(tag)
            if self._holder(tag, stored) == subject:
                return tag
            tag = stored.get("moved", {}).get(subject)
        raise NotFound

    def freeze(self, tag: str, reason: str) -> bool:
        """Let nobody log in or refresh with a phone; say whether that is new.

        Sessions stay, of no use until ``thaw``.
        """
        return bool(self._decide(tag, freeze=reason)["changed"])

    def thaw(self, tag: str) -> bool:
        """Undo a freeze; say whether there was one."""
        return bool(self._decide(tag, thaw=True)["changed"])

    def grant(self, tag: str, role: str) -> bool:
        """Give a role; say whether that is new. It holds from the next refresh on."""
        return bool(self._decide(tag, grant=role)["changed"])

    def take(self, tag: str, role: str) -> bool:
        """Take a granted role away; say whether it was there."""
        return bool(self._decide(tag, take=role)["changed"])

    def reassign(self, tag: str) -> str:
        """Make whoever logs in next somebody new: the number changed hands.

        Ends all sessions, forgets roles and freeze, and returns the new subject. The
        phone's own record does not know: see ``OtpStore.forget_holder``.
        """
        self._part(tag, "reassigned")
        return self.look(tag).subject

    def erase(self, tag: str) -> None:
        """Forget all about who holds a phone.

        How often the number changed hands stays: who logs in next is somebody new, and
        not whom other services may still remember by that subject. So does a freeze, or
        to be erased would be the way out of it.
        """
        subject = self.look(tag).subject
        self._part(tag, "erased", keep_frozen=True)
        read = self._subjects.read(subject)
        at: str | None = read[0] if read else None
        for _ in range(_MAX_HOPS):
            if not is_tag(at) or at == tag:
                break
            at = self._decide(at, forget=subject).get("to")

    def settle(
        self,
        tag: str,
        subject: str,
        from_tag: str,
        *,
        unfinished: int = _MAX_UNFINISHED,
    ) -> None:
        """Finish the move of a person to the phone ``tag``, from wherever it got.

        ``unfinished`` bounds how many moves before it may have to be finished first.
        """
        old = self._load(from_tag)
        is_there = self._holder(from_tag, old) == subject
        before = old.get("coming_from")
        if is_there and unfinished and is_tag(before):
            self.settle(from_tag, subject, before, unfinished=unfinished - 1)
            old = self._load(from_tag)
        if is_there:
            # First here, then gone there: a crash between forgets nothing.
            self._arrive(tag, subject, from_tag, old, done=False)
        left = self._leave(from_tag, subject, tag)
        if left["to"] != tag:
            # They moved to two phones at once; the other one was faster.
            self._leave(tag, subject, left["to"])
        elif self._arrive(tag, subject, from_tag, left, done=True):
            self._emit(PhoneChanged(subject, from_tag, tag))

    def settled(
        self, session: Session, told: Mapping[str, Any], if_frozen: AuthError
    ) -> Session:
        """Return a session, with the phone change finished that is under way, if any.

        ``told`` is what the script said beside it. Roles and freeze come along from the
        old phone; ``if_frozen`` is raised if the person is.
        """
        coming_from = told.get("coming_from")
        # Whatever somebody wrote there by hand, nobody comes from no phone.
        if not is_tag(coming_from):
            return session
        try:
            self.settle(session.tag, session.subject, coming_from)
            person = self.look(session.tag)
        except StoreUnavailable:
            # Whoever comes next tries again; the session is as good meanwhile.
            return session
        if person.frozen:
            raise if_frozen
        return replace(session, roles=person.roles)

    def _leave(self, old_tag: str, subject: str, new_tag: str) -> Reply:
        """Part a person from their old phone; what they had there is in the answer.

        ``to`` of it is another phone than ``new_tag`` where they went there before.
        """
        return self._part(old_tag, "moved", sub=subject, to=new_tag)

    def _arrive(
        self,
        tag: str,
        subject: str,
        from_tag: str,
        had: Mapping[str, Any],
        *,
        done: bool,
    ) -> bool:
        arguments = {
            "sub": subject,
            "from": from_tag,
            "roles": had.get("roles") or [],
            "done": done,
        }
        if frozen := had.get("frozen"):
            arguments["frozen"] = frozen
        return bool(self._ask(_ARRIVE, tag, arguments)["outcome"] == "arrived")

    def _part(self, tag: str, reason: EndReason, **going: object) -> Reply:
        """Run the script that ends what a holder has, until the generation fits."""
        for _ in range(_TRIES):
            generation = self._load(tag).get("generation", 0)
            arguments = {
                "default": self._subjects.subject_of(tag),
                "generation": generation,
                "next": self._subjects.subject_of(tag, generation + 1),
                **going,
            }
            reply = self._scripts.run(Call(_LEAVE, keys_of(tag), arguments))
            if reply["outcome"] == "left":
                if reply["ended"]:
                    self._emit(SessionsEnded(reason, tag, reply["ended"]))
                return reply
        raise StoreUnavailable(retry_after=1)

    def _holder(self, tag: str, stored: Mapping[str, Any]) -> str:
        return stored.get("sub") or self._subjects.subject_of(tag)

    def _load(self, tag: str) -> dict[str, Any]:
        # Lua does not tell an empty object from an empty list.
        person: dict[str, Any] = self._ask(_LOOK, tag, {})["person"] or {}
        return person

    def _decide(self, tag: str, **decision: object) -> Reply:
        decision["offset_ms"] = int(self._offset_seconds() * 1000)
        return self._ask(_DECIDE, tag, decision)

    def _ask(self, script: Script, tag: str, arguments: dict[str, Any]) -> Reply:
        return self._scripts.run(Call(script, [person_key(tag)], arguments))
