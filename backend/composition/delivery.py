"""Builds what decides how messages go out: routes, senders and texts."""

from collections.abc import Iterator, Mapping, Sequence

from backend.composition.sender_rules import find_sender_problems
from config.config import Settings
from config.number_settings import served_by
from config.routes import Hops
from config.tables import VENDORS, Row
from services.sms.own_templates import OwnTemplates, TemplateError
from services.sms.provider import Channel, Provider
from services.sms.routes import Hop, Route, Routes, find_faults, find_unserved
from services.sms.senders import Senders
from services.sms.template_file import find_dlt_gaps, read_templates
from services.sms.template_file import find_unserved as find_unserved_texts
from services.sms.templates import Templates

_ROUTES: Mapping[Channel, str] = {
    "sms": "SMS_ROUTES",
    "whatsapp": "WHATSAPP_ROUTES",
    "voice": "VOICE_ROUTES",
}


# Vendors whose words are in a template at the vendor, or in our code for calls.
_WORDLESS = frozenset({"msg91", "twilio_verify", "whatsapp", "twilio_voice"})


def build_routes(settings: Settings, providers: Sequence[Provider]) -> Routes:
    """Build the routes of every channel; ``providers`` stand in the default order."""
    return Routes(
        providers,
        tables=tables_of(settings),
        regions={"voice": served_by(settings, "voice")},
    )


def build_senders(settings: Settings) -> Senders:
    """Build the sender ids by vendor and country."""
    return Senders((it.vendor, it.prefix, it.value) for it in settings.sender_ids)


def carriers_of(settings: Settings, providers: Sequence[Provider]) -> frozenset[str]:
    """Name the vendors that send whatever text they are given, and not codes alone."""
    wordless = _wordless(settings)
    if settings.webhook_body and "{text}" not in settings.webhook_body:
        wordless |= {"webhook"}
    return frozenset(it.name for it in providers) - wordless


def build_templates(settings: Settings) -> Templates:
    """Build the texts.

    Raises:
        TemplateError: one of them cannot be sent.
    """
    return _templates(settings, _own_templates(settings))


def find_delivery_problems(
    settings: Settings, providers: Sequence[Provider]
) -> Iterator[str]:
    """Name every setting by which messages could not go out as they are meant to."""
    yield from _route_problems(settings, providers)
    yield from find_sender_problems(settings, providers)
    own = None
    try:
        own = _own_templates(settings)
    except TemplateError as error:
        yield from (f"SMS_TEMPLATES_FILE: {it}" for it in error.problems)
    else:
        names = [provider.name for provider in providers]
        found = [
            *find_unserved_texts(
                own, vendors=names, regions=settings.allowed_countries
            ),
            *find_dlt_gaps(own, names),
        ]
        yield from (f"SMS_TEMPLATES_FILE: {it}" for it in found)
    try:
        _templates(settings, own)
    except TemplateError as error:
        yield from (f"BRAND_NAME, AUTOFILL_HOST: {it}" for it in error.problems)


def _route_problems(settings: Settings, providers: Sequence[Provider]) -> Iterator[str]:
    tables = tables_of(settings)
    for channel, fault in find_faults(providers, tables):
        yield f"{_ROUTES[channel]}: {fault}"
    named = "NUMBER_POLICY_FILE" if settings.number_policy_file else None
    asked: dict[Channel, str] = {"sms": named or "ALLOWED_COUNTRIES"}
    if any("voice" in provider.channels for provider in providers):
        asked["voice"] = named or "VOICE_COUNTRIES"
    for channel, variable in asked.items():
        regions = served_by(settings, channel)
        routes = tables[channel]
        place = f" in {_ROUTES[channel]}" if routes else " that is configured"
        for region in find_unserved(providers, channel, routes=routes, regions=regions):
            yield f"{variable}: no {channel} vendor{place} serves {region}"


def tables_of(settings: Settings) -> Mapping[Channel, Sequence[Route]]:
    """Build the routes that are written down, by channel."""
    rows: Mapping[Channel, Sequence[Row[Hops]]] = {
        "sms": settings.sms_routes,
        "whatsapp": settings.whatsapp_routes,
        "voice": settings.voice_routes,
    }
    return {
        channel: [
            Route(row.prefix, tuple(Hop(name, weight) for name, weight in row.value))
            for row in rows[channel]
        ]
        for channel in rows
    }


def _own_templates(settings: Settings) -> OwnTemplates:
    fixed = {
        "brand": settings.brand_name,
        "host": settings.autofill_host,
        "app_hash": settings.android_app_hash,
    }
    return read_templates(
        settings.sms_templates_file,
        vendors=VENDORS,
        fixed={name: value for name, value in fixed.items() if value},
        minutes_max=settings.code_ttl_seconds // 60,
        wordless=_wordless(settings),
    )


def _wordless(settings: Settings) -> frozenset[str]:
    """Return the vendors that send words of their own."""
    own_route = settings.fast2sms_route == "q"
    return _WORDLESS if own_route else _WORDLESS | {"fast2sms"}


def _templates(settings: Settings, own: OwnTemplates | None) -> Templates:
    return Templates(
        brand=settings.brand_name,
        ttl_seconds=settings.code_ttl_seconds,
        autofill_host=settings.autofill_host,
        app_hash=settings.android_app_hash,
        own=own,
    )
