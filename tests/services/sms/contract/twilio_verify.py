"""Twilio Verify under the contract."""

from services.sms.providers import twilio_verify
from services.sms.providers.twilio_verify import TwilioVerifyProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.simulator import DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN
from tests.simulator.twilio_verify import DEFAULT_VERIFY_SERVICE, TwilioVerify


def make(
    transport: Transport, *, auth_token: str = DEFAULT_AUTH_TOKEN
) -> TwilioVerifyProvider:
    return TwilioVerifyProvider(
        DEFAULT_ACCOUNT_SID,
        auth_token,
        transport=transport,
        service_sid=DEFAULT_VERIFY_SERVICE,
    )


VENDOR = Vendor(
    name="twilio_verify",
    make=make,
    make_stranger=lambda transport: make(transport, auth_token="wrong"),
    failures=twilio_verify._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {"code": code, "message": "for +919876543210", "status": 400},
    ),
    simulated=TwilioVerify.error_codes,
    unknown_code=60999,
)
