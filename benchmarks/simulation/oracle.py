"""A desk that knows what nobody can know: who delivers how much, and who is down."""

from benchmarks.simulation.agenda import Agenda
from benchmarks.simulation.network import Network
from benchmarks.simulation.people import Person
from benchmarks.simulation.world import World
from tests.simulator.vendor import State

# As the service: a wait that grows, three messages in ten minutes, one follow-up.
_WAITS = (30.0, 60.0, 120.0)
_MOST_MESSAGES = 3


class Oracle:
    """Sends every message by the vendor that is best in truth, at that moment."""

    def __init__(self, world: World, agenda: Agenda, network: Network) -> None:
        self._world = world
        self._agenda = agenda
        self._network = network
        self._followed: set[int] = set()

    def send(self, person: Person) -> float:
        """Send by the best; what is lost, and known to be, is sent once more."""
        self._send(person)
        return _WAITS[person.presses - 1]

    def check(self, person: Person, code: str) -> bool:
        """Let in everybody whose code came."""
        del person, code
        return True

    def _send(self, person: Person) -> None:
        if len(person.vendors) == _MOST_MESSAGES:
            return
        vendor = self._world.best(person.region, self._agenda.now)
        self._agenda.clock.advance(self._network.answer_seconds(person, vendor))

        def tell(state: State) -> None:
            if state == "undelivered" and person.number not in self._followed:
                self._followed.add(person.number)
                self._send(person)

        self._network.carry(person, vendor, "", tell)
