"""Every vendor's settings, pointed at the simulator."""

from tests.backend.api import TWILIO_SENDER, vendors
from tests.simulator import (
    Simulator,
    aws,
    infobip,
    messagebird,
    msg91,
    plivo,
    twilio_verify,
    vonage,
    webhook,
    whatsapp,
)

# Each vendor of texts has a part of a country's numbers to itself.
_PARTS = {
    "fast2sms": "+91",
    "twilio": "+1201",
    "twilio_verify": "+1202",
    "msg91": "+1203",
    "vonage": "+1205",
    "plivo": "+1206",
    "infobip": "+1207",
    "messagebird": "+1208",
    "aws": "+1209",
    "webhook": "+1210",
}
TEXTING = tuple(_PARTS)
# Anybody else: Twilio first, then Vonage; Meta and Twilio's calls.
AMERICAN = "+12125557123"


def phone_of(vendor: str) -> str:
    """Return a number whose texts this vendor carries, and WhatsApp and calls too."""
    if vendor in {"whatsapp", "twilio_voice"}:
        return AMERICAN
    return "+919876543210" if vendor == "fast2sms" else f"{_PARTS[vendor]}5557123"


def every_vendor(simulator: Simulator) -> dict[str, str]:
    """Return what switches all of them on, and routes that lead to each."""
    parts = "; ".join(f"{prefix}: {vendor}" for vendor, prefix in _PARTS.items())
    return {
        **vendors(simulator),
        "ALLOWED_COUNTRIES": "IN, US",
        "VOICE_COUNTRIES": "US",
        "SMS_ROUTES": f"{parts}; *: twilio, vonage",
        "WHATSAPP_ROUTES": f"{_PARTS['webhook']}: webhook; *: whatsapp",
        "VOICE_ROUTES": f"{_PARTS['webhook']}: webhook; *: twilio_voice",
        "TWILIO_VERIFY_SERVICE_SID": twilio_verify.DEFAULT_VERIFY_SERVICE,
        "TWILIO_VERIFY_BASE_URL": simulator.url,
        "TWILIO_VOICE_NUMBER": TWILIO_SENDER,
        "MSG91_AUTH_KEY": msg91.DEFAULT_AUTH_KEY,
        "MSG91_TEMPLATE_ID": msg91.DEFAULT_TEMPLATE_ID,
        "MSG91_BASE_URL": simulator.url,
        "VONAGE_API_KEY": vonage.DEFAULT_API_KEY,
        "VONAGE_API_SECRET": vonage.DEFAULT_API_SECRET,
        "VONAGE_SENDER": TWILIO_SENDER,
        "VONAGE_SIGNATURE_SECRET": vonage.DEFAULT_SIGNATURE_SECRET,
        "VONAGE_BASE_URL": simulator.url,
        "VONAGE_API_BASE_URL": simulator.url,
        "PLIVO_AUTH_ID": plivo.DEFAULT_AUTH_ID,
        "PLIVO_AUTH_TOKEN": plivo.DEFAULT_AUTH_TOKEN,
        "PLIVO_SENDER": TWILIO_SENDER,
        "PLIVO_BASE_URL": simulator.url,
        "INFOBIP_API_KEY": infobip.DEFAULT_API_KEY,
        "INFOBIP_BASE_URL": simulator.url,
        "INFOBIP_SENDER": TWILIO_SENDER,
        "MESSAGEBIRD_ACCESS_KEY": messagebird.DEFAULT_ACCESS_KEY,
        "MESSAGEBIRD_SENDER": TWILIO_SENDER,
        "MESSAGEBIRD_BASE_URL": simulator.url,
        "AWS_SMS_REGION": aws.DEFAULT_REGION,
        "AWS_SMS_ACCESS_KEY_ID": aws.DEFAULT_ACCESS_KEY_ID,
        "AWS_SMS_SECRET_ACCESS_KEY": aws.DEFAULT_SECRET_ACCESS_KEY,
        "AWS_SMS_SENDER": "pool-0123456789abcdef",
        "AWS_SMS_BASE_URL": f"{simulator.url}/aws",
        "WHATSAPP_ACCESS_TOKEN": whatsapp.DEFAULT_ACCESS_TOKEN,
        "WHATSAPP_PHONE_NUMBER_ID": whatsapp.DEFAULT_PHONE_NUMBER_ID,
        "WHATSAPP_TEMPLATE": whatsapp.DEFAULT_TEMPLATE,
        "WHATSAPP_LANGUAGES": "en, hi, pt-BR",
        "WHATSAPP_APP_SECRET": whatsapp.DEFAULT_APP_SECRET,
        "WHATSAPP_BASE_URL": f"{simulator.url}/v23.0",
        "WEBHOOK_URL": f"{simulator.url}/gateway",
        "WEBHOOK_SECRET": webhook.DEFAULT_SECRET,
        "WEBHOOK_CHANNELS": "sms, whatsapp, voice",
        "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
    }
