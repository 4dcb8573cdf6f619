"""Sessions: how a won login lasts, from its check to its end."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from services.errors import (
    InvalidGrant,
    InvalidToken,
    PhoneInUse,
    StoreUnavailable,
    SubjectFrozen,
)
from services.events import Emit, SessionOpened, SessionRefreshed, SessionsEnded
from services.identity.people.people import LUA, People, keys_of
from services.identity.people.records import (
    TAG_CHARACTERS,
    Holder,
    Session,
    SessionDraft,
    SessionRules,
)
from services.identity.people.refresh_tokens import RefreshTokens
from services.identity.people.subjects import Subjects
from services.scripts import Call, Reply, Script, ScriptRunner
from utils.crypto import Keys, fingerprint, random_text, seal, unseal

_HERE = Path(__file__).parent
_FIND = Script.load(LUA, _HERE / "find.lua")
_REFRESH = Script.load(LUA, _HERE / "refresh.lua")
_END = Script.load(LUA, _HERE / "end.lua")

# What stands in front of the script that decides a check: a won one makes the session
# in the same step.
WINNING = (LUA, _HERE / "won.lua")

_ID = re.compile(r"[A-Za-z0-9_-]{38}", re.ASCII)
# OWASP ASVS 7.2.3: at least 128 random bits.
_RANDOM_BYTES = 16
_DAY_MS = 86_400_000
# An answer that was lost is asked for again within this time; RFC 9700 4.14.2 wants
# whoever comes later taken for a thief.
_AGAIN_MS = 10_000


class Sessions:
    """Drafts, finds, renews and ends sessions. Safe to share between threads.

    Every method that asks Redis raises ``StoreUnavailable`` when it cannot be reached,
    and takes one round trip, but for the first after a phone change was cut short.
    """

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        subjects: Subjects,
        people: People,
        tag_of: Callable[[str], str],
        phone_keys: Keys,
        refresh_tokens: RefreshTokens,
        rules: SessionRules,
        emit: Emit,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``phone_keys`` seal phone numbers; ``tag_of`` names a phone in Redis.

        Tests move Redis's time by ``offset_seconds``.
        """
        self._scripts = scripts
        self._subjects = subjects
        self._people = people
        self._tag_of = tag_of
        self._phone_keys = phone_keys
        self._refresh_tokens = refresh_tokens
        self._rules = {
            "idle_ms": rules.idle_days * _DAY_MS,
            "max_ms": rules.max_days * _DAY_MS,
            "most": rules.most,
        }
        self._emit = emit
        self._offset_seconds = offset_seconds

    def draft(
        self,
        e164: str,
        *,
        client_id: str,
        device: str = "",
        scope: str = "",
        moving: Session | None = None,
    ) -> SessionDraft:
        """Prepare the session of a phone, to be made by the check that wins it.

        ``moving`` is a session of the person who moves to this phone, subject and all:
        winning the check is the proof that it is theirs.
        """
        tag, random = self._tag_of(e164), random_text(_RANDOM_BYTES)
        session = {
            "client": client_id,
            "phone": seal(self._phone_keys, e164, context=tag + random),
        }
        if device:
            session["device"] = device
        if scope:
            session["scope"] = scope
        argument = {
            "sub": self._subjects.subject_of(tag),
            "rules": self._rules,
            "id": random,
            "session": session,
        }
        if moving is not None:
            argument["adopt"] = {"sub": moving.subject, "from": moving.tag}
        return SessionDraft(tag, keys_of(tag), argument)

    def name_only(self, e164: str) -> SessionDraft:
        """Prepare a check that wins no session, only whose phone it is."""
        tag = self._tag_of(e164)
        argument = {"sub": self._subjects.subject_of(tag)}
        return SessionDraft(tag, keys_of(tag), argument)

    def opened(self, draft: SessionDraft, won: Mapping[str, Any]) -> Session:
        """Return the session that was made; ``won`` is what the check said of it.

        Raises:
            SubjectFrozen: the operator froze this person; no session was made.
            PhoneInUse: the phone is another person's, who did not move; none was made.
        """
        if won["outcome"] == "frozen":
            raise SubjectFrozen
        if won["outcome"] == "in_use":
            raise PhoneInUse
        session = self._read(draft.tag, won)
        self._emit(
            SessionOpened(
                phone_tag=draft.tag,
                subject=session.subject,
                session=fingerprint(session.id),
                client=session.client_id,
            )
        )
        self._ended("evicted", draft.tag, won.get("evicted", 0))
        return self._settled(session, won)

    def holder(self, won: Mapping[str, Any]) -> Holder:
        """Return whose phone was verified by a check that wins no session."""
        return Holder(subject=won["sub"], amr=won["amr"])

    def refresh(self, token: str, *, client_id: str | None) -> Session:
        """Use up a refresh token; ``refresh_token_of`` the session is the next one.

        The same successor again to the token before, within 10 s: an answer may have
        been lost. An older one was stolen, or the one before was: the session ends.
        ``client_id`` is whom the session must be of, where that is known.

        Raises:
            InvalidGrant: not a good refresh token, or not any more.
        """
        read = self._refresh_tokens.read(token)
        if read is None:
            raise InvalidGrant
        session_id, counter = read
        tag = session_id[:TAG_CHARACTERS]
        arguments: dict[str, Any] = {
            "id": session_id[TAG_CHARACTERS:],
            "counter": counter,
            "again_ms": _AGAIN_MS,
        }
        if client_id is not None:
            arguments["client"] = client_id
        reply = self._run(_REFRESH, tag, arguments)
        outcome = reply["outcome"]
        self._emit(SessionRefreshed(outcome, tag, fingerprint(session_id)))
        if outcome == "reused":
            self._ended("reused", tag, 1)
        if outcome not in {"rotated", "again"}:
            raise InvalidGrant
        session = self._read(tag, reply)
        return self._settled(session, reply)

    def refresh_token_of(self, session: Session) -> str:
        """Return the refresh token that renews a session next."""
        return self._refresh_tokens.write(session.id, session.counter)

    def read(self, token: str) -> tuple[str, int] | None:
        """Return session id and counter of a refresh token; None if it is not ours."""
        return self._refresh_tokens.read(token)

    def find(self, session_id: str, subject: str | None = None) -> Session:
        """Return a live session, of ``subject`` if that is given.

        Raises:
            InvalidToken: there is none, it has ended, it is another subject's, or the
                person is frozen.
        """
        if not _ID.fullmatch(session_id):
            raise InvalidToken
        tag = session_id[:TAG_CHARACTERS]
        reply = self._run(_FIND, tag, {"id": session_id[TAG_CHARACTERS:]})
        if reply["frozen"] or not reply["sessions"]:
            raise InvalidToken
        session = self._read(tag, {**reply, **reply["sessions"][0]})
        if subject is not None and session.subject != subject:
            raise InvalidToken
        return self._settled(session, reply)

    def all_of(self, tag: str) -> list[Session]:
        """Return the live sessions of a phone's holder, frozen or not, oldest first."""
        reply = self._run(_FIND, tag, {})
        found = [self._read(tag, {**reply, **it}) for it in reply["sessions"]]
        return sorted(found, key=lambda it: (it.created, it.id))

    def end(self, session_id: str, reason: str, *, by: str = "") -> bool:
        """End one session; say whether there was one. ``by``: the client that asked."""
        if not _ID.fullmatch(session_id):
            return False
        tag, random = session_id[:TAG_CHARACTERS], session_id[TAG_CHARACTERS:]
        ended = self._run(_END, tag, {"id": random})["ended"]
        self._ended(reason, tag, ended, by)
        return bool(ended)

    def end_all(self, tag: str, reason: str) -> int:
        """End all sessions of a phone's holder; say how many."""
        ended: int = self._run(_END, tag, {})["ended"]
        self._ended(reason, tag, ended)
        return ended

    def phone_of(self, session: Session) -> str:
        """Return the E.164 number that a session was opened with.

        Raises:
            InvalidToken: it was sealed for another session, or with a key we lost.
        """
        try:
            return unseal(self._phone_keys, session.sealed_phone, context=session.id)
        except ValueError as error:
            raise InvalidToken from error

    def _run(self, script: Script, tag: str, arguments: dict[str, Any]) -> Reply:
        arguments["rules"] = self._rules
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return self._scripts.run(Call(script, keys_of(tag), arguments))

    def _read(self, tag: str, told: Mapping[str, Any]) -> Session:
        stored, at_ms = told["session"], told["at_ms"]
        return Session(
            id=tag + told["id"],
            subject=stored["sub"],
            client_id=stored["client"],
            created=stored["created"] // 1000,
            used=stored.get("used", stored["created"]) // 1000,
            ends=told["ends_ms"] // 1000,
            age=(at_ms - stored["created"]) // 1000,
            expires_in=(told["ends_ms"] - at_ms) // 1000,
            device=stored.get("device", ""),
            amr=stored.get("amr", "sms"),
            scope=stored.get("scope", ""),
            roles=self._subjects.roles_of(tag, told.get("roles") or ()),
            counter=stored.get("n", 0),
            sealed_phone=stored["phone"],
        )

    def _ended(self, reason: str, tag: str, count: int, by: str = "") -> None:
        if count:
            self._emit(SessionsEnded(reason, tag, count, by))

    def _settled(self, session: Session, told: Mapping[str, Any]) -> Session:
        """Finish a phone change that is under way; the roles of before come with it."""
        coming_from = told.get("coming_from")
        if not coming_from:
            return session
        try:
            self._people.settle(session.tag, session.subject, coming_from)
            return replace(session, roles=self._people.look(session.tag).roles)
        except StoreUnavailable:
            # Whoever comes next tries again; the session is as good meanwhile.
            return session
