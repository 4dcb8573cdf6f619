"""Builds what knows the service clients, and follows their changes."""

from collections.abc import Iterator

from backend.composition.chores import Chores
from backend.composition.secrets import Secrets
from config.config import Settings
from services.events import Emit
from services.identity.clients.assertions import Assertions
from services.identity.clients.file import ClientFileError, read_client_file
from services.identity.clients.service_clients import ServiceClient, ServiceClients
from services.identity.clients.store import ClientStore
from services.scripts import ScriptRunner
from utils.clock import Clock, SystemClock

# A secret that is revoked is refused everywhere within 5 s (attack A34).
_FOLLOW_SECONDS = 2.0


def build_service_clients(
    settings: Settings,
    scripts: ScriptRunner,
    *,
    chores: Chores,
    clock: Clock,
    emit: Emit,
) -> ServiceClients:
    """Return all clients; those in Redis are read at first use, then come round."""
    clients = ServiceClients(
        ClientStore(scripts).all,
        fixed=fixed_clients(settings, now=clock.now()),
        clock=clock,
        emit=emit,
    )
    chores.add("service clients", clients.reload, seconds=_FOLLOW_SECONDS)
    return clients


def build_assertions(
    settings: Settings,
    clients: ServiceClients,
    scripts: ScriptRunner,
    *,
    secrets: Secrets,
    clock: Clock,
) -> Assertions:
    """Return what checks the clients' signatures."""
    issuer = settings.token_issuer
    return Assertions(
        clients,
        scripts,
        audiences=(issuer, f"{issuer.rstrip('/')}/api/token"),
        # A name, so that a new secret forgets no assertion that was used.
        key=secrets.naming("assertion"),
        clock=clock,
    )


def fixed_clients(settings: Settings, *, now: float) -> tuple[ServiceClient, ...]:
    """Return the clients of the file; ``now`` is Unix time.

    Raises:
        ClientFileError: it cannot be used.
    """
    return read_client_file(settings.service_clients_file, now=now)


def find_client_problems(settings: Settings) -> Iterator[str]:
    """Name everything that is wrong with the file of service clients."""
    try:
        fixed_clients(settings, now=SystemClock().now())
    except ClientFileError as error:
        yield from (f"SERVICE_CLIENTS_FILE: {it}" for it in error.problems)
