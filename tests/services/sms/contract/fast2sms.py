"""Fast2SMS under the contract."""

from services.sms.provider import Provider
from services.sms.providers import fast2sms
from services.sms.providers.fast2sms import Fast2SmsProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.fast2sms import Fast2Sms
from tests.simulator.simulator import DEFAULT_FAST2SMS_KEY


def make(transport: Transport, *, api_key: str = DEFAULT_FAST2SMS_KEY) -> Provider:
    return Fast2SmsProvider(api_key, transport=transport)


VENDOR = Vendor(
    name="fast2sms",
    make=make,
    make_stranger=lambda transport: make(transport, api_key="wrong"),
    failures=fast2sms._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {"return": False, "status_code": code, "message": ["+919876543210"]},
    ),
    simulated=Fast2Sms.error_codes,
    unknown_code=20999,
)
