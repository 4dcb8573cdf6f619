"""Carries what vendors took: to the phone, or nowhere, and tells the vendor."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.people import Person
from benchmarks.simulation.world import World
from tests.simulator.vendor import State

# Told when the fate of a message is known, if it ever is.
Tell = Callable[[State], None]
# A person reads a code.
Arrive = Callable[[Person, str], None]


class Network:
    """The way from the vendors to the phones, and the bill."""

    def __init__(
        self,
        world: World,
        agenda: Agenda,
        people: Iterable[Person],
        arrive: Arrive,
    ) -> None:
        self._world = world
        self._agenda = agenda
        self._people = {it.phone: it for it in people}
        self._arrive = arrive
        self._asked: Counter[tuple[int, str]] = Counter()
        self._took: Counter[tuple[int, str]] = Counter()

    def owner_of(self, phone: str) -> Person:
        """Return whose number that is."""
        return self._people[phone]

    def answer_seconds(self, person: Person, vendor: str) -> float:
        """Return how long a vendor takes to answer a request that it is sent now."""
        key = person.number, vendor
        self._asked[key] += 1
        return self._world.answer_seconds(*key, self._asked[key])

    def carry(self, person: Person, vendor: str, code: str, tell: Tell) -> None:
        """Take a message from a vendor, now; it costs, whatever becomes of it."""
        key = person.number, vendor
        self._took[key] += 1
        now = self._agenda.now
        person.vendors.append(vendor)
        person.paid += self._world.lines[vendor, person.region].price
        fate = self._world.fate(
            person.number, person.region, vendor, self._took[key], now
        )
        if fate.arrives is not None:
            self._agenda.at(now + fate.arrives, partial(self._arrive, person, code))
        if fate.receipt is not None:
            state: State = "undelivered" if fate.arrives is None else "delivered"
            self._agenda.at(now + fate.receipt, partial(tell, state))
