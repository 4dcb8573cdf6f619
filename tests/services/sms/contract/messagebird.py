"""MessageBird under the contract."""

from services.sms.providers import messagebird
from services.sms.providers.messagebird import MessageBirdProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.messagebird import DEFAULT_ACCESS_KEY, MessageBird


def make(
    transport: Transport,
    *,
    access_key: str = DEFAULT_ACCESS_KEY,
    receipts_url: str | None = None,
) -> MessageBirdProvider:
    return MessageBirdProvider(
        access_key, sender="QuickCart", transport=transport, receipts_url=receipts_url
    )


VENDOR = Vendor(
    name="messagebird",
    make=make,
    make_stranger=lambda transport: make(transport, access_key="wrong"),
    failures=messagebird._FAILURES,
    word_error=lambda code: (
        "422 Unprocessable Entity",
        {"errors": [{"code": code, "description": "919876543210", "parameter": None}]},
    ),
    simulated=MessageBird.error_codes,
    unknown_code=999,
)
