"""Workers that follow one policy, and operators who change it."""

from collections.abc import Mapping

from services.abuse.entries import ListEntry
from services.abuse.policies import Policies
from services.abuse.policy import EntryKind, EntryVerdict
from services.abuse.rules import Rule
from services.events import Event
from tests.services.stores import Store
from utils.phone import PhoneNumber

SEAL_KEYS = (b"k" * 32,)
PHONE = "+919876543210"
TAG = "tag-of-the-phone"
PEER = "198.51.100.7"


def number(
    e164: str = PHONE, region: str = "IN", country_code: int = 91
) -> PhoneNumber:
    return PhoneNumber(e164=e164, region=region, country_code=country_code)


class Worker:
    """One process of the fleet."""

    def __init__(
        self,
        store: Store,
        *,
        defaults: Mapping[str, Rule] | None = None,
        keys: tuple[bytes, ...] = SEAL_KEYS,
    ) -> None:
        self.store = store
        self.events: list[Event] = []
        self.policies = Policies(
            store.scripts,
            defaults=defaults or {},
            keys=keys,
            clock=store.clock,
            emit=self.events.append,
        )

    def put(
        self,
        kind: EntryKind,
        value: str,
        verdict: EntryVerdict = "block",
        *,
        hours: float | None = None,
        label: str = "",
    ) -> ListEntry:
        """Put an entry on the lists, for some hours or for ever."""
        until = None if hours is None else self.store.clock.now() + hours * 3_600
        return self.policies.put_entry(
            kind,
            value,
            verdict,
            reason="a test",
            actor="cli:asha",
            until=until,
            label=label,
        )

    def blocked(self, *, peer: str = PEER, tag: str = TAG) -> EntryKind | None:
        """Tell by what a send to PHONE is blocked, as this worker knows."""
        listed = self.policies.lists().look(
            number(), tag, [peer], self.store.clock.now()
        )
        return listed.blocked
