"""Builds what is known of prices, and sees that caps on money can be held by it."""

from collections.abc import Callable, Iterator, Sequence

import phonenumbers

from backend.composition.delivery import build_routes, tables_of
from config.abuse_rules import CAPS
from config.config import Settings
from config.limits import Limits
from config.money import MICROS, BySubject
from services.scripts import ScriptRunner
from services.sms.learned_prices import LearnedPrices
from services.sms.prices import Price, Prices
from services.sms.provider import Provider
from services.sms.routes import CHANNELS, find_faults
from utils.phone import PhoneNumber


def build_prices(
    settings: Settings,
    scripts: ScriptRunner | None = None,
    *,
    offset_seconds: Callable[[], float] = lambda: 0.0,
) -> Prices:
    """Build the prices that are listed, and with ``scripts`` those that are learned."""
    rows = [
        Price(it.vendor, it.value, prefix=it.prefix) for it in settings.sms_prices
    ] + [
        Price(it.vendor, it.price, it.prefix, it.country, it.channel)
        for it in settings.prices_file
    ]
    currency = settings.spend_currency
    learned = None
    if scripts is not None:
        learned = LearnedPrices(
            scripts, currency=currency, offset_seconds=offset_seconds
        )
    return Prices(
        rows, unknown=settings.price_unknown, currency=currency, learned=learned
    )


def anybody_in(region: str) -> PhoneNumber:
    """Return what stands for the numbers of a country where nobody in particular is."""
    country_code = phonenumbers.country_code_for_region(region)
    return PhoneNumber(f"+{country_code}", region, country_code)


def find_price_problems(
    settings: Settings, providers: Sequence[Provider]
) -> Iterator[str]:
    """Name the prices that nobody charges, and the caps under which nothing can go."""
    channels = {provider.name: provider.channels for provider in providers}
    for place, row in enumerate(settings.prices_file, start=1):
        # A price list may be longer than that of the vendors that are configured.
        if row.channel and row.channel not in channels.get(row.vendor, {row.channel}):
            fault = f"{row.vendor} does not send by {row.channel}"
            yield f"PRICES_FILE: price {place}: {fault}"
    modes = dict(settings.rule_modes)
    caps = [it for it in CAPS if getattr(settings, it) and modes.get(it) != "off"]
    # Routes that cannot be used are named elsewhere.
    if caps and not any(find_faults(providers, tables_of(settings))):
        costs = _costs(settings, providers)
        for name in caps:
            yield from _too_tight(settings, name, costs)


def _costs(settings: Settings, providers: Sequence[Provider]) -> dict[str, int]:
    """Return what one send to each country may cost: by all that may be asked for it.

    So much is held before it, in case that each of them sends and does not say so.
    """
    routes, prices = build_routes(settings, providers), build_prices(settings)
    return {
        region: max(
            sum(
                prices.micros(hop.name, anybody_in(region), channel)
                for hop in routes.vendors_for(channel, anybody_in(region))
            )
            for channel in CHANNELS
        )
        for region in settings.allowed_countries
    }


def _too_tight(settings: Settings, name: str, costs: dict[str, int]) -> Iterator[str]:
    cap = getattr(settings, name)
    for subject, limits in _by_subject(cap):
        regions = _regions_of(name, subject, cap, costs)
        region = max(regions, key=costs.__getitem__, default=None)
        for micros, seconds in limits:
            if region is not None and micros < costs[region]:
                whom = f" for {subject}" if subject else ""
                yield (
                    f"{name.upper()}: {micros / MICROS:g} in {seconds} s{whom} is less"
                    f" than {costs[region] / MICROS:g}, which one message to {region}"
                    " may cost by all its vendors together"
                )


def _by_subject(cap: Limits | BySubject) -> Sequence[tuple[str, Limits]]:
    return cap.all_limits() if isinstance(cap, BySubject) else (("", cap),)


def _regions_of(
    name: str, subject: str, cap: Limits | BySubject, costs: dict[str, int]
) -> list[str]:
    """Name the countries that a cap is for."""
    if name != "spend_per_country" or not isinstance(cap, BySubject):
        return list(costs)
    if subject:
        return [subject] if subject in costs else []
    special = {it for it, _ in cap.special}
    return [region for region in costs if region not in special]
