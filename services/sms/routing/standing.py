"""How vendors stand in one country on one channel, as the shared health tells it."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from services.sms.provider import Channel

# A channel and a region: vendors compete within one, and their health is one value.
Area = tuple[Channel, str]

RESTING_WEIGHT = 100

# Upper ends of the buckets that delays are counted in, in seconds; the last is open.
# Each doubles the one before, so a median is known to a factor that people can feel.
_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
DELAY_NAMES = tuple(f"delay_{index}" for index in range(len(_DELAYS) + 1))


@dataclass(frozen=True, slots=True)
class Route:
    """One vendor, in one region (ISO 3166), on one channel."""

    channel: Channel
    region: str
    vendor: str

    @property
    def area(self) -> Area:
        """Where this vendor competes with others."""
        return self.channel, self.region


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of a route, each count halving with time.

    ``seconds`` is the time that the ``accepted`` calls took in all. ``judged`` are
    messages old enough to tell whether they were ``delivered``; ``tries`` are first
    attempts old enough to tell whether they ``converted``. ``receipts`` are those that
    settled a message's fate, either way.
    """

    calls: float = 0.0
    errors: float = 0.0
    accepted: float = 0.0
    seconds: float = 0.0
    judged: float = 0.0
    receipts: float = 0.0
    delivered: float = 0.0
    tries: float = 0.0
    converted: float = 0.0
    delays: tuple[float, ...] = ()

    @property
    def error_share(self) -> float | None:
        """Calls that failed and were held against the vendor; None without calls."""
        return _share(self.errors, self.calls)

    @property
    def delivered_share(self) -> float | None:
        """Messages that a receipt called delivered; None where none can be told."""
        return _share(self.delivered, self.judged) if self.receipts else None

    @property
    def conversion(self) -> float | None:
        """First attempts whose code was typed; None when none is old enough."""
        return _share(self.converted, self.tries)

    @property
    def p50_seconds(self) -> float | None:
        """Half of the receipts that said delivered came within; None without any."""
        left = sum(self.delays) / 2
        if left <= 0:
            return None
        index = 0
        while self.delays[index] < left:
            left -= self.delays[index]
            index += 1
        return _within(index, left / self.delays[index])


@dataclass(frozen=True, slots=True)
class VendorStanding:
    """One vendor's weight, 0 to 100, and counts: of the last minutes, of hours.

    ``open_workers`` is the number of workers whose breaker leaves it alone.
    """

    weight: int = RESTING_WEIGHT
    short: Counts = field(default_factory=Counts)
    long: Counts = field(default_factory=Counts)
    open_workers: int = 0


# By the vendor's name. Of a vendor that is not in it nothing is known.
Standing = Mapping[str, VendorStanding]

UNKNOWN = VendorStanding()

_COUNTS = tuple(it.name for it in fields(Counts) if it.name != "delays")


def delay_name(seconds: float) -> str:
    """Name the bucket that a delay is counted in."""
    return DELAY_NAMES[bisect_left(_DELAYS, seconds)]


def read_standing(vendors: Mapping[str, Any]) -> Standing:
    """Read the vendors of an answer of ``health.lua``."""
    return {
        name: VendorStanding(
            weight=round(it["weight"]),
            short=_read_counts(_table(it["short"])),
            long=_read_counts(_table(it["long"])),
            open_workers=round(it["open_workers"]),
        )
        for name, it in _table(vendors).items()
    }


def _read_counts(counts: Mapping[str, float]) -> Counts:
    return Counts(
        **{name: counts.get(name, 0.0) for name in _COUNTS},
        delays=tuple(counts.get(name, 0.0) for name in DELAY_NAMES),
    )


def _table(found: Mapping[str, Any]) -> Mapping[str, Any]:
    # Lua knows no difference between an empty object and an empty list.
    return found or {}


def _share(part: float, whole: float) -> float | None:
    # A part may be a hair above its whole: what comes late is counted when it comes.
    return min(1.0, part / whole) if whole > 0 else None


def _within(index: int, fraction: float) -> float:
    """Return the delay that far into a bucket, on the buckets' own log scale."""
    if index == len(_DELAYS):
        return _DELAYS[-1]
    upper = _DELAYS[index]
    return float(upper / 2 * 2**fraction)
