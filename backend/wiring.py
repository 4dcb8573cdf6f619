"""The composition root: builds the services from the settings, and nothing else."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from backend.admin import Admin
from backend.composition.addresses import Addresses, addresses_of
from backend.composition.chores import Chores
from backend.composition.delivery import (
    build_templates,
    carriers_of,
    find_delivery_problems,
)
from backend.composition.identity import Identity, build_identity
from backend.composition.journal import open_journal
from backend.composition.limits import numbers_of, phone_limits_of, shared_limits_of
from backend.composition.routing import build_sms
from backend.composition.secrets import secrets_of
from backend.composition.service_clients import find_client_problems
from backend.composition.store import Store, find_redis_fault, open_redis
from backend.composition.subject_key import watch_names
from backend.composition.vendors import OpenTransport, Vendor, build_vendors, readers_of
from config.config import Settings, SettingsError, load_settings
from config.fields import Environment
from config.webhook_rules import find_private_webhook
from services.abuse.guard import Guard
from services.events import Emit
from services.identity.people.sessions import ON_WIN
from services.otp.codes import Peppers, phone_tag
from services.otp.conversions import Conversions
from services.otp.deliveries import Deliveries
from services.otp.follow_ups import FollowUps
from services.otp.locks import Locks
from services.otp.messages import MessageStore
from services.otp.number_notices import NumberNotices
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.sending import CodeSender
from services.otp.service import OtpService
from services.otp.store import OtpStore
from services.redis_health import RedisHealth, check_redis
from services.sms.provider import Channel, Provider
from services.sms.service import SmsService
from services.sms.transport import HttpTransport
from utils.clock import Clock, SystemClock


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes are given."""

    otp: OtpService
    sms: SmsService
    deliveries: Deliveries
    addresses: Addresses
    identity: Identity
    phonebook: Phonebook
    notices: NumberNotices
    admin: Admin
    check_store: Callable[[], RedisHealth]
    ensure_names: Callable[[], None]
    chores: Chores


def build_services(
    settings: Settings,
    *,
    emit: Emit,
    clock: Clock | None = None,
    offset_seconds: Callable[[], float] = lambda: 0.0,
    open_transport: OpenTransport | None = None,
    open_store: Callable[[Settings, Emit], Store] | None = None,
    chores: Chores | None = None,
    draws: Callable[[], random.Random] = random.Random,
) -> Services:
    """Build everything from ``settings``; what runs beside requests is not started.

    Redis need not be there yet. Tests and simulations bring what they want otherwise,
    and move Redis's time by ``offset_seconds``. Routing draws its chances by ``draws``.
    """
    clock = clock or SystemClock()
    open_transport = open_transport or partial(HttpTransport, clock=clock)
    secrets = secrets_of(settings)
    tag_of = partial(phone_tag, secrets.naming("phone tag"))
    client, scripts = (open_store or open_redis)(settings, emit)
    chores = chores or Chores(emit=emit)
    journal = open_journal(
        settings,
        scripts,
        background=chores.notes,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    emit = journal.emit
    addresses = addresses_of(settings)
    vendors = build_vendors(settings, addresses, open_transport)
    templates = build_templates(settings)
    sms, health = build_sms(
        settings,
        [vendor.provider for vendor in vendors],
        templates=templates,
        scripts=scripts,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
        draws=draws,
    )
    store = OtpStore(scripts, on_win=ON_WIN, offset_seconds=offset_seconds)
    guard = Guard(
        scripts,
        shared_limits_of(settings, with_calls=_has("voice", vendors)),
        key=secrets.naming("limit subject"),
        tag_of=tag_of,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    phonebook = Phonebook(
        numbers=numbers_of(settings, clock),
        tag_of=tag_of,
        peppers=Peppers(secrets.keys("code pepper")),
        name_key=secrets.naming("storefront"),
        limits=phone_limits_of(settings),
    )
    planner = Planner(sms, whatsapp_first=settings.whatsapp_first)
    sender = CodeSender(
        store=store,
        sms=sms,
        whatsapp_falls_back=settings.whatsapp_wait > 0,
        emit=emit,
    )
    deliveries = Deliveries(
        scripts=scripts,
        store=store,
        messages=MessageStore(
            scripts,
            name_key=secrets.naming("message name"),
            letter_keys=secrets.keys("message letter"),
            offset_seconds=offset_seconds,
        ),
        sms=sms,
        follow_ups=FollowUps(
            store=store,
            guard=guard,
            planner=planner,
            sender=sender,
            phonebook=phonebook,
            whatsapp_falls_back=settings.whatsapp_wait > 0,
            background=chores.sends,
            clock=clock,
            emit=emit,
        ),
        health=health,
        readers=readers_of(vendors) if addresses.base_url else {},
        phonebook=phonebook,
        whatsapp_wait_seconds=settings.whatsapp_wait,
        notes=chores.notes,
        emit=emit,
    )
    otp = OtpService(
        scripts=scripts,
        store=store,
        guard=guard,
        planner=planner,
        sender=sender,
        deliveries=deliveries,
        conversions=Conversions(
            sms=sms, health=health, background=chores.reports, clock=clock, emit=emit
        ),
        templates=templates,
        phonebook=phonebook,
        clock=clock,
        emit=emit,
    )
    chores.add("vendor health", partial(health.flush, sms.is_open), seconds=3.0)
    chores.at_end(health.close)
    chores.add("late notes", deliveries.note_again, seconds=1.0)
    if _has("whatsapp", vendors):
        chores.add("whatsapp waits", deliveries.look_again, seconds=1.0)
    names = watch_names(settings, secrets, client, chores=chores)
    identity = build_identity(
        settings,
        secrets=secrets,
        scripts=scripts,
        tag_of=tag_of,
        clock=clock,
        emit=emit,
        chores=chores,
        offset_seconds=offset_seconds,
    )
    return Services(
        otp=otp,
        sms=sms,
        deliveries=deliveries,
        addresses=addresses,
        phonebook=phonebook,
        notices=NumberNotices(
            sms=sms,
            carriers=carriers_of(settings, [it.provider for it in vendors]),
            guard=guard,
            phonebook=phonebook,
            background=chores.sends,
            emit=emit,
        ),
        identity=identity,
        admin=Admin(
            people=identity.people,
            sessions=identity.sessions,
            otp=otp,
            locks=Locks(
                scripts, limits=phonebook.limits, offset_seconds=offset_seconds
            ),
            phonebook=phonebook,
            tag_of=tag_of,
            journal=journal,
        ),
        check_store=partial(
            check_redis,
            client,
            embedded=settings.embedded_store,
            check_names=names.problem,
        ),
        ensure_names=names.ensure,
        chores=chores,
    )


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
    problems = list(find_delivery_problems(settings, configured_providers(settings)))
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


def _has(channel: Channel, vendors: Iterable[Vendor]) -> bool:
    return any(channel in it.provider.channels for it in vendors)
