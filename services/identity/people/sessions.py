"""Sessions: how a won login lasts, from its check to its end."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from services.errors import (
    AuthError,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidToken,
    PhoneInUse,
    SubjectFrozen,
)
from services.events import (
    Emit,
    SessionOpened,
    SessionRefreshed,
    SessionRefused,
    SessionsEnded,
)
from services.identity.people.people import People
from services.identity.people.records import (
    PERSON_LUA,
    Holder,
    Session,
    SessionPrize,
    SessionRules,
    is_session_id,
    keys_of,
    parts_of,
    read_session,
)
from services.identity.people.refresh_tokens import RefreshTokens
from services.identity.people.subjects import Subjects
from services.outcomes import EndReason
from services.scripts import Call, Reply, Script, ScriptRunner
from utils.crypto import Keys, fingerprint, random_text, seal, unseal

_HERE = Path(__file__).parent
_FIND = Script.load(PERSON_LUA, _HERE / "find.lua")
_REFRESH = Script.load(PERSON_LUA, _HERE / "refresh.lua")
_END = Script.load(PERSON_LUA, _HERE / "end.lua")

# What stands in front of the script that decides a check: a won one makes the session
# in the same step.
ON_WIN = (PERSON_LUA, _HERE / "won.lua")

# OWASP ASVS 7.2.3: at least 128 random bits.
_RANDOM_BYTES = 16
# An answer that was lost is asked for again within this time; RFC 9700 4.14.2 wants
# whoever comes later taken for a thief.
_AGAIN_MS = 10_000


class Sessions:
    """Makes, finds, renews and ends sessions. Safe to share between threads.

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
        self._rules = rules.arguments
        self._emit = emit
        self._offset_seconds = offset_seconds

    def prize(
        self,
        e164: str,
        *,
        client_id: str,
        device: str = "",
        scope: str = "",
        moving: Session | None = None,
    ) -> SessionPrize:
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
        return SessionPrize(keys_of(tag), argument)

    def name_only(self, e164: str) -> SessionPrize:
        """Prepare a check that wins no session, only whose phone it is."""
        tag = self._tag_of(e164)
        argument = {"sub": self._subjects.subject_of(tag)}
        return SessionPrize(keys_of(tag), argument)

    def opened(self, e164: str, result: Mapping[str, Any]) -> Session:
        """Return the session of a won check; ``result`` is what came of its prize.

        Raises:
            SubjectFrozen: the operator froze this person, here or where they come from.
            PhoneInUse: the phone is another person's, who did not move; none was made.
        """
        tag = self._tag_of(e164)
        if (outcome := result["outcome"]) in {"frozen", "in_use"}:
            self._emit(SessionRefused(outcome, tag))
            raise SubjectFrozen if outcome == "frozen" else PhoneInUse
        session = self._session(tag, result)
        name = fingerprint(session.id)
        self._emit(SessionOpened(tag, session.subject, name, session.client_id))
        self._tell_ended("evicted", tag, result.get("evicted", 0))
        return self._people.settled(session, result, SubjectFrozen())

    def holder(self, result: Mapping[str, Any]) -> Holder:
        """Return whose phone was verified by a check that wins no session."""
        return Holder(subject=result["sub"], amr=result["amr"])

    def refresh(
        self,
        token: str,
        *,
        client_id: str | None = None,
        scopes: Collection[str] = (),
    ) -> Session:
        """Use up a refresh token; ``refresh_token_of`` the session is the next one.

        The same successor again to the token before, within 10 s: an answer may have
        been lost. An older one was stolen, or the one before was: the session ends.
        ``client_id`` is whom the session must be of, where that is known, and it must
        have ``scopes``. Whoever is refused may use the token again.

        Raises:
            InvalidGrant: no good refresh token, not any more, or another client's.
            InvalidClient: a service client's, and no client is known.
            InvalidScope: the session does not have them.
        """
        read = self._refresh_tokens.read(token)
        if read is None:
            raise InvalidGrant
        session_id, counter = read
        tag, random = parts_of(session_id)
        told: dict[str, Any] = {
            "counter": counter,
            "again_ms": _AGAIN_MS,
            "scopes": list(scopes),
        }
        if client_id is not None:
            told["client"] = client_id
        reply = self._run(_REFRESH, tag, timely=True, id=random, **told)
        outcome = reply["outcome"]
        self._emit(SessionRefreshed(outcome, tag, fingerprint(session_id)))
        if outcome == "reused":
            self._tell_ended("reused", tag, 1)
        if outcome not in {"rotated", "again"}:
            raise _refusal_of(outcome)
        session = self._session(tag, reply)
        return self._people.settled(session, reply, _refusal_of("frozen"))

    def refresh_token_of(self, session: Session) -> str:
        """Return the refresh token that renews a session next."""
        return self._refresh_tokens.write(session.id, session.counter)

    def read_token(self, token: str) -> tuple[str, int] | None:
        """Return session id and counter of a refresh token; None if it is not ours."""
        return self._refresh_tokens.read(token)

    def is_newest(self, token: str, session: Session) -> bool:
        """Tell whether a refresh token is the one that renews a session next.

        One above ours is, too: Redis has lost its last second (see ``refresh.lua``).
        """
        read = self.read_token(token)
        return read is not None and read[0] == session.id and read[1] >= session.counter

    def find(self, session_id: str, subject: str | None = None) -> Session:
        """Return a live session, of ``subject`` if that is given.

        Raises:
            InvalidToken: none, ended, another subject's, or the person is frozen.
        """
        if not is_session_id(session_id):
            raise InvalidToken
        tag, random = parts_of(session_id)
        reply = self._run(_FIND, tag, id=random)
        if reply["frozen"] or not reply["sessions"]:
            raise InvalidToken
        session = self._session(tag, {**reply, **reply["sessions"][0]})
        if subject is not None and session.subject != subject:
            raise InvalidToken
        return self._people.settled(session, reply, InvalidToken())

    def all_of(self, tag: str) -> list[Session]:
        """Return the live sessions of a phone's holder, frozen or not, oldest first."""
        reply = self._run(_FIND, tag)
        found = [self._session(tag, {**reply, **it}) for it in reply["sessions"]]
        return sorted(found, key=lambda it: (it.created, it.id))

    def end(
        self,
        session_id: str,
        reason: EndReason,
        *,
        by: str = "",
        client_id: str | None = None,
    ) -> bool:
        """End one session; say whether there was one. ``by``: the client that asked.

        ``client_id`` is whom the session must be of, where that matters.

        Raises:
            InvalidToken: it is another client's.
        """
        if not is_session_id(session_id):
            return False
        tag, random = parts_of(session_id)
        told: dict[str, Any] = {} if client_id is None else {"client": client_id}
        reply = self._run(_END, tag, id=random, **told)
        if reply["foreign"]:
            raise InvalidToken
        self._tell_ended(reason, tag, reply["ended"], by)
        return bool(reply["ended"])

    def end_all(self, tag: str, reason: EndReason) -> int:
        """End all sessions of a phone's holder; say how many."""
        ended: int = self._run(_END, tag)["ended"]
        self._tell_ended(reason, tag, ended)
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

    def _run(
        self, script: Script, tag: str, *, timely: bool = False, **arguments: Any
    ) -> Reply:
        arguments["rules"] = self._rules
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        call = Call(script, keys_of(tag), arguments, timely=timely)
        return self._scripts.run(call)

    def _session(self, tag: str, told: Mapping[str, Any]) -> Session:
        holder, granted = told["session"]["sub"], told.get("roles") or ()
        roles = self._subjects.roles_of(tag, holder, granted)
        return read_session(tag, told, roles)

    def _tell_ended(
        self, reason: EndReason, tag: str, count: int, by: str = ""
    ) -> None:
        if count:
            self._emit(SessionsEnded(reason, tag, count, by))


def _refusal_of(outcome: str) -> AuthError:
    match outcome:
        case "unproven":
            return InvalidClient()
        case "denied":
            return InvalidScope()
        case _:
            return InvalidGrant(session_lives=outcome in {"foreign", "frozen"})
