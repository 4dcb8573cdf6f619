"""A send before the defence against abuse: what is known of it, what is left to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.errors import RateLimited, SpendLimit
from utils.phone import PhoneNumber


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a network (IPv4 address or IPv6 /64), a storefront, maybe a service.

    ``wider`` is the IPv6 /48 around it, empty for IPv4. The networks of who asks
    through a service have that service's id before them; ``client`` is that id.
    """

    network: str
    storefront: str
    wider: str = ""
    client: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """A send that somebody asks for; without a caller nobody does: it follows another.

    ``cost_micros`` is the most that it can cost: what every vendor that may be asked
    would charge, together. ``solution_key`` names a solved challenge, good for one
    send. ``device_id`` is what an app calls its device, which proves nothing.
    ``knows_device``: it bears a device token of this phone. ``wants_challenge``
    says why a challenge is asked of it in any case: country_policy or number_type.
    """

    phone: PhoneNumber
    tag: str
    caller: Caller | None = None
    by_voice: bool = False
    cost_micros: int = 0
    solution_key: str = ""
    device_id: str = ""
    knows_device: bool = False
    wants_challenge: str = ""


@dataclass(slots=True)
class Quota:
    """What is left of one window: for the ``RateLimit`` headers."""

    limit: str
    capacity: int
    window_seconds: int
    left: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """What an admitted send took, so that it can be settled or given back.

    ``at_ms`` is when, by Redis's clock; ``took`` names the rules that took something,
    and ``hold`` is the money held, as the store has it. ``counted`` is False where a
    rule that only watches would not have let it pass.
    """

    at_ms: int = 0
    took: frozenset[str] = frozenset()
    hold: str = ""
    counted: bool = True


@dataclass(slots=True)
class Room:
    """What the shared rules leave: seconds to wait, and the caller's own quotas.

    ``escalated``: so much guessing goes on that codes have eight digits.
    """

    send_wait: int = 0
    call_wait: int = 0
    check_wait: int = 0
    quotas: Sequence[Quota] = ()
    escalated: bool = False
    ticket: Ticket = field(default_factory=Ticket)


class SharedLimitReached(RateLimited):
    """A shared limit has no unit left; ``room`` is how all of them stand."""

    def __init__(self, limit: str, retry_after: int, room: Room) -> None:
        super().__init__(limit=limit, retry_after=retry_after)
        self.room = room


class MoneyUsedUp(SpendLimit):
    """A cap has no room; ``room`` is how the shared rules stand."""

    def __init__(self, retry_after: int, room: Room) -> None:
        super().__init__(retry_after=retry_after)
        self.room = room


class ChallengeWanted(Exception):
    """A send must come with a solved challenge, for a limit or other reason.

    ``difficulty`` is how many times the ordinary work it is; ``spent``: the solution
    that was brought has let another send pass.
    """

    def __init__(
        self, limit: str, difficulty: int, room: Room, *, spent: bool = False
    ) -> None:
        super().__init__(limit)
        self.limit = limit
        self.difficulty = difficulty
        self.room = room
        self.spent = spent
