"""Opens what remembers: the operators' acts, and what happened to each phone."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.telemetry import current_request_id
from config.config import Settings
from services.background import Background
from services.events import Emit, Event
from services.journal.audit import Audit
from services.journal.trail import Trail
from services.scripts import ScriptRunner
from utils.clock import Clock


@dataclass(frozen=True, slots=True)
class Journal:
    """What remembers; who tells it by ``emit`` also tells whoever was told before."""

    audit: Audit
    trail: Trail
    emit: Emit


def open_journal(
    settings: Settings,
    scripts: ScriptRunner,
    *,
    background: Background,
    clock: Clock,
    emit: Emit,
    offset_seconds: Callable[[], float] = lambda: 0.0,
) -> Journal:
    """Open both; ``background`` writes the trails, after the answers."""
    trail = Trail(
        scripts,
        hours=settings.trace_hours,
        background=background,
        clock=clock,
        request_id=current_request_id,
        offset_seconds=offset_seconds,
    )

    def tell_both(event: Event) -> None:
        emit(event)
        trail.take(event)

    audit = Audit(scripts, emit=tell_both, request_id=current_request_id)
    return Journal(audit=audit, trail=trail, emit=tell_both)
