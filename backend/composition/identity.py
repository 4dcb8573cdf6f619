"""Puts together what the service knows of people and of service clients."""

from collections.abc import Callable
from dataclasses import dataclass

from backend.composition.chores import Chores
from backend.composition.secrets import Secrets
from backend.composition.service_clients import build_assertions, build_service_clients
from backend.composition.signing_keys import build_signing_keys
from config.config import Settings
from services.events import Emit
from services.identity.clients.assertions import Assertions
from services.identity.clients.service_clients import ServiceClients
from services.identity.introspection import Introspection
from services.identity.keys.signing_keys import SigningKeys
from services.identity.people.people import People
from services.identity.people.records import SessionRules
from services.identity.people.refresh_tokens import RefreshTokens
from services.identity.people.sessions import Sessions
from services.identity.people.subjects import Subjects
from services.identity.tokens import Tokens
from services.scripts import ScriptRunner
from utils.clock import Clock


@dataclass(frozen=True, slots=True)
class Identity:
    """Who people and service clients are, and what proves it."""

    subjects: Subjects
    sessions: Sessions
    people: People
    keys: SigningKeys
    tokens: Tokens
    clients: ServiceClients
    assertions: Assertions
    introspection: Introspection


def build_identity(
    settings: Settings,
    *,
    secrets: Secrets,
    scripts: ScriptRunner,
    tag_of: Callable[[str], str],
    clock: Clock,
    emit: Emit,
    chores: Chores,
    offset_seconds: Callable[[], float] = lambda: 0.0,
) -> Identity:
    """Build it from the settings; Redis need not be there yet."""
    subjects = Subjects(
        key=secrets.naming("subject"),
        admin_tags=[tag_of(e164) for e164 in settings.admin_phones],
    )
    people = People(
        scripts, subjects=subjects, emit=emit, offset_seconds=offset_seconds
    )
    sessions = Sessions(
        scripts,
        subjects=subjects,
        people=people,
        tag_of=tag_of,
        phone_keys=secrets.keys("session phone"),
        refresh_tokens=RefreshTokens(secrets.keys("refresh token")),
        rules=SessionRules(
            idle_days=settings.session_idle_days,
            max_days=settings.session_max_days,
            most=settings.sessions_per_person,
        ),
        emit=emit,
        offset_seconds=offset_seconds,
    )
    keys = build_signing_keys(
        settings,
        secrets,
        scripts,
        chores=chores,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    tokens = Tokens(
        keys,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        audiences=dict(settings.storefront_audiences),
        ttl_seconds=settings.access_token_seconds,
        clock=clock,
    )
    clients = build_service_clients(
        settings, scripts, chores=chores, clock=clock, emit=emit
    )
    return Identity(
        subjects=subjects,
        sessions=sessions,
        people=people,
        keys=keys,
        tokens=tokens,
        clients=clients,
        assertions=build_assertions(
            settings, clients, scripts, secrets=secrets, clock=clock
        ),
        introspection=Introspection(
            tokens=tokens, sessions=sessions, clients=clients, emit=emit
        ),
    )
