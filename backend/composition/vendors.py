"""Builds the vendors that are configured, and the readers of their receipts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import orjson

from backend.composition.addresses import Addresses
from config.config import Settings
from services.sms.provider import Provider
from services.sms.providers.aws import AwsProvider, AwsReceipts
from services.sms.providers.console import ConsoleProvider
from services.sms.providers.fast2sms import Fast2SmsProvider, Fast2SmsReceipts
from services.sms.providers.infobip import InfobipProvider, InfobipReceipts
from services.sms.providers.messagebird import MessageBirdProvider, MessageBirdReceipts
from services.sms.providers.msg91 import Msg91Provider, Msg91Receipts
from services.sms.providers.plivo import PlivoProvider, PlivoReceipts
from services.sms.providers.twilio import TwilioProvider, TwilioReceipts
from services.sms.providers.twilio_verify import TwilioVerifyProvider
from services.sms.providers.twilio_voice import (
    TwilioVoiceProvider,
    TwilioVoiceReceipts,
)
from services.sms.providers.vonage import VonageProvider, VonageReceipts
from services.sms.providers.webhook import WebhookProvider, WebhookReceipts
from services.sms.providers.whatsapp import WhatsAppProvider, WhatsAppReceipts
from services.sms.receipts import ReceiptReader
from services.sms.transport import Transport
from services.standard_webhooks import read_secret
from utils.clock import SystemClock

OpenTransport = Callable[[str], Transport]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor that is configured, and who reads its receipts, if it has any."""

    provider: Provider
    receipts: ReceiptReader | None = None
    secret_path: bool = False  # They must come to a path that nobody else knows.


def build_vendors(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> list[Vendor]:
    """Return the vendors that are configured, in the order of preference.

    In development the console stands last; in production it cannot be had.
    """
    built = [build(settings, addresses, open_transport) for build in _BUILDERS]
    vendors = [vendor for vendor in built if vendor is not None]
    if settings.environment == "development":
        vendors.append(Vendor(ConsoleProvider()))
    return vendors


def readers_of(vendors: Iterable[Vendor]) -> dict[str, ReceiptReader]:
    """Return who reads the receipts of each vendor that has any."""
    return {it.provider.name: it.receipts for it in vendors if it.receipts}


def _twilio(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    sender = settings.twilio_phone_number
    service = settings.twilio_messaging_service_sid
    if not (sid and token and (sender or service)):
        return None
    provider = TwilioProvider(
        sid,
        token.get_secret_value(),
        sender=sender,
        messaging_service_sid=service,
        status_callback=addresses.signed("twilio"),
        transport=open_transport(settings.twilio_base_url),
    )
    return Vendor(provider, TwilioReceipts(token.get_secret_value()))


def _fast2sms(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    if not settings.fast2sms_api_key:
        return None
    provider = Fast2SmsProvider(
        api_key=settings.fast2sms_api_key.get_secret_value(),
        route=settings.fast2sms_route,
        sender_id=settings.fast2sms_sender_id,
        message_id=settings.fast2sms_message_id,
        transport=open_transport(settings.fast2sms_base_url),
    )
    receipts = Fast2SmsReceipts(addresses.token("fast2sms"))
    return Vendor(provider, receipts, secret_path=True)


def _msg91(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    key, template_id = settings.msg91_auth_key, settings.msg91_template_id
    if not (key and template_id):
        return None
    provider = Msg91Provider(
        key.get_secret_value(),
        template_id=template_id,
        api=settings.msg91_api,
        transport=open_transport(settings.msg91_base_url),
    )
    # The vendor's dashboard has the address.
    receipts = Msg91Receipts(token=addresses.token("msg91"))
    return Vendor(provider, receipts, secret_path=True)


def _vonage(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    key, secret = settings.vonage_api_key, settings.vonage_api_secret
    if not (key and secret and settings.vonage_sender):
        return None
    signature = settings.vonage_signature_secret
    address = addresses.signed if signature else addresses.secret
    provider = VonageProvider(
        key,
        secret.get_secret_value(),
        sender=settings.vonage_sender,
        conversion_base_url=settings.vonage_api_base_url,
        clock=SystemClock(),
        receipts_url=address("vonage"),
        transport=open_transport(settings.vonage_base_url),
    )
    receipts = VonageReceipts(
        token=addresses.token("vonage"),
        signature_secret=signature.get_secret_value() if signature else None,
        signature_method=settings.vonage_signature_method,
    )
    return Vendor(provider, receipts, secret_path=signature is None)


def _plivo(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    auth_id, token = settings.plivo_auth_id, settings.plivo_auth_token
    if not (auth_id and token and settings.plivo_sender):
        return None
    provider = PlivoProvider(
        auth_id,
        token.get_secret_value(),
        sender=settings.plivo_sender,
        receipts_url=addresses.secret("plivo"),
        transport=open_transport(settings.plivo_base_url),
    )
    receipts = PlivoReceipts(token.get_secret_value(), token=addresses.token("plivo"))
    return Vendor(provider, receipts, secret_path=True)


def _infobip(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    key, base_url = settings.infobip_api_key, settings.infobip_base_url
    if not (key and base_url and settings.infobip_sender):
        return None
    provider = InfobipProvider(
        key.get_secret_value(),
        sender=settings.infobip_sender,
        receipts_url=addresses.secret("infobip"),
        transport=open_transport(base_url),
    )
    receipts = InfobipReceipts(token=addresses.token("infobip"))
    return Vendor(provider, receipts, secret_path=True)


def _messagebird(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    key, sender = settings.messagebird_access_key, settings.messagebird_sender
    if not (key and sender):
        return None
    provider = MessageBirdProvider(
        key.get_secret_value(),
        sender=sender,
        receipts_url=addresses.secret("messagebird"),
        transport=open_transport(settings.messagebird_base_url),
    )
    receipts = MessageBirdReceipts(token=addresses.token("messagebird"))
    return Vendor(provider, receipts, secret_path=True)


def _twilio_verify(
    settings: Settings,
    addresses: Addresses,  # noqa: ARG001 - Verify has no receipts
    open_transport: OpenTransport,
) -> Vendor | None:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if not (sid and token and settings.twilio_verify_service_sid):
        return None
    provider = TwilioVerifyProvider(
        sid,
        token.get_secret_value(),
        service_sid=settings.twilio_verify_service_sid,
        transport=open_transport(settings.twilio_verify_base_url),
    )
    return Vendor(provider)


def _whatsapp(
    settings: Settings,
    addresses: Addresses,  # noqa: ARG001 - the vendor's dashboard has it
    open_transport: OpenTransport,
) -> Vendor | None:
    token, secret = settings.whatsapp_access_token, settings.whatsapp_app_secret
    number, template = settings.whatsapp_phone_number_id, settings.whatsapp_template
    if not (token and secret and number and template):
        return None
    provider = WhatsAppProvider(
        token.get_secret_value(),
        number,
        template=template,
        languages=settings.whatsapp_languages,
        transport=open_transport(settings.whatsapp_base_url),
    )
    return Vendor(provider, WhatsAppReceipts(secret.get_secret_value()))


def _twilio_voice(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    if not (sid and token and settings.twilio_voice_number):
        return None
    provider = TwilioVoiceProvider(
        sid,
        token.get_secret_value(),
        caller=settings.twilio_voice_number,
        brand=settings.brand_name,
        status_callback=addresses.signed("twilio_voice"),
        transport=open_transport(settings.twilio_base_url),
    )
    return Vendor(provider, TwilioVoiceReceipts(token.get_secret_value()))


def _webhook(
    settings: Settings,
    addresses: Addresses,  # noqa: ARG001 - whoever runs the gateway has it
    open_transport: OpenTransport,
) -> Vendor | None:
    url, secret = settings.webhook_url, settings.webhook_secret
    if not (url and secret):
        return None
    key, clock = read_secret(secret.get_secret_value()), SystemClock()
    body, headers = settings.webhook_body, settings.webhook_headers
    provider = WebhookProvider(
        url,
        key=key,
        clock=clock,
        channels=settings.webhook_channels,
        countries=settings.webhook_countries or None,
        body=orjson.loads(body) if body else None,
        body_format=settings.webhook_format,
        headers=orjson.loads(headers) if headers else None,
        transport=open_transport(url),
    )
    return Vendor(provider, WebhookReceipts(key, clock=clock))


def _aws(
    settings: Settings, addresses: Addresses, open_transport: OpenTransport
) -> Vendor | None:
    key_id, key = settings.aws_sms_access_key_id, settings.aws_sms_secret_access_key
    region, sender = settings.aws_sms_region, settings.aws_sms_sender
    if not (key_id and key and region and sender):
        return None
    base_url = settings.aws_sms_base_url or f"https://sms-voice.{region}.amazonaws.com"
    provider = AwsProvider(
        key_id,
        key.get_secret_value(),
        region=region,
        sender=sender,
        configuration_set=settings.aws_sms_configuration_set,
        transport=open_transport(base_url),
        clock=SystemClock(),  # AWS compares a signature's time with its own.
    )
    return Vendor(provider, AwsReceipts(token=addresses.token("aws")), secret_path=True)


# In the order of preference where SMS_ROUTES says nothing.
_BUILDERS: tuple[Callable[[Settings, Addresses, OpenTransport], Vendor | None], ...] = (
    _twilio,
    _fast2sms,
    _msg91,
    _vonage,
    _plivo,
    _infobip,
    _messagebird,
    _aws,
    _twilio_verify,
    _webhook,
    _whatsapp,
    _twilio_voice,
)
