"""The report of the defence against abuse, for people to read."""

from collections.abc import Iterable, Iterator, Sequence

from backend.cli.commands import moment, table
from backend.schemas.abuse import (
    BlockView,
    EntryView,
    ReportAnswer,
    RuleView,
    SpendView,
    TallyView,
)

_BLOCKS = (
    *("SCOPE", "NAME", "STATE", "CAUSE", "SENT", "TYPED", "SINCE", "UNTIL"),
    *("REFUSED", "SAVED"),
)
_TALLIES = ("RULE", "VERDICT", "SENDS", "SAVED")
_SPENDS = ("CAP", "OF", "WINDOW", "SPENT", "HELD", "MOST", "USED")
_RULES = ("RULE", "MODE", "WINDOWS", "SET HERE")
_ENTRIES = ("ID", "VERDICT", "KIND", "VALUE", "UNTIL", "SET", "BY", "REASON")


def report_text(it: ReportAnswer) -> str:
    """Write the report; the rules and lists have commands of their own."""
    days = "today" if it.days == 1 else f"in {it.days} days, today among them"
    done = [one for one in it.tallies if not one.shadow]
    watched = [one for one in it.tallies if one.shadow]
    parts = [
        _part(f"Blocked, money in {it.currency}", _BLOCKS, _blocks(it.blocks)),
        _part(f"Not let pass {days}", _TALLIES, _tallies(done)),
        _part(
            f"Let pass {days}, and would not have been, were it not for mode monitor",
            _TALLIES,
            _tallies(watched),
        ),
        _part(f"Spent, in {it.currency}", _SPENDS, map(_spend, it.spending)),
        _guessing(it),
    ]
    if it.broken:
        parts.append(f"Rows of the policy that nobody can read: {', '.join(it.broken)}")
    return "\n\n".join(parts)


def rules_text(rules: Iterable[RuleView]) -> str:
    """Write how the rules are."""
    lines = [
        (it.rule, it.mode, _windows(it), ", ".join(it.set_here) or "-") for it in rules
    ]
    return table([_RULES, *lines])


def entries_text(entries: Sequence[EntryView]) -> str:
    """Write what is on the lists."""
    if not entries:
        return "The lists are empty."
    return table([_ENTRIES, *map(_entry, entries)])


def rule_text(it: RuleView) -> str:
    """Write how a rule is by now."""
    return f"Within 5 s {it.rule} is {it.mode}: {_windows(it)}."


def entry_text(it: EntryView) -> str:
    """Write what was put on the lists."""
    until = "for ever" if it.until is None else f"until {moment(it.until)}"
    done = {"allow": "allowed", "block": "blocked"}[it.verdict]
    return f"Within 5 s {it.kind} {it.value} is {done} {until}. Its id is {it.id}."


def _part(title: str, heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    listed = list(lines)
    return f"{title}\n{table([heading, *listed])}" if listed else f"{title}: nothing"


def _windows(it: RuleView) -> str:
    return "-" if it.kind == "conversion" else it.windows


def _blocks(blocks: Iterable[BlockView]) -> Iterator[tuple[str, ...]]:
    for it in blocks:
        state = f"{it.state} (only watched)" if it.shadow else it.state
        until = moment(it.until) if it.until else "-"
        yield (
            *(it.scope, it.name, state, it.cause, str(it.sent), str(it.typed)),
            *(moment(it.since), until, str(it.refused), f"{it.saved:.2f}"),
        )


def _tallies(tallies: Iterable[TallyView]) -> Iterator[tuple[str, ...]]:
    """Yield the sums of all days, the most frequent first."""
    sums: dict[tuple[str, str], tuple[int, float]] = {}
    for it in tallies:
        sends, saved = sums.get((it.rule, it.verdict), (0, 0.0))
        sums[it.rule, it.verdict] = sends + it.sends, saved + it.saved
    for (rule, verdict), (sends, saved) in sorted(
        sums.items(), key=lambda it: it[1], reverse=True
    ):
        yield rule, verdict, str(sends), f"{saved:.2f}"


def _spend(it: SpendView) -> tuple[str, ...]:
    used = (it.spent + it.held) / it.cap
    return (
        *(it.rule, it.subject or "all", it.window),
        *(f"{it.spent:.2f}", f"{it.held:.2f}", f"{it.cap:.2f}", f"{used:.0%}"),
    )


def _guessing(it: ReportAnswer) -> str:
    found = it.guessing
    state = "escalated" if found.escalated else "as usual"
    until = f" until {moment(found.until)}" if found.until else ""
    most = f" of {found.threshold}" if found.threshold else ""
    return (
        f"Guessing is {state}{until}: {found.wrong_checks_hour}{most} wrong codes in an"
        f" hour; expected takeovers of 24 h: {found.expected_takeovers:.6f}"
    )


def _entry(it: EntryView) -> tuple[str, ...]:
    until = "-" if it.until is None else moment(it.until)
    return (
        *(it.id, it.verdict, it.kind, it.value, until),
        *(moment(it.at), it.actor, it.reason),
    )
