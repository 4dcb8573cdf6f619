"""The defence against abuse on a store, with rules that a test chooses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.abuse.aftermath import Aftermath
from services.abuse.asking import Ask, Caller, ChallengeWanted, Room
from services.abuse.bindings import Bindings, Subjects
from services.abuse.blocks import Blocks
from services.abuse.guard import Guard
from services.abuse.guessing import Guessing
from services.abuse.judging import Changes
from services.abuse.lists import Lists
from services.abuse.policy import Entry, Policy
from services.abuse.rules import MICROS, RULES, Mode, Rule, Windows
from services.errors import AuthError
from tests.fakes import Backlog
from tests.services.stores import Store
from utils.crypto import mac_text
from utils.phone import PhoneNumber

HERE = Caller("192.0.2.1", "direct")
THERE = Caller("192.0.2.2", "direct")

LIFE = 300

_KEY = b"k" * 32


def phone(last: int, block: int = 987654) -> PhoneNumber:
    """One of ten thousand neighbours, in the block of that number."""
    return PhoneNumber(e164=f"+91{block}{last:04}", region="IN", country_code=91)


def far_phone(number: int) -> PhoneNumber:
    """A number that has no neighbours but itself."""
    return PhoneNumber(e164=f"+91{600000 + number}0000", region="IN", country_code=91)


def tag_of(it: PhoneNumber) -> str:
    return mac_text(_KEY, it.e164, size=12)


def rule(mode: Mode, *windows: tuple[int, int], **special: Windows) -> Rule:
    return Rule(mode, windows, special)


def money(mode: Mode, *windows: tuple[float, int]) -> Rule:
    """A cap in whole units of the currency."""
    return Rule(mode, tuple((int(it * MICROS), seconds) for it, seconds in windows))


@dataclass
class World:
    """One worker's defence. What it does after answers waits for ``settle``."""

    store: Store
    rules: Mapping[str, Rule]
    entries: Sequence[Entry] = ()
    notes: Backlog = field(default_factory=Backlog)

    def __post_init__(self) -> None:
        self.policy = Policy(
            {name: Rule("off") for name in RULES} | dict(self.rules), self.entries
        )
        store = self.store
        subjects = Subjects(key=_KEY, seal_keys=(_KEY,))
        bindings = Bindings(subjects, life_seconds=LIFE)
        changes = Changes(currency="USD", emit=store.events.append)
        self.guessing = Guessing(
            store.scripts,
            policy=lambda: self.policy,
            emit=store.events.append,
            offset_seconds=store.offset,
        )
        self.guard = Guard(
            store.scripts,
            policy=lambda: self.policy,
            lists=lambda: Lists(self.entries),
            bindings=bindings,
            subjects=subjects,
            guessing=self.guessing,
            changes=changes,
            clock=store.clock,
            emit=store.events.append,
            offset_seconds=store.offset,
        )
        self.aftermath = Aftermath(
            store.scripts,
            policy=lambda: self.policy,
            bindings=bindings,
            changes=changes,
            guessing=self.guessing,
            background=self.notes,
            offset_seconds=store.offset,
        )
        self.blocks = Blocks(
            store.scripts,
            policy=lambda: self.policy,
            bindings=bindings,
            subjects=subjects,
            changes=changes,
            offset_seconds=store.offset,
        )

    def ask(
        self, to: PhoneNumber, caller: Caller | None = HERE, **given: object
    ) -> Ask:
        return Ask(phone=to, tag=tag_of(to), caller=caller, **given)  # type: ignore[arg-type]

    def send(
        self, to: PhoneNumber, caller: Caller | None = HERE, **given: object
    ) -> Room:
        """Ask for a send."""
        return self.guard.admit_send(self.ask(to, caller, **given))

    def verdict(
        self, to: PhoneNumber, caller: Caller | None = HERE, **given: object
    ) -> str:
        """Ask for a send, and return ``pass`` or what it was refused for."""
        try:
            self.send(to, caller, **given)
        except ChallengeWanted as wanted:
            return f"challenge {wanted.limit}"
        except AuthError as refusal:
            return f"{refusal.code} {refusal.limit or ''}".strip()
        return "pass"

    def send_and_type(
        self, to: PhoneNumber, caller: Caller = HERE, **given: object
    ) -> None:
        """Have a code sent, and typed at once."""
        self.type(to, self.send(to, caller, **given), caller)

    def type(self, to: PhoneNumber, room: Room, caller: Caller = HERE) -> None:
        """Have a code typed that was sent before."""
        self.aftermath.typed(
            self.ask(to, caller),
            sent_at_ms=[room.ticket.at_ms],
            counted=room.ticket.counted,
        )
        self.settle()

    def settle(self) -> None:
        self.notes.run()
