"""MSG91 under the contract."""

from services.sms.provider import Provider
from services.sms.providers import msg91
from services.sms.providers.msg91 import Api, Msg91Provider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor, Wording
from tests.simulator.inbox import Code
from tests.simulator.msg91 import DEFAULT_AUTH_KEY, DEFAULT_TEMPLATE_ID, Msg91


def make(
    transport: Transport, *, auth_key: str = DEFAULT_AUTH_KEY, api: Api = "otp"
) -> Provider:
    return Msg91Provider(
        auth_key, template_id=DEFAULT_TEMPLATE_ID, transport=transport, api=api
    )


def word_error(code: Code) -> Wording:
    return "200 OK", {"type": "error", "message": "+919876543210", "code": str(code)}


VENDOR = Vendor(
    name="msg91",
    make=make,
    make_stranger=lambda transport: make(transport, auth_key="wrong"),
    failures=msg91._FAILURES,
    word_error=word_error,
    simulated=Msg91.error_codes,
    unknown_code=9999,
)
