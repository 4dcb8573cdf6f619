"""Prices that vendors' receipts told, shared by all workers.

Key ``price:{all}``, a hash ``<vendor>|<country>|<channel>`` -> JSON. Times are Unix
milliseconds by Redis's own clock.

============  ========================================================================
``micros``    the price of one message, in millionths
``currency``  of what (ISO 4217)
``at_ms``     when a receipt last told
============  ========================================================================

TTL: 30 days after the last receipt of all; a price that old is forgotten by itself.

A country has dear networks and cheap ones, and who pays for a cap wants to know the
dear ones: a higher price counts at once, a lower one little by little.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.scripts import Call, Script, ScriptRunner
from services.sms.provider import Channel

_MERGE = Script.load(Path(__file__).parent / "learned_prices.lua")

_KEY = "price:{all}"
_KEEP_MS = 30 * 86_400_000
# More than any operator has of vendors times countries; a row is 100 bytes.
_MOST = 2_000
# A lower price takes this part of the way down, each time that it is told.
_STEP_DOWN = 0.125

# A vendor, a region (ISO 3166) and a channel.
Name = tuple[str, str, Channel]


class LearnedPrices:
    """What a message costs by the word of receipts. Safe to share between threads."""

    def __init__(
        self,
        scripts: ScriptRunner,
        *,
        currency: str,
        offset_seconds: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Keep prices in ``currency`` and forget those in another."""
        self._scripts = scripts
        self._currency = currency
        self._offset_seconds = offset_seconds
        self._lock = threading.Lock()
        self._exchanging = threading.Lock()
        self._seen: dict[str, int] = {}
        self._known: dict[str, int] = {}

    def of(self, name: Name) -> int | None:
        """Return a price in millionths, as of the last exchange."""
        return self._known.get("|".join(name))

    def add(self, name: Name, micros: int) -> None:
        """Take a price in; the others hear of it at the next exchange."""
        self._add("|".join(name), micros)

    def exchange(self) -> None:
        """Merge what was added, and take over what all workers know, in one round trip.

        Without anything added it only reads. To merge the same again does no harm: it
        is one receipt more that said so.

        Raises:
            StoreUnavailable: Redis cannot be reached; what was added waits.
        """
        with self._exchanging:
            with self._lock:
                seen, self._seen = self._seen, {}
            arguments: dict[str, Any] = {
                "offset_ms": int(self._offset_seconds() * 1000),
                "currency": self._currency,
                "keep_ms": _KEEP_MS,
                "most": _MOST,
                "step_down": _STEP_DOWN,
                "seen": seen,
            }
            try:
                reply = self._scripts.run(Call(_MERGE, [_KEY], arguments))
            except BaseException:
                for field, micros in seen.items():
                    self._add(field, micros)
                raise
            # An empty table of Lua may come as a list.
            told = dict(reply["prices"])
            self._known = {field: int(micros) for field, micros in told.items()}

    def _add(self, field: str, micros: int) -> None:
        with self._lock:
            self._seen[field] = max(micros, self._seen.get(field, 0))
