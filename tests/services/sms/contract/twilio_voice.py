"""Twilio's calls under the contract."""

from services.sms.providers import twilio_voice
from services.sms.providers.twilio_voice import TwilioVoiceProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.twilio_voice import TwilioVoice

CALLER = "+15005550006"


def make(
    transport: Transport,
    *,
    auth_token: str = DEFAULT_AUTH_TOKEN,
    status_callback: str | None = None,
) -> TwilioVoiceProvider:
    return TwilioVoiceProvider(
        DEFAULT_ACCOUNT_SID,
        auth_token,
        transport=transport,
        caller=CALLER,
        brand="QuickCart",
        status_callback=status_callback,
    )


VENDOR = Vendor(
    name="twilio_voice",
    make=make,
    make_stranger=lambda transport: make(transport, auth_token="wrong"),
    failures=twilio_voice._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {"code": code, "message": "for +919876543210", "status": 400},
    ),
    simulated=TwilioVoice.error_codes,
    unknown_code=21999,
    channel="voice",
)
