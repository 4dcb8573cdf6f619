"""How a command acts: who it says does it, in the audit, and all of it at once."""

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from backend.composition.chores import Chores
from backend.telemetry import Telemetry
from config.logging import configure_logging
from services.background import Task, run_task
from services.events import AdminActed, Event
from services.journal.audit import Act, Audit
from services.scripts import ScriptRunner

_MOST_NAME = 32


class _AtOnce:
    """A background for a process that ends with its answer."""

    def submit(self, task: Task) -> None:
        """Run ``task`` now; what is lost is no more than would be later."""
        run_task(task, "notes", tell)


def chores_at_once() -> Chores:
    """Return the background of a command: what a service does later is done now."""
    at_once = _AtOnce()
    return Chores(emit=tell, notes=at_once, sends=at_once, reports=at_once)


@contextmanager
def entered(scripts: ScriptRunner, action: str, detail: str = "") -> Iterator[None]:
    """Enter what a command does into the audit, before it is done.

    ``detail`` says to what it is done, and holds no secret.

    Raises:
        StoreUnavailable: Redis cannot be reached; nothing is done.
    """
    audit = Audit(scripts, emit=tell)
    with audit.acting(Act(action=action, actor=actor(), detail=detail)):
        yield


def actor() -> str:
    """Name who runs the command, as the audit has it."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        name = str(os.getuid())
    shown = "".join(it if it.isprintable() else "?" for it in name)
    return f"cli:{shown[:_MOST_NAME]}"


def tell(event: Event) -> None:
    """Log what an operator did, and nothing else, beside the command's answer.

    Who sits at a terminal has the answer, and nobody to collect the log.
    """
    if isinstance(event, AdminActed) and not sys.stderr.isatty():
        Telemetry(configure_logging("info", output=sys.stderr.buffer)).emit(event)
