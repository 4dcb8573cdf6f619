"""Settings from which the services can be built: read, and checked against them."""

from functools import partial

from backend.composition.addresses import addresses_of
from backend.composition.delivery import find_delivery_problems
from backend.composition.prices import find_price_problems
from backend.composition.service_clients import find_client_problems
from backend.composition.store import find_redis_fault
from backend.composition.vendors import build_vendors
from config.config import Settings, SettingsError, load_settings
from config.fields import Environment
from config.webhook_rules import find_private_webhook
from services.sms.provider import Provider
from services.sms.transport import HttpTransport
from utils.clock import SystemClock


def load_checked_settings(
    default_environment: Environment = "production",
) -> Settings:
    """Read the settings, and see that the services can be built from them.

    Raises:
        SettingsError: they cannot; the settings' own problems come first.
    """
    settings = load_settings(default_environment=default_environment)
    if problems := find_problems(settings):
        raise SettingsError(problems)
    return settings


def find_problems(settings: Settings) -> tuple[str, ...]:
    """Name the settings that are well-formed and still cannot work.

    What ``config`` cannot know, because only the services know what they can do.
    """
    providers = configured_providers(settings)
    problems = list(find_delivery_problems(settings, providers))
    problems += find_price_problems(settings, providers)
    problems += find_private_webhook(settings)
    problems += find_client_problems(settings)
    if fault := find_redis_fault(settings):
        problems.append(fault)
    return tuple(problems)


def configured_providers(settings: Settings) -> list[Provider]:
    """Return the vendors that are configured, in the order of preference."""
    open_transport = partial(HttpTransport, clock=SystemClock())
    addresses = addresses_of(settings)
    return [
        vendor.provider for vendor in build_vendors(settings, addresses, open_transport)
    ]
