"""The service itself at its desk, among the simulator's vendors, in simulated time."""

import math
import random
from collections.abc import Iterator
from functools import partial
from urllib.parse import urlsplit

from backend.composition.chores import Chores
from backend.wiring import build_services
from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.network import Network
from benchmarks.simulation.people import Person
from benchmarks.simulation.store import open_store
from benchmarks.simulation.vendors import Postbox, Strategy, make_settings
from benchmarks.simulation.world import World
from services.abuse.asking import Caller
from services.errors import DeliveryUnavailable, RateLimited, VerificationGone
from services.events import Emit
from services.identity.people.records import SessionPrize
from services.otp.answers import SendRequest
from services.otp.codes import Purpose
from services.sms.receipts import Callback
from tests.fakes import Backlog
from tests.simulator.vendor import ReceiptCall

# As the service has it in backend/wiring.py, and how long its health waits before it
# judges a message.
_FLUSH_SECONDS = 3.0
_JUDGED_SECONDS = 61.0


class ServiceDesk:
    """The real services, all but HTTP and the clock."""

    def __init__(
        self,
        world: World,
        agenda: Agenda,
        network: Network,
        *,
        strategy: Strategy,
        seed: int,
        redis_url: str,
        emit: Emit = lambda _: None,
    ) -> None:
        self._agenda = agenda
        self._backlogs = notes, sends, reports = Backlog(), Backlog(), Backlog()
        chores = Chores(emit=emit, notes=notes, sends=sends, reports=reports)
        postbox = Postbox(world, agenda, network, self._take)
        self._services = build_services(
            make_settings(world, strategy, redis_url),
            emit=emit,
            clock=agenda.clock,
            # All that scripts know of time: see store.py.
            offset_seconds=agenda.clock.now,
            open_transport=postbox.open_transport,
            open_store=open_store,
            chores=chores,
            draws=partial(next, _generators(seed)),
        )
        self._flush = chores.rounds["vendor health"]
        self._beats: set[int] = set()

    def send(self, person: Person) -> float:
        """Ask for a code as the front end does."""
        request = SendRequest(person.phone, verification_id=person.verification)
        try:
            started = self._services.otp.start(request, _caller(person))
        except (RateLimited, DeliveryUnavailable) as refusal:
            self._settle()
            return float(refusal.retry_after or 0)
        person.verification = str(started.id)
        self._settle()
        return float(started.next.sms.retry_in or 0)

    def check(self, person: Person, code: str) -> bool:
        """Type a code as the front end does."""
        assert person.verification is not None
        try:
            self._services.otp.check(
                verification_id=person.verification,
                phone_text=person.phone,
                code=code,
                caller=_caller(person),
                prize=self._prize,
            )
        except VerificationGone:
            return False
        finally:
            self._settle()
        return True

    def _prize(self, e164: str, _: Purpose) -> SessionPrize:
        return self._services.identity.sessions.prize(e164, client_id="direct")

    def _take(self, vendor: str, call: ReceiptCall) -> None:
        url = urlsplit(call.url)
        callback = Callback(
            method=call.method,
            url=call.url,
            query=url.query,
            headers={name.lower(): value for name, value in call.headers},
            body=call.body,
            token=url.path.rpartition(f"/{vendor}")[2].lstrip("/"),
        )
        self._services.deliveries.take(vendor, callback)
        self._settle()

    def _settle(self) -> None:
        """Let happen what follows an answer, and have its news heard."""
        while any(it.tasks for it in self._backlogs):
            for backlog in self._backlogs:
                backlog.run()
        self._flush_after(0.0)
        self._flush_after(_JUDGED_SECONDS)

    def _flush_after(self, seconds: float) -> None:
        """Have the health's heartbeat come round when there is something to merge."""
        beat = math.floor((self._agenda.now + seconds) / _FLUSH_SECONDS) + 1
        if beat not in self._beats:
            self._beats.add(beat)
            self._agenda.at(beat * _FLUSH_SECONDS, partial(self._beat, beat))

    def _beat(self, beat: int) -> None:
        self._beats.discard(beat)
        self._flush()


def _caller(person: Person) -> Caller:
    # No two people come from one network.
    number = person.number
    return Caller(
        network=f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::",
        storefront="https://shop.example",
    )


def _generators(seed: int) -> Iterator[random.Random]:
    number = 0
    while True:
        yield random.Random(f"{seed}/routing/{number}")
        number += 1
