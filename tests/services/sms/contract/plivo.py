"""Plivo under the contract."""

from services.sms.provider import Provider
from services.sms.providers import plivo
from services.sms.providers.plivo import PlivoProvider
from services.sms.transport import Transport
from tests.services.sms.contract.vendor import Vendor, Wording
from tests.simulator.inbox import Code
from tests.simulator.plivo import DEFAULT_AUTH_ID, DEFAULT_AUTH_TOKEN, Plivo


def make(
    transport: Transport,
    *,
    auth_token: str = DEFAULT_AUTH_TOKEN,
    receipts_url: str | None = None,
) -> Provider:
    return PlivoProvider(
        DEFAULT_AUTH_ID,
        auth_token,
        sender="QuickCart",
        transport=transport,
        receipts_url=receipts_url,
    )


def word_error(code: Code) -> Wording:
    status = str(code).removeprefix("http_")
    return f"{status} No", {"api_id": "1", "error": "for +919876543210"}


VENDOR = Vendor(
    name="plivo",
    make=make,
    make_stranger=lambda transport: make(transport, auth_token="wrong"),
    # Plivo has no codes: the status stands for one.
    failures={f"http_{status}": it for status, it in plivo._FAILURES.items()},
    word_error=word_error,
    simulated=Plivo.error_codes,
)
