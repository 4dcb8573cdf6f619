"""What an operator may do about a person: the same by HTTP and on the command line.

Every act, reading included, is in the audit before it is done.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from backend.composition.journal import Journal
from backend.errors import BodyError
from backend.schemas.admin import (
    AuditAnswer,
    AuditEntryView,
    ChangedAnswer,
    EndedAnswer,
    EraseAnswer,
    FreezeRequest,
    FrozenView,
    LockView,
    LookAnswer,
    PersonRequest,
    PersonSession,
    ReassignAnswer,
    RoleRequest,
    RolesAnswer,
    TraceAnswer,
    TraceEntry,
    TraceRequest,
    UnlockAnswer,
)
from backend.schemas.body import Body
from services.errors import NotFound, PhoneInvalid, PhoneNotSupported
from services.identity.people.people import People, Person
from services.identity.people.sessions import Sessions
from services.journal.audit import Act
from services.otp.codes import VerificationId
from services.otp.locks import Lock, Locks
from services.otp.phonebook import Phonebook
from services.otp.service import OtpService
from utils.crypto import fingerprint
from utils.phone import PhoneInvalidError, PhoneNotSupportedError, parse_phone

# Everybody has it, and nobody can lose it.
_EVERYBODYS = "customer"

# Roles are in every token, and tokens in every request.
_MOST_ROLES = 20

_SOURCES = {
    _EVERYBODYS: "everybody has it",
    "admin": "ADMIN_PHONES in the settings gives it to this phone",
}


class Admin:
    """The operators' acts. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        *,
        people: People,
        sessions: Sessions,
        otp: OtpService,
        locks: Locks,
        phonebook: Phonebook,
        tag_of: Callable[[str], str],
        journal: Journal,
    ) -> None:
        """``tag_of`` names a phone in Redis."""
        self._people = people
        self._sessions = sessions
        self._otp = otp
        self._locks = locks
        self._phonebook = phonebook
        self._tag_of = tag_of
        self._journal = journal
        self._acts: Mapping[str, Callable[[Person, Any], Body]] = {
            "look": self._look,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "end-sessions": self._end_sessions,
            "unlock": self._unlock,
            "grant-role": self._grant_role,
            "take-role": self._take_role,
            "reassign": self._reassign,
            "erase": self._erase,
            "trace": self._trace,
        }

    def act(self, operation: str, asked: PersonRequest, actor: str) -> Body:
        """Do one of ``ON_PEOPLE``; ``actor`` is ``client:<id>`` or ``cli:<user>``.

        Raises:
            NotFound: there is no such person or verification.
            PhoneInvalid, PhoneNotSupported: no number that can get a code.
            BodyError: the role cannot be given or taken.
            RateLimited: the phone was unlocked too often today.
        """
        audit = self._journal.audit
        try:
            person = self._find(asked)
        except NotFound:
            with audit.acting(Act(operation, actor)):
                raise
        act = Act(
            action=operation,
            actor=actor,
            phone_tag=person.tag,
            subject=person.subject,
            detail=_detail(asked),
        )
        with audit.acting(act):
            return self._acts[operation](person, asked)

    def audit(self, count: int) -> AuditAnswer:
        """Return the last entries of the audit, the newest first.

        Reading it is no entry: whoever polls it would push out what is in it.
        """
        entries = self._journal.audit.last(count)
        return AuditAnswer(entries=[AuditEntryView(**asdict(it)) for it in entries])

    def _find(self, asked: PersonRequest) -> Person:
        if asked.phone is not None:
            tag = self.tag_of_phone(asked.phone)
        elif asked.sub is not None:
            tag = self._people.locate(asked.sub)
        else:
            verification = _verification(asked)
            if verification is None:
                raise NotFound
            tag = verification.tag
        return self._people.look(tag)

    def tag_of_phone(self, phone: str) -> str:
        """Return the tag of a number, also where we do not send to any more.

        Raises:
            PhoneInvalid, PhoneNotSupported: no number that can get a code.
        """
        try:
            return self._phonebook.read(phone, None)[1]
        except PhoneNotSupported:
            pass
        try:
            number = parse_phone(phone, default_region="ZZ")
        except PhoneNotSupportedError:
            raise PhoneNotSupported from None
        except PhoneInvalidError:
            raise PhoneInvalid from None
        return self._tag_of(number.e164)

    def _look(self, person: Person, _: PersonRequest) -> LookAnswer:
        frozen = person.frozen
        return LookAnswer(
            subject=person.subject,
            phone_tag=person.tag,
            frozen=FrozenView(at=frozen.at, reason=frozen.reason) if frozen else None,
            roles=person.roles,
            sessions=[
                PersonSession(
                    session=fingerprint(it.id),
                    device=it.device,
                    client=it.client_id,
                    created_at=it.created,
                    last_used_at=it.used,
                    ends_at=it.ends,
                )
                for it in self._sessions.all_of(person.tag)
            ],
            lock=_lock_view(self._locks.look(person.tag)),
        )

    def _freeze(self, person: Person, asked: FreezeRequest) -> ChangedAnswer:
        changed = self._people.freeze(person.tag, asked.reason)
        return ChangedAnswer(subject=person.subject, changed=changed)

    def _thaw(self, person: Person, _: PersonRequest) -> ChangedAnswer:
        changed = self._people.thaw(person.tag)
        return ChangedAnswer(subject=person.subject, changed=changed)

    def _end_sessions(self, person: Person, _: PersonRequest) -> EndedAnswer:
        ended = self._sessions.end_all(person.tag, "admin")
        return EndedAnswer(subject=person.subject, ended=ended)

    def _unlock(self, person: Person, _: PersonRequest) -> UnlockAnswer:
        lock = self._locks.unlock(person.tag)
        return UnlockAnswer(subject=person.subject, lock=_lock_view(lock))

    def _grant_role(self, person: Person, asked: RoleRequest) -> RolesAnswer:
        if asked.role == _EVERYBODYS:
            raise _bad_role("cannot be granted", asked.role)
        if len(person.granted) >= _MOST_ROLES and asked.role not in person.granted:
            message = f"{_MOST_ROLES} roles are the most that a person has"
            raise BodyError("invalid_request", [{"field": "role", "message": message}])
        changed = self._people.grant(person.tag, asked.role)
        return self._roles(person, changed=changed)

    def _take_role(self, person: Person, asked: RoleRequest) -> RolesAnswer:
        if asked.role in person.roles and asked.role not in person.granted:
            raise _bad_role("cannot be taken", asked.role)
        changed = self._people.take(person.tag, asked.role)
        return self._roles(person, changed=changed)

    def _roles(self, person: Person, *, changed: bool) -> RolesAnswer:
        roles = self._people.look(person.tag).roles
        return RolesAnswer(subject=person.subject, changed=changed, roles=roles)

    def _reassign(self, person: Person, _: PersonRequest) -> ReassignAnswer:
        # The codes first: one that is right after this would be the new holder's login.
        self._otp.forget_holder(person.tag)
        subject = self._people.reassign(person.tag)
        return ReassignAnswer(subject=subject, former_subject=person.subject)

    def _erase(self, person: Person, _: PersonRequest) -> EraseAnswer:
        self._otp.erase(person.tag)
        self._people.erase(person.tag)
        self._journal.trail.forget(person.tag)
        return EraseAnswer(erased_subject=person.subject)

    def _trace(self, person: Person, asked: TraceRequest) -> TraceAnswer:
        verification = _verification(asked)
        entries = self._journal.trail.read(
            person.tag, fingerprint(str(verification)) if verification else None
        )
        return TraceAnswer(
            hours=self._journal.trail.hours,
            entries=[
                TraceEntry(
                    at=it.at,
                    event=it.kind,
                    verification=it.verification,
                    request_id=it.request_id,
                    details=it.fields,
                )
                for it in entries
            ],
        )


def _verification(asked: PersonRequest) -> VerificationId | None:
    if isinstance(asked, TraceRequest) and asked.verification_id is not None:
        return VerificationId.parse(asked.verification_id)
    return None


def _detail(asked: PersonRequest) -> str:
    """Return what the audit keeps of a request besides who it is about."""
    match asked:
        case FreezeRequest():
            return asked.reason
        case RoleRequest():
            return asked.role
        case _:
            verification = _verification(asked)
            return fingerprint(str(verification)) if verification else ""


def _lock_view(lock: Lock) -> LockView:
    return LockView(**asdict(lock))


def _bad_role(what: str, role: str) -> BodyError:
    message = f"{role} {what}: {_SOURCES.get(role, 'the settings give it')}"
    return BodyError("invalid_request", [{"field": "role", "message": message}])
