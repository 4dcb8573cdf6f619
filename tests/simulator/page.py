"""The page at ``/``: the messages as the phones would show them."""

import base64
import hashlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from html import escape
from typing import Literal

from tests.simulator.inbox import Inbox, Message
from tests.simulator.receipts import Receipts
from tests.simulator.wire import Response

Channel = Literal["sms", "whatsapp", "voice"]

_MAX_MESSAGES = 300
_CHANNELS: dict[str, Channel] = {
    "sms": "sms",
    "whatsapp": "whatsapp",
    "voice": "voice",
    "call": "voice",
}
# Vendors whose every message is of one kind; others say it in a parameter, or are SMS.
_SINGLE: dict[str, Channel] = {"whatsapp": "whatsapp", "twilio_voice": "voice"}
_LABELS: dict[Channel, str] = {"sms": "SMS", "whatsapp": "WhatsApp", "voice": "Call"}

# Vendor and message id -> the state that the last receipt told.
_States = Mapping[tuple[str, str], str]

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 0; padding: 1rem; background: light-dark(#e9ebef, #15171b); }
h1 { font-size: 1.1rem; }
main { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
section { width: 19rem; max-height: 34rem; overflow-y: auto; padding: 1rem;
  border-radius: 1.6rem; border: 0.5rem solid light-dark(#2b2e35, #3c4049);
  background: light-dark(#fff, #1f2228); }
h2 { margin: 0 0 0.5rem; text-align: center; font-size: 1rem; }
article { margin: 0.6rem 0; padding: 0.5rem 0.75rem; border-radius: 0.9rem;
  background: light-dark(#e8e8ed, #33373f); overflow-wrap: anywhere; }
article p { margin: 0; white-space: pre-wrap; }
article footer { margin-top: 0.25rem; font-size: 0.75rem; opacity: 0.75; }
.whatsapp { background: light-dark(#d9fdd3, #144d37); border-bottom-left-radius: 0; }
.voice { background: light-dark(#dbe8ff, #24365c); border-radius: 0.3rem;
  border-left: 0.3rem solid #3b82f6; }
.absent { background: none; border: 1px dashed #a33; }
.absent p { text-decoration: line-through; opacity: 0.6; }
"""
_SCRIPT = """
setInterval(async () => {
  try {
    const text = await (await fetch(location.href)).text();
    const fresh = new DOMParser().parseFromString(text, "text/html");
    document.querySelector("main").replaceWith(fresh.querySelector("main"));
  } catch {}
}, 2000);
"""


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# Should ever a text get past the escaping, it can neither run nor load anything.
_POLICY = (
    "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none';"
    f" style-src 'sha256-{_digest(_STYLE)}'; script-src 'sha256-{_digest(_SCRIPT)}'"
)


def show_phones(inbox: Inbox, receipts: Receipts) -> Response:
    """Write the page: the newest messages, one phone per number."""
    phones: defaultdict[str, list[Message]] = defaultdict(list)
    for message in reversed(inbox.newest(_MAX_MESSAGES)):
        phones[message.to].append(message)
    states = {(it.provider, it.message_id): it.state for it in receipts.find()}
    body = "".join(
        _phone(number, reversed(messages), states)
        for number, messages in phones.items()
    )
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<noscript><meta http-equiv="refresh" content="5"></noscript>'
        f"<title>Phones</title><style>{_STYLE}</style></head><body>"
        f"<h1>Phones</h1><main>{body or '<p>No messages yet.</p>'}</main>"
        f"<script>{_SCRIPT}</script></body></html>\n"
    )
    return Response(
        200,
        page.encode(),
        "text/html; charset=utf-8",
        (("Content-Security-Policy", _POLICY), ("Cache-Control", "no-store")),
    )


def _phone(number: str, messages: Iterable[Message], states: _States) -> str:
    bubbles = "".join(_bubble(message, states) for message in messages)
    return f"<section><h2>{escape(number) or 'No number'}</h2>{bubbles}</section>"


def _bubble(message: Message, states: _States) -> str:
    channel = _channel_of(message)
    kind = channel if message.reached_phone else f"{channel} absent"
    moment = time.gmtime(message.received_at)
    clock = f"{time.strftime('%H:%M:%S', moment)} UTC"
    notes = (_LABELS[channel], message.provider, clock, _status_of(message, states))
    return (
        f'<article class="{kind}"><p>{escape(message.text)}</p>'
        f"<footer>{escape(' · '.join(notes))}</footer></article>"
    )


def _channel_of(message: Message) -> Channel:
    single = _SINGLE.get(message.provider)
    if single is not None:
        return single
    asked = message.params.get("channel") or message.params.get("Channel") or "sms"
    return _CHANNELS.get(asked, "sms")


def _status_of(message: Message, states: _States) -> str:
    """Say what the vendor said last: in a receipt, or when it was asked."""
    if message.outcome != "accepted":
        code = "" if message.code is None else f" ({message.code})"
        return f"{message.outcome}{code}"
    said = states.get((message.provider, message.id or ""), "accepted")
    return said if message.reached_phone else f"{said}, never arrived"
