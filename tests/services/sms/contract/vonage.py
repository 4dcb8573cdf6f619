"""Vonage under the contract."""

from services.sms.providers import vonage
from services.sms.providers.vonage import VonageProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor, Wording
from tests.services.sms.posting import CLOCK
from tests.simulator.inbox import Code
from tests.simulator.vonage import DEFAULT_API_KEY, DEFAULT_API_SECRET, Vonage
from utils.clock import Clock


def make(
    transport: Transport,
    *,
    api_secret: str = DEFAULT_API_SECRET,
    receipts_url: str | None = None,
    clock: Clock = CLOCK,
) -> VonageProvider:
    return VonageProvider(
        DEFAULT_API_KEY,
        api_secret,
        sender="QuickCart",
        transport=transport,
        conversion_base_url=transport.base_url,
        clock=clock,
        receipts_url=receipts_url,
    )


def word_error(code: Code) -> Wording:
    part = {"status": str(code), "error-text": "for +919876543210", "to": "9876543210"}
    return "200 OK", {"message-count": "1", "messages": [part]}


VENDOR = Vendor(
    name="vonage",
    make=make,
    make_stranger=lambda transport: make(transport, api_secret="wrong"),
    failures=vonage._FAILURES,
    word_error=word_error,
    simulated=Vonage.error_codes,
    unknown_code=9999,
)
