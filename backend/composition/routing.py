"""Builds what sends: the vendors' health, the router, and the service over them."""

import random
from collections.abc import Callable, Sequence

from backend.composition.delivery import build_routes, build_senders
from backend.composition.prices import anybody_in, build_prices
from config.config import Settings
from services.events import Emit
from services.scripts import ScriptRunner
from services.sms.provider import Channel, Provider
from services.sms.routes import LAST_RESORT
from services.sms.routing.health import VendorHealth
from services.sms.routing.router import Router
from services.sms.routing.rules import HealthRules
from services.sms.service import SmsService
from services.sms.templates import Templates
from utils.clock import Clock


def build_sms(
    settings: Settings,
    providers: Sequence[Provider],
    *,
    templates: Templates,
    scripts: ScriptRunner,
    clock: Clock,
    emit: Emit,
    offset_seconds: Callable[[], float],
    draws: Callable[[], random.Random] = random.Random,
) -> tuple[SmsService, VendorHealth]:
    """Return the service over ``providers``, and the health that moves its traffic.

    ``draws`` makes what chances are drawn from; each use has its own.
    """
    routes = build_routes(settings, providers)
    prices = build_prices(settings, scripts, offset_seconds=offset_seconds)

    def candidates(channel: Channel, region: str) -> Sequence[str]:
        hops = routes.vendors_for(channel, anybody_in(region))
        names = [hop.name for hop in hops]
        return [name for name in names if name != LAST_RESORT]

    health = VendorHealth(
        scripts,
        candidates=candidates,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
        # Nobody is to be told of weights that nobody obeys.
        rules=HealthRules(step_down=0) if settings.routing == "order" else None,
    )
    router = Router(
        health,
        mode=settings.routing,
        shadow=settings.routing_shadow == "adaptive",
        price_of=prices.of,
        emit=emit,
        draws=draws(),
        adaptive_draws=draws(),
    )
    sms = SmsService(
        providers,
        routes=routes,
        router=router,
        health=health,
        senders=build_senders(settings),
        prices=prices,
        templates=templates,
        clock=clock,
        emit=emit,
        deadline_seconds=settings.sms_deadline_seconds,
    )
    return sms, health
