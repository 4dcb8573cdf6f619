"""What becomes of sends: what they cost, whether their codes are typed, what is undone.

All but what undoes is done after the answer, many at a time. What Redis cannot be told
then it is told later; money held is let go of by itself after a minute, and what was
spent is counted whenever the word gets through.
"""

from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.abuse.asking import Ask, Room
from services.abuse.bindings import Binding, Bindings
from services.abuse.calls import after_call
from services.abuse.guessing import Guessing
from services.abuse.judging import Changes
from services.abuse.policy import Policy
from services.background import Background, Gathered
from services.errors import StoreUnavailable
from services.scripts import Call, ScriptRunner
from utils.phone import PhoneNumber

# What goes to Redis in one round trip.
_MOST_NOTES = 100
# What Redis could not be told of yet: of an outage, the newest notes matter.
_MOST_LATE = 10_000

# Counts that fear messages of no use: those that were of use are given back.
_FEARFUL = frozenset({"sends_per_ip", "sends_per_network", "sends_per_prefix"})

_OWN = frozenset({"ip", "network", "device"})


@dataclass(frozen=True, slots=True)
class _Note:
    """A call to make, and who is meant in what it answers."""

    call: Call
    bindings: Sequence[Binding]
    phone: PhoneNumber | None


class Aftermath:
    """Takes down what becomes of sends. Safe to share between threads."""

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        policy: Callable[[], Policy],
        bindings: Bindings,
        changes: Changes,
        guessing: Guessing,
        background: Background,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._scripts = scripts
        self._policy = policy
        self._bindings = bindings
        self._changes = changes
        self._guessing = guessing
        self._offset_seconds = offset_seconds
        self._notes = Gathered(background, self._note_all, most=_MOST_NOTES)
        self._late: deque[_Note] = deque(maxlen=_MOST_LATE)

    def give_back(self, ask: Ask, room: Room, *, to_caller: bool) -> None:
        """Return what ``room`` took for a send that did not take place.

        Units of the number's block and of all, or anybody could use them up at no cost
        by asking in vain; the caller's own only if the refusal was not for the caller.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        taking = {"send", "call"} if ask.by_voice else {"send"}
        kinds = {"count", "distinct", "conversion", "money"}
        taken = [
            it
            for it in self._taken(ask, room, kinds, taking)
            if to_caller or it.document["scope"] not in _OWN
        ]
        arguments = {
            "what": "return",
            "hold": room.ticket.hold,
            "at": [room.ticket.at_ms],
        }
        # Given back twice, a unit would let one through too many.
        call = self._call(arguments, taken, tag=ask.tag)
        self._scripts.run(replace(call, once=True))

    def settle(self, ask: Ask, room: Room, paid_micros: int) -> None:
        """Have what was held count as spent, as far as it was; soon and elsewhere."""
        if not room.ticket.hold:
            return
        caps = self._taken(ask, room, {"money"}, {"send"})
        arguments = {
            "what": "settle",
            "hold": room.ticket.hold,
            "micros": paid_micros,
            "at": [room.ticket.at_ms],
        }
        self._notes.add(_Note(self._call(arguments, caps), caps, ask.phone))

    def typed(
        self,
        ask: Ask,
        *,
        sent_at_ms: Sequence[int],
        counted: bool,
    ) -> None:
        """Take down that a code was typed, whose messages went out at these times.

        ``ask`` is that send: who asked, for whom, and whether from a known device.
        """
        bindings = [
            it
            for it in self._bindings.of(
                self._policy(),
                ask.caller,
                ask.phone,
                kinds={"count", "distinct", "conversion"},
            )
            if (it.document["kind"] != "count" or it.name in _FEARFUL)
            and (counted or it.rule.mode != "monitor")
            and not (ask.knows_device and it.document["spares"])
        ]
        arguments = {"what": "typed", "at": list(sent_at_ms)}
        call = self._call(arguments, bindings, tag=ask.tag)
        self._notes.add(_Note(call, bindings, ask.phone))
        self._notes.add(_Note(self._guessing.right_call(), (), None))

    def refused_as_fraud(self, phone: PhoneNumber) -> None:
        """Block a number's neighbours at once: a vendor says that they are a fraud."""
        bindings = self._bindings.on(self._policy(), "prefix", phone.prefix)
        arguments = {"what": "block", "cause": "vendor"}
        self._notes.add(_Note(self._call(arguments, bindings), bindings, phone))

    def forget(self, tag: str) -> None:
        """Take a phone for one that never logged in.

        Raises:
            StoreUnavailable: Redis cannot be reached.
        """
        self._scripts.run(self._call({"what": "forget"}, (), tag=tag))

    def note_again(self) -> None:
        """Tell Redis what it could not be told before, if there is something.

        Raises:
            StoreUnavailable: it still cannot be reached.
        """
        while self._late:
            most = min(len(self._late), _MOST_NOTES)
            self._note_all([self._late.popleft() for _ in range(most)])

    def _note_all(self, notes: Sequence[_Note]) -> None:
        try:
            replies = self._scripts.run_together(*(it.call for it in notes))
        except StoreUnavailable:
            self._late.extend(notes)
            raise
        for note, reply in zip(notes, replies, strict=True):
            self._changes.tell(reply, note.bindings, note.phone)

    def _taken(
        self,
        ask: Ask,
        room: Room,
        kinds: Collection[str],
        taking: Collection[Any],
    ) -> list[Binding]:
        """Return the rules that took something when ``room`` was given."""
        return [
            it
            for it in self._bindings.of(
                self._policy(),
                ask.caller,
                ask.phone,
                device_id=ask.device_id,
                kinds=kinds,
                taking=taking,
            )
            if it.name in room.ticket.took
        ]

    def _call(
        self, arguments: dict[str, Any], bindings: Sequence[Binding], *, tag: str = ""
    ) -> Call:
        arguments["offset_ms"] = int(self._offset_seconds() * 1000)
        return after_call(arguments, bindings, tag=tag)
