"""How verifications stand: asked by who holds their id, or by a service of ours."""

from services.abuse.asking import Caller, Room
from services.abuse.guard import Guard
from services.otp.answers import NEXT_WHEN_GONE, Delivery, Status, next_after
from services.otp.codes import VerificationId
from services.otp.phonebook import Phonebook
from services.otp.planning import TEST
from services.otp.records import read_record
from services.otp.store import OtpStore
from services.scripts import Call, ScriptRunner


class Statuses:
    """Tells how verifications stand; changes nothing. Safe to share between threads.

    Every method takes one round trip, and raises ``StoreUnavailable`` when Redis cannot
    be reached.
    """

    def __init__(
        self,
        *,
        scripts: ScriptRunner,
        store: OtpStore,
        guard: Guard,
        phonebook: Phonebook,
    ) -> None:
        self._scripts = scripts
        self._store = store
        self._guard = guard
        self._phonebook = phonebook

    def of(self, verification: VerificationId, caller: Caller) -> Status:
        """Tell how a verification stands."""
        known = self._phonebook.known(verification)
        return self._ask(self._store.status_call(known, self._phonebook.limits), caller)

    def of_phone(self, text: str, caller: Caller) -> Status:
        """Tell how a phone's newest verification stands, whoever asked for it.

        Raises:
            PhoneInvalid, PhoneNotSupported: no number that we send to.
        """
        _, tag = self._phonebook.read(text, None)
        return self._ask(self._store.newest_call(tag, self._phonebook.limits), caller)

    def _ask(self, call: Call, caller: Caller) -> Status:
        look, read_room = self._guard.look(caller)
        replies = self._scripts.run_together(call, look)
        record, room = read_record(replies[0]), read_room(replies[1])
        if record.provider == TEST:
            # No limit on sends binds a test number; a lock does.
            record.send_wait, room = record.check_wait, Room()
        if record.state == "none":
            return Status("none", 0, 0, None, NEXT_WHEN_GONE)
        is_pending = record.state == "pending"
        return Status(
            state=record.state,
            expires_in=record.expires_in if is_pending else 0,
            attempts_left=record.attempts_left if is_pending else 0,
            delivery=Delivery(record.delivery, record.channel, record.attempt),
            next=next_after(record, room, record.channels or ("sms",)),
        )
