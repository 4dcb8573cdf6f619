"""The service at its desk: asked for codes and told codes, in simulated time.

Every challenge is solved at once and at no cost, whoever asks: the worst case.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from backend.composition.chores import Chores
from backend.wiring import build_services
from benchmarks.abuse.addresses import Address
from benchmarks.abuse.vendors import Payer, Vendors
from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.store import open_store
from config.config import Settings
from services.abuse.asking import Caller
from services.abuse.challenges.challenges import Challenges
from services.errors import (
    AttemptsExhausted,
    AuthError,
    ChallengeRequired,
    PhoneDisabled,
    PhoneLocked,
    RateLimited,
    VerificationGone,
    WrongCode,
)
from services.events import Emit
from services.identity.people.records import SessionPrize
from services.otp.answers import SendRequest, Started
from services.otp.codes import Purpose
from services.sms.receipts import Callback
from tests.fakes import Backlog
from tests.simulator.vendor import ReceiptCall

_STOREFRONT = "https://shop.example"

# What a phone's own record refuses; everything else is refused by a rule for many.
_OWN_LIMITS = frozenset({"resend_cooldown", "sends_per_phone", "voice_after_message"})

# What comes round in the service and matters here; there is one process, so nothing
# is to be learnt from others, and routing is not what is looked at.
_ROUNDS = ("abuse figures",)
_ROUND_SECONDS = 30.0

Checked = Literal["right", "wrong", "gone", "locked", "refused"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for a code.

    ``limit`` is what refused, ``own`` whether that was the phone's own record;
    ``challenged`` whether a challenge was solved on the way.
    """

    verification: str | None = None
    retry_in: float = 0.0
    limit: str = ""
    own: bool = False
    challenged: bool = False

    @property
    def sent(self) -> bool:
        """Whether a message is on its way."""
        return self.verification is not None

    @property
    def refused(self) -> bool:
        """Whether a rule that is for many did not let it pass."""
        return bool(self.limit) and not self.own


class FreeChallenges(Challenges):
    """Challenges that cost nothing to solve: every solution is good for one send."""

    def __init__(self) -> None:
        self._solutions = map(str, itertools.count())

    def ask(self, tag: str, network: str, *, difficulty: int = 1) -> Mapping[str, Any]:
        del tag, network, difficulty
        return {"solution": next(self._solutions)}

    def check(self, solution: str, tag: str, network: str) -> str:
        del tag, network
        return solution


class Desk:
    """The real services, all but HTTP, challenges and the clock."""

    def __init__(
        self,
        agenda: Agenda,
        vendors: Vendors,
        settings: Settings,
        *,
        seed: int,
        emit: Emit = lambda _: None,
    ) -> None:
        self.agenda = agenda
        self._vendors = vendors
        self._backlogs = notes, sends, reports = Backlog(), Backlog(), Backlog()
        chores = Chores(emit=emit, notes=notes, sends=sends, reports=reports)
        numbers = itertools.count()
        self.services = build_services(
            settings,
            emit=emit,
            clock=agenda.clock,
            # All that scripts know of time: see the simulation's store.py.
            offset_seconds=agenda.clock.now,
            open_transport=vendors.open_transport,
            open_store=open_store,
            open_challenges=lambda *_, **__: FreeChallenges(),
            chores=chores,
            draws=lambda: random.Random(f"{seed}/routing/{next(numbers)}"),
        )
        self._rounds = [chores.rounds[name] for name in _ROUNDS]
        self._round = -1

    def ask(
        self,
        phone: str,
        address: Address,
        payer: Payer,
        *,
        verification: str | None = None,
        device_token: str | None = None,
    ) -> Answer:
        """Ask for a code as a front end does, with a challenge solved if need be."""
        self._keep_time()
        request = SendRequest(
            phone, verification_id=verification, device_token=device_token
        )
        self._vendors.payer = payer
        try:
            return self._start(request, address, challenged=False)
        except ChallengeRequired as error:
            solved = SendRequest(
                phone,
                verification_id=verification,
                device_token=device_token,
                challenge_solution=error.challenge["solution"],
            )
            return self._start(solved, address, challenged=True)
        finally:
            self._settle()

    def check(
        self, verification: str, phone: str, code: str, address: Address
    ) -> Checked:
        """Type a code as a front end does."""
        self._keep_time()
        try:
            self.services.otp.check(
                verification_id=verification,
                phone_text=phone,
                code=code,
                caller=_caller(address),
                prize=self._prize,
            )
        except WrongCode:
            return "wrong"
        except (VerificationGone, AttemptsExhausted):
            return "gone"
        except (PhoneLocked, PhoneDisabled):
            return "locked"
        except RateLimited:
            return "refused"
        finally:
            self._settle()
        return "right"

    def device_token(self, phone: str) -> str:
        """Return what a device gets that has just logged in."""
        _, tag = self.services.phonebook.read(phone, None)
        return self.services.abuse.devices.issue(tag)

    def take_receipt(self, vendor: str, call: ReceiptCall) -> None:
        """Take what a vendor tells of a message."""
        self._vendors.payer = "customer"
        url = urlsplit(call.url)
        callback = Callback(
            method=call.method,
            url=call.url,
            query=url.query,
            headers={name.lower(): value for name, value in call.headers},
            body=call.body,
            token=url.path.rpartition(f"/{vendor}")[2].lstrip("/"),
        )
        self.services.deliveries.take(vendor, callback)
        self._settle()

    def _start(
        self, request: SendRequest, address: Address, *, challenged: bool
    ) -> Answer:
        try:
            started = self.services.otp.start(request, _caller(address))
        except ChallengeRequired:
            if challenged:
                return Answer(limit="challenge_required", challenged=True)
            raise
        except AuthError as refusal:
            return _refused(refusal, challenged=challenged)
        return _sent(started, challenged=challenged)

    def _prize(self, e164: str, _: Purpose) -> SessionPrize:
        return self.services.identity.sessions.prize(e164, client_id="direct")

    def _settle(self) -> None:
        """Let happen what follows an answer."""
        while any(it.tasks for it in self._backlogs):
            for backlog in self._backlogs:
                backlog.run()

    def _keep_time(self) -> None:
        """Have what comes round every few seconds come round before the next act."""
        number = int(self.agenda.now // _ROUND_SECONDS)
        if number != self._round:
            self._round = number
            for task in self._rounds:
                task()


def _caller(address: Address) -> Caller:
    return Caller(address.network, _STOREFRONT, wider=address.wider)


def _sent(started: Started, *, challenged: bool) -> Answer:
    return Answer(
        verification=str(started.id),
        retry_in=float(started.next.sms.retry_in or 0),
        challenged=challenged,
    )


def _refused(refusal: AuthError, *, challenged: bool) -> Answer:
    limit = refusal.limit or refusal.code
    own = limit in _OWN_LIMITS or isinstance(
        refusal, PhoneLocked | PhoneDisabled | VerificationGone
    )
    wait = float(refusal.retry_after or 0)
    return Answer(retry_in=wait, limit=limit, own=own, challenged=challenged)
