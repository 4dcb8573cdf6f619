"""The composition root: builds the services from the settings, and nothing else."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from backend.abuse_desk import AbuseDesk
from backend.admin import Admin
from backend.composition.abuse import Abuse, build_abuse
from backend.composition.abuse_desk import build_abuse_desk
from backend.composition.addresses import Addresses, addresses_of
from backend.composition.alerts import open_alerts
from backend.composition.challenges import build_challenges
from backend.composition.chores import Chores
from backend.composition.delivery import (
    build_templates,
)
from backend.composition.identity import Identity, build_identity
from backend.composition.journal import open_journal
from backend.composition.otp import build_otp
from backend.composition.routing import build_sms
from backend.composition.secrets import secrets_of
from backend.composition.store import Store, open_redis
from backend.composition.subject_key import watch_names
from backend.composition.vendors import OpenTransport, build_vendors
from config.config import Settings
from services.abuse.challenges.challenges import Challenges
from services.events import Emit
from services.otp.codes import phone_tag
from services.otp.deliveries import Deliveries
from services.otp.locks import Locks
from services.otp.number_notices import NumberNotices
from services.otp.phonebook import Phonebook
from services.otp.service import OtpService
from services.redis_health import RedisHealth, check_redis
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
    abuse: Abuse
    desk: AbuseDesk


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
    open_challenges: Callable[..., Challenges] = build_challenges,
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
    emit = open_alerts(
        settings,
        chores=chores,
        open_transport=open_transport,
        clock=clock,
        emit=emit,
    ).emit
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
    abuse = build_abuse(
        settings,
        secrets=secrets,
        scripts=scripts,
        chores=chores,
        with_calls=any("voice" in it.provider.channels for it in vendors),
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    parts = build_otp(
        settings,
        secrets=secrets,
        scripts=scripts,
        abuse=abuse,
        challenges=open_challenges(
            settings,
            secrets=secrets,
            open_transport=open_transport,
            clock=clock,
            emit=emit,
        ),
        sms=sms,
        health=health,
        templates=templates,
        vendors=vendors,
        receipts=addresses.base_url is not None,
        tag_of=tag_of,
        chores=chores,
        clock=clock,
        emit=emit,
        offset_seconds=offset_seconds,
    )
    chores.add("vendor health", partial(health.flush, sms.is_open), seconds=3.0)
    chores.at_end(health.close)
    chores.add("prices", sms.exchange_prices, seconds=10.0)
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
    admin = Admin(
        people=identity.people,
        sessions=identity.sessions,
        otp=parts.otp,
        locks=Locks(
            scripts, limits=parts.phonebook.limits, offset_seconds=offset_seconds
        ),
        phonebook=parts.phonebook,
        tag_of=tag_of,
        journal=journal,
    )
    return Services(
        otp=parts.otp,
        sms=sms,
        deliveries=parts.deliveries,
        addresses=addresses,
        phonebook=parts.phonebook,
        notices=parts.notices,
        identity=identity,
        admin=admin,
        check_store=partial(
            check_redis,
            client,
            embedded=settings.embedded_store,
            check_names=names.problem,
        ),
        ensure_names=names.ensure,
        chores=chores,
        abuse=abuse,
        desk=build_abuse_desk(
            settings,
            abuse,
            scripts,
            clients=identity.clients,
            tag_of_phone=admin.tag_of_phone,
            journal=journal,
            clock=clock,
            offset_seconds=offset_seconds,
        ),
    )
