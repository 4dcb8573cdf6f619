"""``routes`` and ``webhooks``: how vendors fare, and where they send receipts."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from backend.cli.commands import Commands, as_json, ask_for_redis, ignore, table
from backend.composition.addresses import addresses_of
from backend.composition.checked_settings import configured_providers
from backend.composition.delivery import build_templates
from backend.composition.prices import anybody_in, build_prices
from backend.composition.routing import build_sms
from backend.composition.store import open_redis
from backend.composition.vendors import build_vendors
from config.config import Settings, SettingsError
from services.sms.routes import CHANNELS
from services.sms.routing.standing import Counts, VendorStanding
from services.sms.transport import HttpTransport
from utils.clock import SystemClock

_HEADINGS = (
    *("CHANNEL", "COUNTRY", "VENDOR", "WEIGHT", "BREAKER", "CALLS"),
    *("ERRORS", "DELIVERED", "CONVERSION", "P50", "PRICE"),
)
_LEGEND = """
Counts are of the last hours (half-life 6 h), in brackets of the last minutes. Breaker:
the workers that leave the vendor alone. P50: half of the receipts came within. A price
with a star is what receipts say, the others are listed.\
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """One vendor in one country on one channel."""

    channel: str
    country: str
    vendor: str
    price: float | None
    is_learned: bool
    standing: VendorStanding


def add_commands(commands: Commands) -> None:
    """Add the commands of this module."""
    routes = commands.add_parser(
        "routes", help="how every vendor does, by channel and country"
    )
    routes.add_argument("--json", action="store_true", help="for programs to read")
    routes.set_defaults(command=_routes)
    webhooks = commands.add_parser(
        "webhooks", help="where each vendor is to send its delivery receipts"
    )
    webhooks.set_defaults(command=_webhooks)


def _routes(settings: Settings, options: argparse.Namespace) -> str:
    """Return the live table.

    Raises:
        StoreUnavailable: Redis cannot be reached.
        SettingsError: there is no Redis to ask.
    """
    ask_for_redis(settings)
    rows = list(_rows(settings))
    if options.json:
        documents = [_document(row) for row in rows]
        return as_json(documents)
    return f"{table([_HEADINGS, *map(_cells, rows)])}\n{_LEGEND}"


def _rows(settings: Settings) -> Iterator[_Row]:
    client, scripts = open_redis(settings, ignore)
    with client:
        _, health = build_sms(
            settings,
            configured_providers(settings),
            templates=build_templates(settings),
            scripts=scripts,
            clock=SystemClock(),
            emit=ignore,
            offset_seconds=lambda: 0.0,
        )
        prices = build_prices(settings, scripts)
        prices.exchange()  # Nothing was learned here: it only reads.
        for channel in CHANNELS:
            for country in settings.allowed_countries:
                anybody = anybody_in(country)
                for vendor, standing in health.read(channel, country).items():
                    yield _Row(
                        channel=channel,
                        country=country,
                        vendor=vendor,
                        price=prices.of(vendor, anybody, channel),
                        is_learned=prices.is_learned(vendor, anybody, channel),
                        standing=standing,
                    )


def _cells(row: _Row) -> tuple[str, ...]:
    it = row.standing
    median = it.long.p50_seconds
    return (
        row.channel,
        row.country,
        row.vendor,
        str(it.weight),
        f"open in {it.open_workers}" if it.open_workers else "-",
        str(round(it.long.calls)),
        _percent(it.long.error_share, it.short.error_share),
        _percent(it.long.delivered_share, it.short.delivered_share),
        _percent(it.long.conversion, it.short.conversion),
        "-" if median is None else f"{median:.1f} s",
        _price(row),
    )


def _price(row: _Row) -> str:
    if row.price is None:
        return "-"
    return f"{row.price:g}*" if row.is_learned else f"{row.price:g}"


def _percent(hours: float | None, minutes: float | None) -> str:
    if hours is None:
        return "-"
    return f"{hours:.0%}" if minutes is None else f"{hours:.0%} ({minutes:.0%})"


def _document(row: _Row) -> dict[str, Any]:
    it = row.standing
    return {
        "channel": row.channel,
        "country": row.country,
        "vendor": row.vendor,
        "weight": it.weight,
        "open_workers": it.open_workers,
        "price": row.price,
        "price_learned": row.is_learned,
        "hours": _figures(it.long),
        "minutes": _figures(it.short),
    }


def _figures(counts: Counts) -> dict[str, Any]:
    figures = asdict(counts)
    del figures["delays"]
    return {
        **{name: round(figure, 3) for name, figure in figures.items()},
        "error_share": counts.error_share,
        "delivered_share": counts.delivered_share,
        "conversion": counts.conversion,
        "p50_seconds": counts.p50_seconds,
    }


def _webhooks(settings: Settings, _: argparse.Namespace) -> str:
    """Return the addresses to paste into the vendors' dashboards.

    Raises:
        SettingsError: it cannot be told where this service is.
    """
    problems = []
    if settings.public_base_url is None:
        problems.append("PUBLIC_BASE_URL: missing; vendors send their receipts there")
    if settings.ephemeral_secret:
        problems.append("SECRET_KEY: not set; addresses would change at every start")
    if problems:
        raise SettingsError(tuple(problems))
    return table([("VENDOR", "RECEIPTS"), *_addresses(settings)])


def _addresses(settings: Settings) -> Iterable[tuple[str, str]]:
    addresses = addresses_of(settings)
    open_transport = partial(HttpTransport, clock=SystemClock())
    for vendor in build_vendors(settings, addresses, open_transport):
        name = vendor.provider.name
        if vendor.receipts is None:
            continue
        address = addresses.secret if vendor.secret_path else addresses.signed
        yield name, address(name) or ""
        if name == "whatsapp":
            # Meta asks for it once, beside the address.
            yield "", f"verify token: {addresses.token(name)}"
