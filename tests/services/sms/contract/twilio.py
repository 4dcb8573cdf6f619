"""Twilio's messages under the contract."""

from services.sms.providers import twilio
from services.sms.providers.twilio import TwilioProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.twilio import Twilio

SENDER = "+15005550006"


def make(
    transport: Transport,
    *,
    auth_token: str = DEFAULT_AUTH_TOKEN,
    status_callback: str | None = None,
) -> TwilioProvider:
    return TwilioProvider(
        DEFAULT_ACCOUNT_SID,
        auth_token,
        transport=transport,
        sender=SENDER,
        status_callback=status_callback,
    )


VENDOR = Vendor(
    name="twilio",
    make=make,
    make_stranger=lambda transport: make(transport, auth_token="wrong"),
    failures=twilio._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {"code": code, "message": "for +919876543210", "status": 400},
    ),
    simulated=Twilio.error_codes,
    unknown_code=20999,
)
