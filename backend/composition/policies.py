"""Builds what knows the operator's policy, and follows its changes."""

from collections.abc import Mapping

from backend.composition.chores import Chores
from backend.composition.secrets import Secrets
from services.abuse.policies import Policies
from services.abuse.rules import Rule
from services.background import run_task
from services.events import Emit
from services.scripts import ScriptRunner
from utils.clock import Clock

_NAME = "abuse policy"

# A fleet follows within 30 s, one round trip that is lost included.
_FOLLOW_SECONDS = 3.0


def build_policies(
    secrets: Secrets,
    scripts: ScriptRunner,
    *,
    defaults: Mapping[str, Rule],
    chores: Chores,
    clock: Clock,
    emit: Emit,
) -> Policies:
    """Return the policy, which this worker follows; read once, if Redis is there.

    ``defaults`` are the rules as the settings have them.
    """
    policies = Policies(
        scripts,
        defaults=defaults,
        # Of names: what is listed stands for years, and no secret does.
        keys=(secrets.naming("policy entry"),),
        clock=clock,
        emit=emit,
    )
    run_task(policies.follow, _NAME, emit)
    chores.add(_NAME, policies.follow, seconds=_FOLLOW_SECONDS)
    return policies
