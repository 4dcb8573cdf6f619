"""What an operator sees and changes of the defence against abuse.

The same by HTTP and on the command line. Every change is in the audit before it is
made; reading is not, so that who polls the report pushes nothing out of the audit.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from backend.composition.journal import Journal
from backend.errors import BodyError
from backend.rule_text import read_windows, write_duration, write_windows
from backend.schemas.abuse import (
    BlockView,
    EntryRemoval,
    EntryRequest,
    EntryView,
    GuessingView,
    LiftedAnswer,
    LiftRequest,
    RemovedAnswer,
    ReportAnswer,
    RuleRequest,
    RuleView,
    SpendView,
    TallyView,
)
from backend.schemas.body import Body
from services.abuse.blocks import Block, Blocks
from services.abuse.entries import ListEntry
from services.abuse.guessing import Guesses
from services.abuse.overrides import PARTS, Override, PolicyRefused, check_override
from services.abuse.policies import Policies
from services.abuse.report import Reports, Spend, Tally
from services.abuse.rules import RULES, Rule, Windows
from services.journal.audit import Act
from utils.clock import Clock
from utils.phone import masked

# Today and the day before: at least the last 24 hours.
USUAL_DAYS = 2

_HOUR = 3_600


class AbuseDesk:
    """The operators' view and acts. Safe to share between threads.

    Every method raises ``StoreUnavailable`` when Redis cannot be reached.
    """

    def __init__(
        self,
        *,
        policies: Policies,
        blocks: Blocks,
        reports: Reports,
        tag_of_phone: Callable[[str], str],
        journal: Journal,
        currency: str,
        clock: Clock,
    ) -> None:
        """``tag_of_phone`` raises where a text is no phone number."""
        self._policies = policies
        self._blocks = blocks
        self._reports = reports
        self._tag_of_phone = tag_of_phone
        self._journal = journal
        self._currency = currency
        self._clock = clock
        self._acts: Mapping[str, Callable[[Any, str], Body]] = {
            "rules": self._set_rule,
            "entries": self._put_entry,
            "entries/remove": self._remove_entry,
            "lift": self._lift,
        }

    def report(self, days: int) -> ReportAnswer:
        """Return how it stands, with the tallies of so many days."""
        self._policies.follow()
        report = self._reports.read(days)
        return ReportAnswer(
            at=int(self._clock.now()),
            currency=self._currency,
            days=days,
            blocks=[_block_view(it) for it in report.blocks],
            tallies=[_tally_view(it) for it in report.tallies],
            spending=[_spend_view(it) for it in report.spends],
            guessing=_guessing_view(report.guesses),
            rules=[self._rule_view(it) for it in RULES],
            entries=self.entries(),
            broken=list(self._policies.broken()),
        )

    def entries(self) -> list[EntryView]:
        """Return what is on the lists, the newest first."""
        return [_entry_view(it) for it in self._policies.entries()]

    def rules(self) -> list[RuleView]:
        """Return how the rules are."""
        return [self._rule_view(it) for it in RULES]

    def act(self, operation: str, asked: Body, actor: str) -> Body:
        """Do one of ``ON_ABUSE``; ``actor`` is ``client:<id>`` or ``cli:<user>``.

        Raises:
            BodyError: a field is not as it can be.
            PhoneInvalid, PhoneNotSupported: no number that there is.
        """
        self._policies.follow()
        try:
            return self._acts[operation](asked, actor)
        except PolicyRefused as refusal:
            raise _refused(refusal.field, str(refusal)) from None

    def _set_rule(self, asked: RuleRequest, actor: str) -> RuleView:
        name = asked.rule
        if asked.reset:
            with self._journal.audit.acting(
                Act("abuse-rule", actor, detail=f"{name} reset")
            ):
                self._policies.reset_rule(name)
            return self._rule_view(name)
        override = self._override(asked)
        said = [asked.mode or "", asked.windows or ""]
        detail = " ".join([name, *filter(None, said)])
        with self._journal.audit.acting(Act("abuse-rule", actor, detail=detail)):
            self._policies.change_rule(
                name,
                mode=override.mode,
                windows=override.windows,
                special=override.special,
            )
        return self._rule_view(name)

    def _override(self, asked: RuleRequest) -> Override:
        windows: Windows | None = None
        special: Mapping[str, Windows] | None = None
        if asked.windows is not None:
            try:
                windows, special = read_windows(RULES[asked.rule], asked.windows)
            except ValueError as error:
                raise _refused("windows", str(error)) from None
        override = Override(asked.mode, windows, special)
        check_override(asked.rule, override)
        current = self._policies.current().rules[asked.rule]
        # Either would look as if it bound from now on.
        if current.mode == "off" and asked.mode is None:
            raise _refused("mode", f"{asked.rule} is off: say its mode, too")
        if asked.mode not in {None, "off"} and _binds_nobody(
            asked.rule, override.over(current)
        ):
            message = f"{asked.rule}={asked.mode} means nothing without windows"
            raise _refused("windows", message)
        return override

    def _put_entry(self, asked: EntryRequest, actor: str) -> EntryView:
        value, label, tag = asked.value, asked.value, ""
        if asked.kind == "phone":
            if not asked.value.startswith("+"):
                raise _refused("value", "must be in E.164: + and all digits")
            value = tag = self._tag_of_phone(asked.value)
            label = masked(asked.value)
        entry_id = self._policies.id_of(asked.kind, value)
        # The audit is kept, and is to hold no address and no part of a number.
        named = asked.value if asked.kind == "country" else entry_id
        detail = f"{asked.verdict} {asked.kind} {named}: {asked.reason}"
        now = self._clock.now()
        with self._journal.audit.acting(
            Act("abuse-entry", actor, phone_tag=tag, detail=detail)
        ):
            put = self._policies.put_entry(
                asked.kind,
                value,
                asked.verdict,
                reason=asked.reason,
                actor=actor,
                until=None if asked.hours is None else now + asked.hours * _HOUR,
                label=label if tag else "",
            )
        return _entry_view(put)

    def _remove_entry(self, asked: EntryRemoval, actor: str) -> RemovedAnswer:
        act = Act("abuse-entry-remove", actor, detail=asked.id)
        removed = self._changed(act, lambda: self._policies.remove_entry(asked.id))
        return RemovedAnswer(removed=removed)

    def _lift(self, asked: LiftRequest, actor: str) -> LiftedAnswer:
        # As above.
        named = "" if asked.scope == "prefix" else f" {asked.name}"
        act = Act("abuse-lift", actor, detail=f"{asked.scope}{named}")
        lifted = self._changed(act, lambda: self._blocks.lift(asked.scope, asked.name))
        return LiftedAnswer(lifted=lifted)

    def _changed(self, act: Act, change: Callable[[], bool]) -> bool:
        """Do what may find nothing to change; then it stands as failed in the audit."""
        try:
            with self._journal.audit.acting(act):
                _see(done=change())
        except _NothingThere:
            return False
        return True

    def _rule_view(self, name: str) -> RuleView:
        definition = RULES[name]
        rule = self._policies.current().rules[name]
        override = self._policies.overrides().get(name, Override())
        return RuleView(
            rule=name,
            scope=definition.scope,
            kind=definition.kind,
            mode=rule.mode,
            windows=write_windows(definition, rule),
            set_here=[it for it in PARTS if getattr(override, it) is not None],
        )


class _NothingThere(Exception):
    """There is nothing that could be changed."""

    code = "none_there"


def _see(*, done: bool) -> None:
    if not done:
        raise _NothingThere


def _binds_nobody(name: str, rule: Rule) -> bool:
    if RULES[name].kind == "conversion":
        return False
    return not (rule.windows or any(rule.special.values()))


def _refused(field: str, message: str) -> BodyError:
    return BodyError("invalid_request", [{"field": field, "message": message}])


def _entry_view(it: ListEntry) -> EntryView:
    until = it.entry.until
    return EntryView(
        id=it.id,
        kind=it.entry.kind,
        value=it.label,
        verdict=it.entry.verdict,
        until=None if until is None else int(until),
        reason=it.reason,
        actor=it.actor,
        at=it.at,
    )


def _block_view(it: Block) -> BlockView:
    found = asdict(it)
    found |= {"since": int(it.since), "until": int(it.until) or None}
    return BlockView(**found)


def _tally_view(it: Tally) -> TallyView:
    return TallyView(
        day=datetime.fromtimestamp(it.begins, UTC).date().isoformat(),
        rule=it.rule,
        verdict=it.verdict,
        shadow=it.shadow,
        sends=it.sends,
        saved=it.saved,
    )


def _spend_view(it: Spend) -> SpendView:
    return SpendView(
        rule=it.rule,
        subject=it.subject,
        window=write_duration(it.window_seconds),
        spent=it.spent,
        held=it.held,
        cap=it.cap,
    )


def _guessing_view(it: Guesses) -> GuessingView:
    found = asdict(it)
    return GuessingView(**(found | {"until": int(it.until) or None}))
