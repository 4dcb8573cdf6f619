"""How honest people log in: they press, wait, type, mistype, press again, or leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from benchmarks.abuse.customers import PRESSES, Customer
from benchmarks.abuse.desk import Desk
from benchmarks.simulation.agenda import Agenda

# A front end does not open the button sooner, whatever it may.
_FIRST_WAIT_SECONDS = 30.0
# Nobody waits longer than that for a button to open.
_LAST_WAIT_SECONDS = 130.0
# Between a wrong code and the next try.
_AGAIN_SECONDS = 6.0

State = Literal["waiting", "typing", "done", "left", "ignored", "refused"]


@dataclass(slots=True)
class Visit:
    """One login: how it stands, and what stood in its way.

    ``refused_by`` is the first rule for many that refused, ``own_limit`` that of the
    phone's own record; they may get in all the same, later.
    """

    customer: Customer
    device_token: str | None = None
    state: State = "waiting"
    presses: int = 0
    mistakes: int = 0
    verification: str | None = None
    challenged: bool = False
    refused_by: str = ""
    own_limit: str = ""


class Visits:
    """All logins at one desk. ``arrive`` is for the vendors to call."""

    def __init__(self, agenda: Agenda) -> None:
        self.by_phone: dict[str, Visit] = {}
        self._agenda = agenda
        self._past: tuple[str, str] = ("", "")

    def remember(self, desk: Desk, customers: Iterable[Customer]) -> None:
        """Have those who logged in before do so, when they did."""
        old = [it for it in customers if it.last_login is not None]
        for it in sorted(old, key=lambda it: it.last_login or 0.0):
            self._agenda.clock.offset = it.last_login or 0.0
            answer = desk.ask(it.phone, it.address, "history")
            phone, code = self._past
            # Not everybody got in then, as not everybody does now.
            if answer.verification is None or phone != it.phone:
                continue
            checked = desk.check(answer.verification, it.phone, code, it.address)
            assert checked == "right", checked
            if it.has_device:
                visit = Visit(it, device_token=desk.device_token(it.phone))
                self.by_phone[it.phone] = visit

    def expect(self, desk: Desk, customers: Iterable[Customer]) -> list[Visit]:
        """Put down everybody for when they come; return their logins."""
        visits = []
        for it in customers:
            visit = self.by_phone.setdefault(it.phone, Visit(it))
            visits.append(visit)
            self._agenda.at(it.came_at, partial(self._press, desk, visit))
        self._desk = desk
        return visits

    def arrive(self, phone: str, code: str) -> None:
        """Have a code come to a phone."""
        self._past = phone, code
        visit = self.by_phone.get(phone)
        if visit is None or visit.state != "waiting" or visit.verification is None:
            return
        seconds = visit.customer.types_after
        if seconds is None:
            visit.state = "ignored"
            return
        visit.state = "typing"
        self._agenda.at(self._agenda.now + seconds, partial(self._type, visit, code))

    def _press(self, desk: Desk, visit: Visit) -> None:
        if visit.state != "waiting":
            return
        visit.presses += 1
        customer = visit.customer
        answer = desk.ask(
            customer.phone,
            customer.address,
            "customer",
            verification=visit.verification,
            device_token=visit.device_token,
        )
        visit.challenged |= answer.challenged
        if answer.sent:
            visit.verification = answer.verification
        elif answer.own:
            visit.own_limit = visit.own_limit or answer.limit
        else:
            visit.refused_by = visit.refused_by or answer.limit
        wait = max(_FIRST_WAIT_SECONDS, answer.retry_in)
        last = visit.presses == PRESSES or wait > _LAST_WAIT_SECONDS
        if last or not customer.stays[visit.presses - 1]:
            self._agenda.at(self._agenda.now + wait, partial(_leave, visit))
            return
        opens = self._agenda.now + wait + customer.reactions[visit.presses - 1]
        self._agenda.at(opens, partial(self._press, desk, visit))

    def _type(self, visit: Visit, code: str) -> None:
        assert visit.verification is not None
        customer = visit.customer
        typed = code
        if visit.mistakes < customer.mistakes:
            visit.mistakes += 1
            typed = code[:-1] + str((int(code[-1]) + visit.mistakes) % 10)
        checked = self._desk.check(
            visit.verification, customer.phone, typed, customer.address
        )
        if checked == "right":
            visit.state = "done"
        elif checked == "wrong":
            later = self._agenda.now + _AGAIN_SECONDS
            self._agenda.at(later, partial(self._type, visit, code))
        else:
            visit.refused_by = visit.refused_by or (
                "wrong_checks" if checked == "refused" else ""
            )
            visit.state = "left"


def _leave(visit: Visit) -> None:
    if visit.state == "waiting":
        visit.state = "refused" if visit.refused_by else "left"
