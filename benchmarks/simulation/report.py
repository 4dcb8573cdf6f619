"""Writes down what a simulated day showed, and what it took for granted."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import fill

from benchmarks.simulation.day import Login
from benchmarks.simulation.figures import Claim, Days, claims_of, figures_of
from benchmarks.simulation.world import (
    COUNTRIES,
    HOUR,
    OUTAGES,
    VENDORS,
    Outage,
    World,
)

_WIDTH = 86
_HEAD = (
    "",
    "came",
    "completed",
    "of all",
    "of the oracle's",
    "to code, p50 s",
    "p95 s",
    "messages per login",
    "dollars per login",
)
_WHAT = {
    "errors": "answers 500",
    "silence": "accepts everything and delivers nothing, without a receipt",
}


@dataclass(frozen=True)
class Run:
    """A world, and its day by strategy."""

    seed: int
    world: World
    days: Days

    @cached_property
    def claims(self) -> list[Claim]:
        """What had to be true."""
        return claims_of(self.days)

    @property
    def holds(self) -> bool:
        """Whether all of it is."""
        return all(it.holds for it in self.claims)


def write_report(run: Run) -> str:
    parts = [_title(run), _ASSUMED, _world(run.world), _RESULTS, _claims(run.claims)]
    parts += [f"### All day\n\n{_figures(run.days)}"]
    parts += [_during(run.days, outage) for outage in OUTAGES]
    return "\n\n".join(parts) + "\n"


def _title(run: Run) -> str:
    came = len(run.days["oracle"])
    outages = "; ".join(
        f"{it.vendor} {_WHAT[it.kind]} from {_time(it.begins)} to {_time(it.ends)}"
        for it in OUTAGES
    )
    text = (
        f"`make simulate`, seed {run.seed}: {came:,} people log in on one simulated"
        f" day, in {len(COUNTRIES)} countries by {len(VENDORS)} vendors, with two"
        f" outages (UTC): {outages}."
    )
    return f"# A day in the life\n\n{fill(text, _WIDTH)}"


_ASSUMED = """\
The service is the real one: `build_services` with production's settings, its Lua
scripts on a real server, the vendors' wire formats, receipts signed by each vendor's
own method. Only the clock, HTTP and the scripts' TIME are swapped. The same seed
gives the same numbers. Static order is `ROUTING=order`: failover within the request,
breakers and follow-ups of failed messages work there too. The oracle knows every rate
below and when an outage begins and ends; it sends each message by the vendor that is
best at that moment, under the same cooldowns.

## What is taken for granted

What a world is drawn from (`world.py`, `people.py`), and why:

- Each vendor delivers 88 to 98.5 % in each country: 1 to 5 % of texts are lost on
  good routes, more on cheap ones. Rates, delays and prices are drawn independently: a
  dear vendor is not a better one. Nothing is known of them at midnight.
- A code takes 2 to 6 s to arrive, by the median of vendor and country (handsets in
  India: 2 to 5 s), lognormal, one in a hundred five times as long. A vendor's answer
  takes 0.15 s, one in a hundred 1.5 s; after 5 s the service gives up, though it was
  accepted.
- Of lost messages one half is told by an `undelivered` receipt, after 10 s; nobody
  hears of the other half. Of those delivered 97 % get a receipt.
- People press resend when it opens (`next.sms.retry_in`, 30 s, then 60 s) and nothing
  came; vendors report that they reach for it after 7 to 10 s. Of those who wait so
  long 40 % leave instead, then half of the rest; after a third press all leave a
  minute later. Who leaves does not come back, even if the code arrives. Reports of
  drop-off range from 18 % after 4 to 8 s to 61 % beyond 15 s.
- 1.5 % never type a code that came. Typing takes 8 s, by the median.
- Twelve times as many come at 16:00 of their country as at 4:00. Everybody has a
  phone and a network of their own, and no limit across phones is on.
- The operator's order is a guess: each vendor is first in two countries, by lot.
- One worker. Its health is flushed every 3 s, as in service."""

_RESULTS = """\
## What came of it

Messages and dollars are per completed login: all that was accepted, whoever it was
for. Seconds run from the first press to the code on the phone, for those whom one
reached. What becomes of a vendor's first message to a person is the same under every
strategy; a few logins either way are luck still, which no oracle knows."""


def _world(world: World) -> str:
    head = ("", "logins", "order", *VENDORS)
    rows = [
        (
            region,
            f"{country.share:.0%}",
            ", ".join(world.orders[region]),
            *(_line(world, vendor, region) for vendor in VENDORS),
        )
        for region, country in COUNTRIES.items()
    ]
    return "Delivered %, median seconds, dollars per message:\n\n" + _table(head, rows)


def _line(world: World, vendor: str, region: str) -> str:
    line = world.lines[vendor, region]
    return f"{line.delivered:.1%}, {line.median_seconds:.1f} s, {line.price:.4f}"


def _claims(claims: Sequence[Claim]) -> str:
    rows = [
        (it.text, it.found, "holds" if it.holds else "does not hold") for it in claims
    ]
    return _table(("claim", "found", ""), rows)


def _during(days: Days, outage: Outage) -> str:
    title = f"### Who came while {outage.vendor} {_WHAT[outage.kind]}"
    return f"{title}\n\n{_figures(days, outage)}"


def _figures(days: Days, outage: Outage | None = None) -> str:
    figures = figures_of(days, outage)
    best = figures["oracle"].completed
    head = (*_HEAD, f"messages by {outage.vendor}") if outage else _HEAD
    rows = []
    for name, it in figures.items():
        row = (
            name,
            f"{it.came:,}",
            f"{it.completed:,}",
            f"{it.completed / max(1, it.came):.2%}",
            f"{it.completed / max(1, best):.2%}",
            f"{it.p50_seconds:.1f}",
            f"{it.p95_seconds:.1f}",
            f"{it.messages:.3f}",
            f"{it.money:.4f}",
        )
        rows.append((*row, f"{_given(days[name], outage):,}") if outage else row)
    return _table(head, rows)


def _given(logins: Sequence[Login], outage: Outage) -> int:
    """Count the messages that the vendor took from those who came meanwhile."""
    came = (it for it in logins if outage.covers(it.came_at))
    return sum(it.vendors.count(outage.vendor) for it in came)


def _time(moment: float) -> str:
    return f"{int(moment // HOUR):02}:{int(moment % HOUR // 60):02}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        return f"| {' | '.join(padded)} |"

    rule = f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    return "\n".join([line(head), rule, *map(line, rows)])
