"""The webhook under the contract."""

from collections.abc import Mapping
from typing import Any

from services.sms.provider import Provider
from services.sms.providers import webhook
from services.sms.providers.webhook import BodyFormat, WebhookProvider
from services.sms.transport import Transport
from services.standard_webhooks import read_secret
from tests.services.sms.contract.vendor import Vendor
from tests.services.sms.posting import CLOCK
from tests.simulator.webhook import DEFAULT_SECRET, Webhook

OTHER_SECRET = "whsec_" + "A" * 32


def make(
    transport: Transport,
    *,
    secret: str = DEFAULT_SECRET,
    body: Mapping[str, Any] | None = None,
    body_format: BodyFormat = "json",
    headers: Mapping[str, str] | None = None,
) -> Provider:
    return WebhookProvider(
        transport.base_url,
        key=read_secret(secret),
        transport=transport,
        clock=CLOCK,
        body=body,
        body_format=body_format,
        headers=headers,
    )


VENDOR = Vendor(
    name="webhook",
    make=make,
    make_stranger=lambda transport: make(transport, secret=OTHER_SECRET),
    failures=webhook._FAILURES,
    word_error=lambda code: (
        "400 Bad Request",
        {"class": code, "error": "for +919876543210"},
    ),
    simulated=Webhook.error_codes,
    unknown_code="unheard_of",
    base_path="/gateway",
    any_yes=True,
)
