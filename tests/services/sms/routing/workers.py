"""Workers that share a store, and what their vendors do to them."""

from collections.abc import Callable, Sequence

from services.events import Event
from services.routing_events import VendorWeightChanged
from services.scripts import ScriptRunner
from services.sms.routing.health import VendorHealth
from services.sms.routing.rules import HealthRules
from services.sms.routing.standing import UNKNOWN, Route, VendorStanding
from tests.services.stores import Store

VENDORS = ("twilio", "vonage")
TWILIO = Route("sms", "IN", "twilio")
VONAGE = Route("sms", "IN", "vonage")

# After it, whatever was sent before counts, whether or not it arrived.
JUDGED = 61


class Worker:
    """One worker's view of the vendors of India."""

    def __init__(
        self,
        store: Store,
        *,
        vendors: Sequence[str] = VENDORS,
        rules: HealthRules | None = None,
        scripts: ScriptRunner | None = None,
    ) -> None:
        self.store = store
        self.events: list[Event] = []
        self.health = VendorHealth(
            scripts or store.scripts,
            candidates=lambda channel, region: vendors,
            clock=store.clock,
            emit=self.events.append,
            offset_seconds=store.offset,
            rules=rules,
        )

    @property
    def changes(self) -> list[tuple[str, int, int, str]]:
        """Every change of a weight that this worker told of."""
        return [
            (it.provider, it.before, it.after, it.reason)
            for it in self.events
            if isinstance(it, VendorWeightChanged)
        ]

    def send(
        self, route: Route = TWILIO, times: int = 1, *, seconds: float = 0.2
    ) -> None:
        """The vendor takes first attempts."""
        for _ in range(times):
            self.health.called(
                route, accepted=True, seconds=seconds, held_against=False, first=True
            )

    def fail(
        self,
        route: Route = TWILIO,
        times: int = 1,
        *,
        held_against: bool = True,
        first: bool = True,
    ) -> None:
        """The vendor does not."""
        for _ in range(times):
            self.health.called(
                route,
                accepted=False,
                seconds=0.2,
                held_against=held_against,
                first=first,
            )

    def deliver(
        self, route: Route = TWILIO, times: int = 1, *, delivered: bool = True
    ) -> None:
        """Receipts come, five seconds after the send."""
        for _ in range(times):
            self.health.receipt(route, delivered=delivered, age_seconds=5)

    def convert(self, route: Route = TWILIO, times: int = 1) -> None:
        """Codes are typed, ten seconds after the send."""
        for _ in range(times):
            self.health.converted(route, first=True, age_seconds=10)

    def flush(self, is_open: Callable[[Route], bool] = lambda _: False) -> None:
        self.health.flush(is_open)

    def after(self, seconds: float) -> None:
        """Let time pass, then merge."""
        self.store.clock.advance(seconds)
        self.flush()

    def of(self, route: Route = TWILIO) -> VendorStanding:
        """How a vendor stands, as this worker knows."""
        standing = self.health.standing(route.channel, route.region)
        return standing.get(route.vendor, UNKNOWN)
