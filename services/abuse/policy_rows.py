"""What the rows of the operator's policy say, and which of them nobody can read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.abuse.entries import EntryRows, ListEntry
from services.abuse.lists import Lists
from services.abuse.overrides import Override, read_part
from services.abuse.policy import Policy
from services.abuse.rules import Rule
from services.scripts import Reply


@dataclass(frozen=True, slots=True)
class PolicyState:
    """The policy at one moment; ``read`` are the entries by id and row.

    ``is_lost``: it was the policy, and Redis has none any more.
    """

    stamp: str
    policy: Policy
    lists: Lists
    overrides: Mapping[str, Override] = field(default_factory=dict)
    read: Mapping[str, ListEntry] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    is_lost: bool = False


def read_rows(
    reply: Reply,
    *,
    defaults: Mapping[str, Rule],
    rows: EntryRows,
    before: PolicyState | None,
) -> PolicyState:
    """Read what ``policy_read.lua`` answered; what nobody can read is passed over.

    ``defaults`` hold where no row says more. To open an entry takes time: those of
    ``before`` are not opened again.
    """
    rules, overrides = dict(defaults), dict[str, Override]()
    known = before.read if before else {}
    read, broken = dict[str, ListEntry](), list(reply["broken"] or ())
    # Lua has one empty table for lists and objects.
    cells = iter(reply["rows"] or ())
    for name, row in zip(cells, cells, strict=True):
        kind, _, rest = name.partition(":")
        try:
            if kind == "entry":
                whole = f"{rest}:{row}"
                read[whole] = known.get(whole) or rows.read(rest, row)
            elif kind == "rule":
                rule, _, part = rest.partition(":")
                found = read_part(rule, part, row)
                rules[rule] = found.over(rules[rule])
                overrides[rule] = _both(overrides.get(rule, Override()), found)
            else:
                broken.append(name)
        except (ValueError, TypeError, KeyError):
            broken.append(name)
    entries = tuple(it.entry for it in read.values())
    return PolicyState(
        stamp=reply["stamp"],
        policy=Policy(rules=rules, entries=entries, version=int(reply["version"])),
        lists=Lists(entries),
        overrides=overrides,
        read=read,
        broken=tuple(broken),
    )


def _both(first: Override, second: Override) -> Override:
    return Override(
        mode=first.mode or second.mode,
        windows=second.windows if first.windows is None else first.windows,
        special=second.special if first.special is None else first.special,
    )
