"""Builds what sends codes and checks them, on top of SMS and abuse control."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.composition.abuse import Abuse
from backend.composition.chores import Chores
from backend.composition.delivery import carriers_of
from backend.composition.limits import (
    number_policy_of,
    numbers_of,
    phone_limits_of,
)
from backend.composition.secrets import Secrets
from backend.composition.vendors import Vendor, readers_of
from config.config import Settings
from services.abuse.challenges.challenges import Challenges
from services.events import Emit
from services.identity.people.sessions import ON_WIN
from services.otp.admission import Admission
from services.otp.codes import Peppers
from services.otp.conversions import Conversions
from services.otp.deliveries import Deliveries
from services.otp.follow_ups import FollowUps
from services.otp.messages import MessageStore
from services.otp.number_notices import NumberNotices
from services.otp.phonebook import Phonebook
from services.otp.planning import Planner
from services.otp.sending import CodeSender
from services.otp.service import OtpService
from services.otp.store import OtpStore
from services.scripts import ScriptRunner
from services.sms.routing.health import VendorHealth
from services.sms.service import SmsService
from services.sms.templates import Templates
from utils.clock import Clock


@dataclass(frozen=True, slots=True)
class Otp:
    """What others use of it."""

    otp: OtpService
    deliveries: Deliveries
    phonebook: Phonebook
    notices: NumberNotices


def build_otp(
    settings: Settings,
    *,
    secrets: Secrets,
    scripts: ScriptRunner,
    abuse: Abuse,
    challenges: Challenges,
    sms: SmsService,
    health: VendorHealth,
    templates: Templates,
    vendors: Sequence[Vendor],
    receipts: bool,
    tag_of: Callable[[str], str],
    chores: Chores,
    clock: Clock,
    emit: Emit,
    offset_seconds: Callable[[], float],
) -> Otp:
    """Build it; ``receipts``: vendors know where to send theirs."""
    store = OtpStore(scripts, on_win=ON_WIN, offset_seconds=offset_seconds)
    admission = Admission(
        guard=abuse.guard,
        aftermath=abuse.aftermath,
        challenges=challenges,
        devices=abuse.devices,
        sms=sms,
        emit=emit,
    )
    phonebook = Phonebook(
        numbers=numbers_of(settings, clock),
        tag_of=tag_of,
        peppers=Peppers(secrets.keys("code pepper")),
        name_key=secrets.naming("storefront"),
        limits=phone_limits_of(settings),
    )
    planner = Planner(
        sms,
        policy=number_policy_of(settings),
        whatsapp_first=settings.whatsapp_first,
    )
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
            admission=admission,
            planner=planner,
            sender=sender,
            phonebook=phonebook,
            whatsapp_falls_back=settings.whatsapp_wait > 0,
            background=chores.sends,
            clock=clock,
            emit=emit,
        ),
        health=health,
        readers=readers_of(vendors) if receipts else {},
        phonebook=phonebook,
        whatsapp_wait_seconds=settings.whatsapp_wait,
        notes=chores.notes,
        emit=emit,
    )
    otp = OtpService(
        scripts=scripts,
        store=store,
        guard=abuse.guard,
        admission=admission,
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
    chores.add("late notes", deliveries.note_again, seconds=1.0)
    if any("whatsapp" in it.provider.channels for it in vendors):
        chores.add("whatsapp waits", deliveries.look_again, seconds=1.0)
    return Otp(
        otp=otp,
        deliveries=deliveries,
        phonebook=phonebook,
        notices=NumberNotices(
            sms=sms,
            carriers=carriers_of(settings, [it.provider for it in vendors]),
            admission=admission,
            phonebook=phonebook,
            background=chores.sends,
            emit=emit,
        ),
    )
