"""Builds what operators see and change of the defence against abuse."""

from collections.abc import Callable

from backend.abuse_desk import AbuseDesk
from backend.composition.abuse import Abuse
from backend.composition.journal import Journal
from config.config import Settings
from services.abuse.report import Reports
from services.identity.clients.service_clients import ServiceClients
from services.scripts import ScriptRunner
from utils.clock import Clock


def build_abuse_desk(
    settings: Settings,
    abuse: Abuse,
    scripts: ScriptRunner,
    *,
    clients: ServiceClients,
    tag_of_phone: Callable[[str], str],
    journal: Journal,
    clock: Clock,
    offset_seconds: Callable[[], float],
) -> AbuseDesk:
    """Return the desk; ``tag_of_phone`` raises where a text is no phone number."""
    countries = settings.allowed_countries or (settings.default_country,)
    return AbuseDesk(
        policies=abuse.policies,
        blocks=abuse.blocks,
        reports=Reports(
            scripts,
            policy=abuse.policies.current,
            blocks=abuse.blocks,
            guessing=abuse.guessing,
            subjects={"country": lambda: countries, "caller": clients.ids},
            offset_seconds=offset_seconds,
        ),
        tag_of_phone=tag_of_phone,
        journal=journal,
        currency=settings.spend_currency,
        clock=clock,
    )
