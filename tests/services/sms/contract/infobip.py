"""Infobip under the contract."""

from services.sms.providers import infobip
from services.sms.providers.infobip import InfobipProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor, Wording
from tests.simulator.inbox import Code
from tests.simulator.infobip import DEFAULT_API_KEY, Infobip


def make(
    transport: Transport,
    *,
    api_key: str = DEFAULT_API_KEY,
    receipts_url: str | None = None,
) -> InfobipProvider:
    return InfobipProvider(
        api_key, sender="QuickCart", transport=transport, receipts_url=receipts_url
    )


def word_error(code: Code) -> Wording:
    if isinstance(code, str):
        exception = {"messageId": code, "text": "for +919876543210"}
        return "400 Bad Request", {"requestError": {"serviceException": exception}}
    status = {"groupId": 5, "groupName": "REJECTED", "id": code, "name": "919876543210"}
    message = {"messageId": "1", "destination": "919876543210", "status": status}
    return "200 OK", {"bulkId": "1", "messages": [message]}


VENDOR = Vendor(
    name="infobip",
    make=make,
    make_stranger=lambda transport: make(transport, api_key="wrong"),
    failures=infobip._FAILURES,
    word_error=word_error,
    simulated=Infobip.error_codes,
    unknown_code=9999,
)
