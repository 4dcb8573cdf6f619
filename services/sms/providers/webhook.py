"""Any gateway that takes a webhook: what it is sent is a matter of configuration.

The words are ours, described in docs/providers.md; requests and receipts are signed as
Standard Webhooks says.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

from services.sms.documents import dig, dig_text, read_object
from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    CONTENT,
    FRAUD,
    OPTED_OUT,
    RECIPIENT,
    TRANSIENT_COUNTRY,
    error_for,
    error_for_status,
    read_word,
)
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.receipts import Callback, DeliveryStatus, Receipt, with_price
from services.sms.standard_webhooks import check_signature
from services.sms.transport import Body, Reply, Transport, form_body, json_body
from services.standard_webhooks import sign_headers
from utils.clock import Clock

BodyFormat = Literal["json", "form"]

# What a gateway may give as ``class``, in its answer and in a receipt.
_FAILURES: Mapping[str, Failure] = {
    "recipient": RECIPIENT,  # this number never gets one on this channel
    "absent": ABSENT,  # off or out of reach for now
    "opted_out": OPTED_OUT,  # answered STOP
    "fraud": FRAUD,  # we are not to try elsewhere either
    "account": ACCOUNT,  # no credit, not allowed: nobody gets one from here
    "content": CONTENT,  # text, sender or template not accepted there
    "transient": TRANSIENT_COUNTRY,  # not this one, not now
}

_STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "undelivered",
    "unknown": "unknown",
}

# What a body of the operator's own may hold in its texts.
PLACEHOLDERS: Mapping[str, Callable[[Message], str]] = {
    "id": lambda message: message.reference,
    "to": lambda message: message.phone.e164,
    "national": lambda message: message.phone.national,
    "country": lambda message: message.phone.region,
    "channel": lambda message: message.channel,
    "locale": lambda message: message.locale,
    "sender": lambda message: message.sender or "",
    "text": lambda message: message.text,
    "code": lambda message: message.code,
    "ttl_seconds": lambda message: str(message.ttl_seconds),
    "dlt_entity_id": lambda message: message.dlt.entity_id if message.dlt else "",
    "dlt_template_id": lambda message: message.dlt.template_id if message.dlt else "",
}
# Others stay as they stand; the settings are refused with one.
_PLACEHOLDER = re.compile(rf"\{{({'|'.join(PLACEHOLDERS)})\}}")

# The standard body where a form is wanted, which cannot hold an object.
_STANDARD_FORM: Mapping[str, str] = {
    "id": "{id}",
    "to": "{to}",
    "country": "{country}",
    "channel": "{channel}",
    "locale": "{locale}",
    "dlt_entity_id": "{dlt_entity_id}",
    "dlt_template_id": "{dlt_template_id}",
    "body": "{text}",
    "code": "{code}",
    "expires_in": "{ttl_seconds}",
    "sender": "{sender}",
}


# A 4xx that is not about the message.
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class WebhookProvider:
    """Posts to ``url``, exactly as it stands there.

    ``body`` replaces the standard one: each text in it may hold placeholders. A form
    takes texts and numbers only. ``headers`` go with every request.
    """

    name = "webhook"
    status = "accepted"

    def __init__(
        self,
        url: str,
        *,
        key: bytes,
        transport: Transport,
        clock: Clock,
        channels: Collection[Channel] = frozenset({"sms"}),
        countries: Collection[str] | None = None,
        body: Mapping[str, Any] | None = None,
        body_format: BodyFormat = "json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.channels = frozenset(channels)
        self.countries = None if countries is None else frozenset(countries)
        self._url = url
        self._key = key
        self._transport = transport
        self._clock = clock
        self._form = body_format == "form"
        self._body = _STANDARD_FORM if body is None and self._form else body
        self._headers = headers or {}

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        body = self._write(message)
        signature = sign_headers(
            self._key,
            message_id=message.reference,
            now=self._clock.now(),
            body=body.content,
        )
        reply = self._transport.post(
            self._url, body, headers={**self._headers, **signature}, deadline=deadline
        )
        return _read(reply, message.reference)

    def _write(self, message: Message) -> Body:
        if self._body is None:
            return json_body(_standard(message))
        filled = _fill(self._body, message)
        if self._form:
            return form_body({name: str(value) for name, value in filled.items()})
        return json_body(filled)


def _standard(message: Message) -> dict[str, Any]:
    dlt = message.dlt
    return {
        "id": message.reference,
        "to": message.phone.e164,
        "country": message.phone.region,
        "channel": message.channel,
        "locale": message.locale,
        "dlt": dlt and {"entity_id": dlt.entity_id, "template_id": dlt.template_id},
        "body": message.text,
        "code": message.code,
        "expires_in": message.ttl_seconds,
        "sender": message.sender,
    }


def _fill(document: Any, message: Message) -> Any:
    """Put the values in, once: a value that looks like a placeholder stays."""
    if isinstance(document, Mapping):
        return {name: _fill(it, message) for name, it in document.items()}
    if isinstance(document, list):
        return [_fill(it, message) for it in document]
    if isinstance(document, str):
        return _PLACEHOLDER.sub(lambda it: PLACEHOLDERS[it[1]](message), document)
    return document


def _read(reply: Reply, reference: str) -> Accepted:
    answer = read_object(reply.body)
    accepted = HTTPStatus.OK <= reply.status < HTTPStatus.MULTIPLE_CHOICES
    # Of its own state a server says more by its status than a class could.
    refused = (
        HTTPStatus.BAD_REQUEST <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR
        and reply.status not in _BUSY
    )
    word = read_word(dig(answer, "class")) if accepted or refused else None
    known = _FAILURES.get(word or "")
    if known is not None:
        # A no under a 2xx is a no.
        raise error_for(known, str(word))
    if accepted:
        return Accepted(_read_id(answer) or reference)
    raise error_for_status(reply.status, word)


def _read_id(document: object) -> str:
    """Read ``message_id``, which many gateways count up; "" where there is none."""
    value = dig(document, "message_id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return dig_text(document, "message_id")


class WebhookReceipts:
    """Reads receipts that a gateway signs with the same secret.

    ``message_id`` is the gateway's where it gave one, and ours where it did not.
    """

    def __init__(self, key: bytes, *, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what the gateway says; see ``ReceiptReader.read``."""
        check_signature(
            self._key, callback.headers, callback.body, now=self._clock.now()
        )
        document = read_object(callback.body)
        message_id = _read_id(document)
        if not message_id:
            return ()
        price = dig(document, "price")
        currency = dig_text(document, "currency")
        return (with_price(_read_receipt(message_id, document), price, currency),)


def _read_receipt(message_id: str, document: dict[str, Any]) -> Receipt:
    status = _STATUSES.get(dig_text(document, "status"), "unknown")
    if status != "undelivered":
        return Receipt(message_id, status)
    word = read_word(dig(document, "class")) or "undelivered"
    failure = _FAILURES.get(word, TRANSIENT_COUNTRY)
    return Receipt(message_id, status, failure, word)
