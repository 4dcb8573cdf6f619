"""WhatsApp under the contract."""

from services.sms.providers import whatsapp
from services.sms.providers.whatsapp import WhatsAppProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor
from tests.simulator.whatsapp import (
    DEFAULT_ACCESS_TOKEN,
    DEFAULT_LANGUAGES,
    DEFAULT_PHONE_NUMBER_ID,
    DEFAULT_TEMPLATE,
    WhatsApp,
)


def make(
    transport: Transport,
    *,
    access_token: str = DEFAULT_ACCESS_TOKEN,
    phone_number_id: str = DEFAULT_PHONE_NUMBER_ID,
) -> WhatsAppProvider:
    return WhatsAppProvider(
        access_token,
        phone_number_id,
        transport=transport,
        template=DEFAULT_TEMPLATE,
        languages=DEFAULT_LANGUAGES,
    )


VENDOR = Vendor(
    name="whatsapp",
    make=make,
    make_stranger=lambda transport: make(transport, access_token="wrong"),
    failures=whatsapp._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {
            "error": {
                "message": f"(#{code}) for 919876543210",
                "type": "OAuthException",
                "code": code,
                "error_data": {"details": "919876543210"},
            }
        },
    ),
    simulated=WhatsApp.error_codes,
    unknown_code=139999,
    base_path="/v23.0",
    channel="whatsapp",
)
