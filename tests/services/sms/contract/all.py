"""Every vendor that is under the contract."""

from tests.services.sms.contract import (
    aws,
    fast2sms,
    infobip,
    messagebird,
    msg91,
    plivo,
    twilio,
    twilio_verify,
    twilio_voice,
    vonage,
    webhook,
    whatsapp,
)

VENDORS = [
    twilio.VENDOR,
    fast2sms.VENDOR,
    msg91.VENDOR,
    vonage.VENDOR,
    plivo.VENDOR,
    infobip.VENDOR,
    messagebird.VENDOR,
    aws.VENDOR,
    twilio_verify.VENDOR,
    webhook.VENDOR,
    whatsapp.VENDOR,
    twilio_voice.VENDOR,
]
