"""Builds the defence against abuse: what decides, what remembers, what tells."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from backend.composition.chores import Chores
from backend.composition.limits import rules_of
from backend.composition.policies import build_policies
from backend.composition.secrets import Secrets
from config.config import Settings
from services.abuse.aftermath import Aftermath
from services.abuse.bindings import Bindings, Subjects
from services.abuse.blocks import Blocks
from services.abuse.devices import DeviceTokens
from services.abuse.guard import Guard
from services.abuse.guessing import Guessing
from services.abuse.judging import Changes
from services.abuse.policies import Policies
from services.abuse_events import AbuseMeasured
from services.events import Emit
from services.scripts import ScriptRunner
from utils.clock import Clock

_MEASURE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Abuse:
    """The parts of the defence."""

    policies: Policies
    guard: Guard
    aftermath: Aftermath
    blocks: Blocks
    guessing: Guessing
    devices: DeviceTokens


def build_abuse(
    settings: Settings,
    *,
    secrets: Secrets,
    scripts: ScriptRunner,
    chores: Chores,
    with_calls: bool,
    clock: Clock,
    emit: Emit,
    offset_seconds: Callable[[], float],
) -> Abuse:
    """Build the defence; ``with_calls``: some vendor can call."""
    policies = build_policies(
        secrets,
        scripts,
        chores=chores,
        clock=clock,
        emit=emit,
        defaults=rules_of(settings, with_calls=with_calls),
    )
    life_seconds = settings.code_ttl_seconds
    subjects = Subjects(
        key=secrets.naming("limit subject"), seal_keys=secrets.keys("abuse subject")
    )
    bindings = Bindings(subjects, life_seconds=life_seconds)
    changes = Changes(currency=settings.spend_currency, emit=emit)
    guessing = Guessing(
        scripts, policy=policies.current, emit=emit, offset_seconds=offset_seconds
    )
    guard = Guard(
        scripts,
        policy=policies.current,
        lists=policies.lists,
        bindings=bindings,
        subjects=subjects,
        guessing=guessing,
        changes=changes,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    aftermath = Aftermath(
        scripts,
        policy=policies.current,
        bindings=bindings,
        changes=changes,
        guessing=guessing,
        background=chores.notes,
        offset_seconds=offset_seconds,
    )
    blocks = Blocks(
        scripts,
        policy=policies.current,
        bindings=bindings,
        subjects=subjects,
        changes=changes,
        offset_seconds=offset_seconds,
    )
    chores.add("late settlements", aftermath.note_again, seconds=1.0)
    chores.add(
        "abuse figures",
        partial(_measure, blocks, guessing, emit),
        seconds=_MEASURE_SECONDS,
    )
    return Abuse(
        policies=policies,
        guard=guard,
        aftermath=aftermath,
        blocks=blocks,
        guessing=guessing,
        devices=DeviceTokens(secrets.keys("device token"), clock=clock),
    )


def _measure(blocks: Blocks, guessing: Guessing, emit: Emit) -> None:
    """Tell how the defence stands; an escalation that is over ends with it."""
    blocked: dict[str, int] = {}
    for block in blocks.all():
        if block.state == "blocked" and not block.shadow:
            blocked[block.scope] = blocked.get(block.scope, 0) + 1
    guesses = guessing.look()
    emit(
        AbuseMeasured(
            expected_takeovers=guesses.expected_takeovers,
            wrong_checks_hour=guesses.wrong_checks_hour,
            escalated=guesses.escalated,
            blocked=blocked,
        )
    )
