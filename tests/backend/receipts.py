"""Receipts as vendors write them, posted to the service by hand."""

import hmac
import time
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from tests.backend.api import Answer, Api
from tests.backend.every_vendor import TEXTING, phone_of
from tests.simulator.aws import Aws
from tests.simulator.fast2sms import Fast2Sms
from tests.simulator.inbox import Code, Message
from tests.simulator.infobip import Infobip
from tests.simulator.messagebird import MessageBird
from tests.simulator.msg91 import Msg91
from tests.simulator.plivo import DEFAULT_AUTH_ID, Plivo
from tests.simulator.simulator import (
    DEFAULT_ACCOUNT_SID,
    DEFAULT_AUTH_TOKEN,
    DEFAULT_FAST2SMS_KEY,
)
from tests.simulator.twilio import Twilio
from tests.simulator.twilio_account import TwilioAccount
from tests.simulator.twilio_voice import TwilioVoice
from tests.simulator.vendor import ReceiptCall, State, Vendor
from tests.simulator.vonage import DEFAULT_SIGNATURE_SECRET, Vonage
from tests.simulator.webhook import Webhook
from tests.simulator.whatsapp import DEFAULT_APP_SECRET, WhatsApp

PUBLIC = "https://auth.shop.example"

_NONCE = "12345678901234567890"

# Those that sign, with our secret and with another.
_SIGNING: Mapping[str, tuple[Vendor, Vendor]] = {
    "twilio": (
        Twilio(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN),
        Twilio(DEFAULT_ACCOUNT_SID, "another"),
    ),
    "twilio_voice": (
        TwilioVoice(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN),
        TwilioVoice(DEFAULT_ACCOUNT_SID, "another"),
    ),
    "vonage": (Vonage(), Vonage(signature_secret="another")),
    "plivo": (Plivo(), Plivo(DEFAULT_AUTH_ID, "another")),
    "whatsapp": (WhatsApp(), WhatsApp(app_secret="another")),
    "webhook": (Webhook(), Webhook("whsec_YW5vdGhlciBzZWNyZXQgb2Ygb3VyIG93bg==")),
}
# Those whose path is the secret.
_TRUSTING: Mapping[str, Vendor] = {
    "fast2sms": Fast2Sms(DEFAULT_FAST2SMS_KEY),
    "msg91": Msg91(),
    "infobip": Infobip(),
    "messagebird": MessageBird(),
    "aws": Aws(),
}
SIGNING, TRUSTING = tuple(_SIGNING), tuple(_TRUSTING)
REPORTING = (*SIGNING, *TRUSTING)


def send_by(api: Api, vendor: str) -> str:
    """Have a code sent by one vendor; return the verification's id."""
    phone = phone_of(vendor)
    if vendor == "whatsapp":
        verification = api.start(phone, channel="whatsapp")
    elif vendor == "twilio_voice":
        # A call needs a text before it, and a minute.
        text = api.start(phone)
        api.clock.advance(60)
        verification = api.start(phone, channel="voice", verification_id=text)
    else:
        assert vendor in TEXTING
        verification = api.start(phone)
    api.settle()
    assert last_message(api, vendor).provider == vendor
    return verification


def last_message(api: Api, vendor: str) -> Message:
    return api.simulator.messages(to=phone_of(vendor))[-1]


def address_of(api: Api, vendor: str) -> str:
    """Return where a vendor posts: where it was asked to, or what was pasted there."""
    addresses = api.services.addresses
    pasted = addresses.signed if vendor in SIGNING else addresses.secret
    asked = None
    if api.simulator.messages(to=phone_of(vendor)):
        asked = last_message(api, vendor).receipts_url
    return asked or pasted(vendor) or ""


def write(
    api: Api, vendor: str, state: State = "delivered", code: Code | None = None
) -> ReceiptCall:
    """Write what a vendor says of its last message."""
    writer = _TRUSTING[vendor] if vendor in TRUSTING else _SIGNING[vendor][0]
    message, url = last_message(api, vendor), address_of(api, vendor)
    call = writer.receipt(message, state, code, url)
    assert call is not None
    return call


def forge(api: Api, vendor: str) -> ReceiptCall:
    """Write the same without knowing the secret: signed with another, or in no path."""
    message, url = last_message(api, vendor), address_of(api, vendor)
    if vendor in TRUSTING:
        wrong = f"{url.rsplit('/', 1)[0]}/{'A' * 22}"
        call = _TRUSTING[vendor].receipt(message, "delivered", None, wrong)
    else:
        call = _SIGNING[vendor][1].receipt(message, "delivered", None, url)
    assert call is not None
    return call


def sign(api: Api, vendor: str, body: bytes) -> ReceiptCall:
    """Have a vendor that signs bodies, or trusts its path, post any body."""
    url, kind = address_of(api, vendor), ("Content-Type", "application/json")
    headers: tuple[tuple[str, str], ...] = ()
    if vendor == "whatsapp":
        digest = hmac.digest(DEFAULT_APP_SECRET.encode(), body, "sha256").hex()
        headers = (("X-Hub-Signature-256", f"sha256={digest}"),)
    elif vendor == "webhook":
        now = str(int(time.time()))
        headers = (
            ("webhook-id", "rcp_1"),
            ("webhook-timestamp", now),
            ("webhook-signature", f"v1,{Webhook()._sign('rcp_1', now, body)}"),
        )
    else:
        assert vendor in TRUSTING
    return ReceiptCall("POST", url, body, (kind, *headers))


def sign_fields(api: Api, vendor: str, fields: Mapping[str, str]) -> ReceiptCall:
    """Have a vendor that signs fields post any of them, as a form."""
    url, kind = address_of(api, vendor), "application/x-www-form-urlencoded"
    if vendor in {"twilio", "twilio_voice"}:
        account = TwilioAccount(DEFAULT_ACCOUNT_SID, DEFAULT_AUTH_TOKEN)
        return account.call_back(url, fields)
    headers = [("Content-Type", kind)]
    if vendor == "plivo":
        signature = Plivo().sign_v3(url, fields, _NONCE)
        headers.append(("X-Plivo-Signature-V3", signature))
        headers.append(("X-Plivo-Signature-V3-Nonce", _NONCE))
    else:
        assert vendor == "vonage"
        unsigned = {name: it for name, it in fields.items() if name != "sig"}
        signature = Vonage()._sign(unsigned, DEFAULT_SIGNATURE_SECRET)
        fields = {**unsigned, "sig": signature}
    return ReceiptCall("POST", url, urlencode(fields).encode(), tuple(headers))


def post(api: Api, call: ReceiptCall) -> Answer:
    """Bring a receipt to the service, as a proxy before it would."""
    parts = urlsplit(call.url.removeprefix(api.settings.public_base_url or ""))
    return api.call(
        call.method,
        parts.path,
        query_string=parts.query,
        data=call.body,
        headers=dict(call.headers),
    )


def counted(api: Api) -> dict[str, int]:
    """Count the receipts by what became of them."""
    metric = "sms_receipts_total"
    found: dict[str, int] = {}
    for family in api.telemetry.metrics.registry.collect():
        for sample in family.samples:
            if sample.name == metric and sample.value:
                outcome = sample.labels["outcome"]
                found[outcome] = found.get(outcome, 0) + int(sample.value)
    return found
