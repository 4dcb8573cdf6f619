"""Whether an answer of the service tells a customer's phone from a stranger's.

Over the real HTTP application in this process. Each phone is asked for from an address
of its own, so that no rule binds; customers logged in five days ago.
"""

import io
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from flask.testing import FlaskClient

from backend.app import create_app
from backend.composition.chores import Chores
from backend.telemetry import Telemetry
from backend.wiring import build_services
from benchmarks.abuse.addresses import stranger
from benchmarks.abuse.countries import COUNTRIES, draw_blocks, number_in
from benchmarks.abuse.levels import settings_of
from benchmarks.abuse.vendors import Vendors, price_list
from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.store import open_store
from benchmarks.simulation.world import DAY
from config.logging import configure_logging
from tests.fakes import Backlog
from tests.redis_server import RedisServer

_PHONES = 300
_REGION = "IN"
_UNKNOWN_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
_STARS = re.compile(r"\+[0-9*]+")
# When each question is asked, so that all of one kind are asked at the same moment.
_MOMENTS = {"first": 0.0, "again": 1.0, "resend": 40.0, "later": 45.0}


@dataclass(frozen=True, slots=True)
class Compared:
    """One question, asked for phones of both kinds in turn; medians in ms."""

    question: str
    statuses: tuple[int, ...]
    answers: int
    equal: bool
    customer_ms: float
    stranger_ms: float

    @property
    def apart_ms(self) -> float:
        """How far apart the medians are."""
        return abs(self.customer_ms - self.stranger_ms)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[str, ...]
    body: str
    seconds: float


def compare(*, seed: int, scale: float) -> list[Compared]:
    """Ask the same of customers' and strangers' phones, and compare the answers."""
    server = RedisServer()
    try:
        return _Shop(seed, server.url).compare(max(20, round(_PHONES * scale)))
    finally:
        server.close()


class _Shop:
    def __init__(self, seed: int, redis_url: str) -> None:
        self._seed = seed
        self._moment = 0.0
        self._places: dict[str, int] = {}
        self._agenda = agenda = Agenda()
        self._vendors = Vendors(
            agenda,
            seed=seed,
            prices=price_list(),
            arrive=lambda *_: None,
            take_receipt=lambda *_: None,
        )
        self._vendors.payer = "attacker"
        ordinary = dict.fromkeys(COUNTRIES, 1_000.0)
        settings = settings_of("ours", redis_url=redis_url, ordinary=ordinary)
        telemetry = Telemetry(configure_logging("info", output=io.BytesIO()))
        self._backlog = Backlog()
        chores = Chores(
            emit=telemetry.emit,
            notes=self._backlog,
            sends=self._backlog,
            reports=self._backlog,
        )
        services = build_services(
            settings,
            emit=telemetry.emit,
            clock=agenda.clock,
            offset_seconds=agenda.clock.now,
            open_transport=self._vendors.open_transport,
            open_store=open_store,
            chores=chores,
        )
        self._client: FlaskClient = create_app(
            settings, services, telemetry
        ).test_client()

    def compare(self, how_many: int) -> list[Compared]:
        draws = random.Random(f"{self._seed}/enumeration")
        phones = [
            number_in(block, draws.randrange(10_000))
            for block in draw_blocks(draws, _REGION, 2 * how_many)
        ]
        customers = frozenset(phones[:how_many])
        self._moment = -5 * DAY
        for phone in phones[:how_many]:
            self._log_in(phone)
        # In turn, so that whatever else this machine does meets both alike.
        pairs = zip(phones[:how_many], phones[how_many:], strict=True)
        asked = [it for pair in pairs for it in pair]
        ask = partial(self._ask, asked)
        sent = ask("first", self._send)
        ids = {it: _verification(sent[it]) for it in asked}
        foreign = dict(zip(asked, [*asked[2:], *asked[:2]], strict=True))
        questions: Mapping[str, Mapping[str, _Answer]] = {
            "send-otp": sent,
            "send-otp, again at once": ask("again", self._send),
            "send-otp, as a resend": ask(
                "resend", lambda it: self._send(it, verification_id=ids[it])
            ),
            "otp-status by id": ask("later", lambda it: self._status(ids[it])),
            "verify-otp, wrong code": ask(
                "later", lambda it: self._verify(it, ids[it], "000000")
            ),
            "verify-otp, an id of somebody else's": ask(
                "later", lambda it: self._verify(it, ids[foreign[it]], "000000")
            ),
        }
        return [
            _compared(question, answers, customers)
            for question, answers in questions.items()
        ]

    def _ask(
        self, phones: Sequence[str], when: str, ask: Callable[[str], _Answer]
    ) -> Mapping[str, _Answer]:
        self._moment = _MOMENTS[when]
        return {it: ask(it) for it in phones}

    def _log_in(self, phone: str) -> None:
        verification = _verification(self._send(phone))
        code = self._vendors.texts[-1].code
        answer = self._verify(phone, verification, code)
        assert answer.status == 200, answer.body

    def _send(self, phone: str, **more: str) -> _Answer:
        return self._call("POST", "/api/send-otp", phone, {"phone": phone, **more})

    def _verify(self, phone: str, verification: str, code: str) -> _Answer:
        body = {"verification_id": verification, "phone": phone, "otp": code}
        return self._call("POST", "/api/verify-otp", phone, body)

    def _status(self, verification: str) -> _Answer:
        return self._call("GET", f"/api/otp-status/{verification}", verification, None)

    def _call(
        self, method: str, path: str, who: str, body: dict[str, Any] | None
    ) -> _Answer:
        place = self._places.setdefault(who, len(self._places))
        address = stranger(place).network
        ask = partial(
            self._client.open,
            path,
            method=method,
            json=body,
            environ_overrides={"REMOTE_ADDR": address},
        )
        self._agenda.clock.offset = self._moment
        began = time.perf_counter()
        response = ask()
        seconds = time.perf_counter() - began
        self._backlog.run()
        return _Answer(
            status=response.status_code,
            headers=tuple(sorted(name for name, _ in response.headers)),
            body=response.get_data(as_text=True),
            seconds=seconds,
        )


def _verification(answer: _Answer) -> str:
    found = re.search(r'"verification_id": ?"([^"]+)"', answer.body)
    assert found is not None, answer.body
    return found[1]


def _compared(
    question: str, answers: Mapping[str, _Answer], customers: frozenset[str]
) -> Compared:
    both: Sequence[list[_Answer]] = [
        [it for phone, it in answers.items() if (phone in customers) is known]
        for known in (True, False)
    ]
    shapes = [
        frozenset((it.status, it.headers, _shape(it.body)) for it in group)
        for group in both
    ]
    times = [1_000 * median(it.seconds for it in group) for group in both]
    return Compared(
        question=question,
        statuses=tuple(sorted({it.status for it in answers.values()})),
        answers=len(answers),
        equal=shapes[0] == shapes[1],
        customer_ms=times[0],
        stranger_ms=times[1],
    )


def _shape(body: str) -> str:
    """Leave out what differs from one request to the next for everybody."""
    return _STARS.sub("+n", _UNKNOWN_ID.sub("id", body))
