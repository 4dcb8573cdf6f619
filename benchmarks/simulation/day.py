"""A day of people at a desk that sends and checks codes: the events and their order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.network import Network
from benchmarks.simulation.people import LAST_WAIT_SECONDS, PRESSES, Person
from benchmarks.simulation.world import World


class Desk(Protocol):
    """What people meet: the service, or the oracle."""

    def send(self, person: Person) -> float:
        """Send a code, or again, and return in how many seconds the next may go.

        It takes as long as it takes, by the agenda's clock.
        """
        ...

    def check(self, person: Person, code: str) -> bool:
        """Tell whether that was the code."""
        ...


OpenDesk = Callable[[World, Agenda, Network], Desk]


@dataclass(frozen=True, slots=True)
class Login:
    """How it went for one person. ``code_after`` seconds a code was on the phone."""

    region: str
    came_at: float
    state: str
    code_after: float | None
    vendors: tuple[str, ...]
    paid: float


class Day:
    """People come, wait, type, press again, or leave."""

    def __init__(
        self, people: Sequence[Person], world: World, open_desk: OpenDesk
    ) -> None:
        self._people = people
        self._agenda = Agenda()
        network = Network(world, self._agenda, people, self._arrive)
        self._desk = open_desk(world, self._agenda, network)

    def run(self) -> list[Login]:
        """Let the day pass, and return how it went for everybody."""
        for person in self._people:
            self._agenda.at(person.came_at, partial(self._press, person))
        self._agenda.run()
        return [_login(person) for person in self._people]

    def _press(self, person: Person) -> None:
        person.presses += 1
        wait = self._desk.send(person)
        answered = self._agenda.now
        if person.presses == PRESSES or wait > LAST_WAIT_SECONDS:
            self._agenda.at(answered + LAST_WAIT_SECONDS, partial(self._leave, person))
            return
        opens = answered + wait
        if person.stays[person.presses - 1]:
            reaction = person.reactions[person.presses - 1]
            self._agenda.at(opens + reaction, partial(self._press_again, person))
        else:
            self._agenda.at(opens, partial(self._leave, person))

    def _press_again(self, person: Person) -> None:
        if person.state == "waiting":
            self._press(person)

    def _leave(self, person: Person) -> None:
        if person.state == "waiting":
            person.state = "left"

    def _arrive(self, person: Person, code: str) -> None:
        if person.state != "waiting":
            return
        person.code_at = self._agenda.now
        if person.types_after is None:
            person.state = "ignored"
            return
        person.state = "typing"
        self._agenda.at(
            self._agenda.now + person.types_after, partial(self._type, person, code)
        )

    def _type(self, person: Person, code: str) -> None:
        person.state = "done" if self._desk.check(person, code) else "left"


def _login(person: Person) -> Login:
    code_after = None if person.code_at is None else person.code_at - person.came_at
    return Login(
        region=person.region,
        came_at=person.came_at,
        state=person.state,
        code_after=code_after,
        vendors=tuple(person.vendors),
        paid=person.paid,
    )
