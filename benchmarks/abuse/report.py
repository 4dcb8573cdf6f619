"""Writes down what the attacks came to, and what was taken for granted."""

from collections.abc import Sequence
from textwrap import fill

from benchmarks.abuse.enumeration import Compared
from benchmarks.abuse.findings import Claim, Findings, refusals
from benchmarks.abuse.guessing import Guessed
from benchmarks.abuse.levels import LEVELS, Level
from benchmarks.abuse.pumping import Pumped
from benchmarks.abuse.town import Honest
from benchmarks.abuse.words import ASSUMED, ENUMERATION, GUESSING, WHY_NOT
from benchmarks.tables import table

_WIDTH = 86
_LEVEL_NAMES = {"none": "no defence", "per_ip": "per address", "ours": "ours"}


def write_report(findings: Findings, *, seed: int) -> str:
    """Return the report as Markdown."""
    parts = [
        f"# Attacks, and what they came to\n\n{fill(_intro(seed), _WIDTH)}",
        ASSUMED,
        "## Targets\n\n" + _claims(findings.claims()),
        *_why_not(findings.claims()),
        *_pumping(findings),
        *_honest(findings),
        *_bombing(findings),
        *_guessing(findings),
        *_lock_out(findings),
        *_enumeration(findings.compared),
    ]
    return "\n\n".join(parts) + "\n"


def _intro(seed: int) -> str:
    return (
        f"`make attack`, seed {seed}. Honest people log in, up to 50,000 on one"
        " simulated day in twelve countries, and on top of that somebody attacks. The"
        " service is the real one: `build_services` with production's settings, its"
        " Lua scripts on a real server, the vendors' wire formats. Only the clock,"
        " HTTP, the scripts' TIME and the challenges are swapped. The same seed gives"
        " the same numbers, but for milliseconds."
    )


def _claims(claims: Sequence[Claim]) -> str:
    rows = [
        (
            it.about,
            it.target,
            it.found,
            ("holds" if it.holds else "does not hold")
            + ("" if it.wanted else " (beyond the issue)"),
        )
        for it in claims
    ]
    return table(("about", "target", "found", ""), rows)


def _why_not(claims: Sequence[Claim]) -> list[str]:
    missed = dict.fromkeys(it.about for it in claims if not it.holds)
    found = [f"- {it}: {WHY_NOT[it]}" for it in missed if it in WHY_NOT]
    lines = "\n".join(fill(it, _WIDTH, subsequent_indent="  ") for it in found)
    return [f"## Where not, and why\n\n{lines}"] if found else []


def _pumping(findings: Findings) -> list[str]:
    if not findings.pumped:
        return []
    titles = "\n".join(
        fill(f"- {name}: {it.title}", _WIDTH, subsequent_indent="  ")
        for name, it in findings.pumps.items()
    )
    money = [
        (name, *(_lost(levels[it]) for it in LEVELS), *_saved(findings, name))
        for name, levels in findings.pumped.items()
    ]
    head = ("pump", *(f"{_LEVEL_NAMES[it]}: $ (messages)" for it in LEVELS))
    stops = [
        (name, *_stops(levels["ours"])) for name, levels in findings.pumped.items()
    ]
    return [
        f"## Pumping\n\n{titles}",
        table((*head, "per address saves", "ours saves"), money),
        "Ours, when and by what:",
        table(
            (
                "pump",
                "crossed after",
                "after",
                "stopped after",
                "by messages",
                "later messages",
                "answers",
            ),
            stops,
        ),
    ]


def _lost(it: Pumped) -> str:
    return f"{it.money:,.2f} ({it.messages:,})"


def _saved(findings: Findings, name: str) -> tuple[str, str]:
    return (
        f"{findings.saved(name, 'per_ip'):.2%}",
        f"{findings.saved(name, 'ours'):.2%}",
    )


def _stops(it: Pumped) -> tuple[str, ...]:
    before = it.messages - it.stopped_messages - it.late
    return (
        _seconds(it.crossed_after),
        f"{before} messages",
        _seconds(it.stopped_after),
        f"{it.stopped_messages}",
        f"{it.late}",
        ", ".join(f"{name} {count:,}" for name, count in it.limits),
    )


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:,.0f} s"


def _honest(findings: Findings) -> list[str]:
    rows: list[tuple[str, str, Honest]] = []
    if findings.quiet is not None:
        rows.append(("none", "ours", findings.quiet))
    levels: Sequence[Level] = ("per_ip", "ours")
    rows += [
        (name, _LEVEL_NAMES[level], by_level[level].honest)
        for name, by_level in findings.pumped.items()
        for level in levels
    ]
    rows += [
        (name, _LEVEL_NAMES["ours"], by_level["ours"].honest)
        for name, by_level in findings.guessed.items()
    ]
    if findings.bombed:
        rows.append(("bombing", "ours", findings.bombed["ours"].honest))
    head = ("attack", "defence", "came", "in", "refused", "challenged", "refused by")
    cells = [
        (
            name,
            level,
            f"{it.came:,}",
            f"{it.completed / max(1, it.came):.2%}",
            f"{it.refused_share:.3%}",
            f"{it.challenged_share:.2%}",
            refusals(it),
        )
        for name, level, it in rows
        if it.came
    ]
    return ["## Honest logins\n\n" + table(head, cells)] if cells else []


def _bombing(findings: Findings) -> list[str]:
    if not findings.bombed:
        return []
    rows = [
        (
            _LEVEL_NAMES[level],
            f"{it.asked:,}",
            f"{it.texts:,}",
            f"{it.in_ten_minutes}",
            f"{it.in_a_day:,}",
        )
        for level, it in findings.bombed.items()
    ]
    head = ("defence", "asked", "texts", "most in 10 min", "most in 24 h")
    return [
        "## Bombing\n\nOne phone is asked for every 20 s all day, from 500 addresses,"
        " every other time as\na resend.\n\n" + table(head, rows)
    ]


def _guessing(findings: Findings) -> list[str]:
    if not findings.guessed:
        return []
    rows = [
        (name, _LEVEL_NAMES[level], *_guesses(it))
        for name, levels in findings.guessed.items()
        for level, it in levels.items()
    ]
    head = (
        "attack",
        "defence",
        "hours",
        "asked",
        "messages: $",
        "guesses of 6 digits",
        "of 8",
        "expected takeovers a day",
    )
    return [f"## Guessing\n\n{GUESSING}\n\n{table(head, rows)}"]


def _guesses(it: Guessed) -> tuple[str, ...]:
    evaluated = dict(it.evaluated)
    return (
        f"{it.hours:.0f}",
        f"{it.asked:,}",
        f"{it.messages:,}: {it.money:,.2f}",
        f"{evaluated.get(6, 0):,}",
        f"{evaluated.get(8, 0):,}",
        f"{it.takeovers_a_day:.2g}",
    )


def _lock_out(findings: Findings) -> list[str]:
    if not findings.burnt:
        return []
    rows = [
        (
            _LEVEL_NAMES[level],
            f"{it.asked:,}",
            f"{it.texts:,}",
            f"{it.wrong_checks:,}",
            it.known_device,
            it.unknown_device,
        )
        for level, it in findings.burnt.items()
    ]
    head = (
        "defence",
        "asked",
        "texts",
        "wrong checks",
        "victim, known device",
        "victim, unknown device",
    )
    return [
        "## Lock-out\n\nStrangers ask for the victim's codes every 15 s from 300"
        " addresses and mistype each\ntwice; after an hour of it the victim logs"
        " in.\n\n" + table(head, rows)
    ]


def _enumeration(compared: Sequence[Compared]) -> list[str]:
    if not compared:
        return []
    rows = [
        (
            it.question,
            ", ".join(map(str, it.statuses)),
            f"{it.answers}",
            "yes" if it.equal else "no",
            f"{it.customer_ms:.2f}",
            f"{it.stranger_ms:.2f}",
        )
        for it in compared
    ]
    head = ("question", "status", "answers", "equal", "customers, ms", "strangers, ms")
    return [f"## Enumeration\n\n{ENUMERATION}\n\n{table(head, rows)}"]
