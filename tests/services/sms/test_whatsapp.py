"""WhatsApp alone: its template, its languages, its webhooks and their signature."""

import hmac
import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest

from services.sms import failures
from services.sms.provider import Reason, Scope
from services.sms.providers import whatsapp
from services.sms.providers.whatsapp import (
    WhatsAppProvider,
    WhatsAppReceipts,
    answer_challenge,
)
from services.sms.receipts import Callback, Receipt
from tests.services.sms.callbacks import assert_refused, callback_of
from tests.services.sms.contract.vendor import NOWHERE, failure_of, send
from tests.services.sms.contract.whatsapp import make
from tests.services.sms.fakes import message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import http, serving
from tests.simulator import Simulator
from tests.simulator.inbox import Code
from tests.simulator.vendor import State
from tests.simulator.whatsapp import DEFAULT_APP_SECRET, WhatsApp

SECRET = "app-secret"
URL = "https://auth.example/api/webhooks/whatsapp"


def signed(body: bytes, *, secret: str = SECRET) -> Callback:
    digest = hmac.new(secret.encode(), body, "sha256").hexdigest()
    headers = {"x-hub-signature-256": f"sha256={digest}"}
    return Callback("POST", URL, "", headers, body)


def read(document: object) -> list[Receipt]:
    return [*WhatsAppReceipts(SECRET).read(signed(json.dumps(document).encode()))]


def read_statuses(*statuses: object) -> list[Receipt]:
    value = {"messaging_product": "whatsapp", "statuses": [*statuses], "new": {}}
    return read({"object": "x", "entry": [{"changes": [{"value": value}]}]})


def test_whatsapp_gets_the_code_in_the_text_and_on_the_button() -> None:
    answer = http(b'{"messages": [{"id": "wamid.1", "message_status": "accepted"}]}')
    with serving(answer) as server:
        provider = make(make_transport(server.url, wait_seconds=5.0))
        assert send(provider) == "wamid.1"

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    code = [{"type": "text", "text": "123456"}]
    assert head.startswith(b"POST /106540352242922/messages ")
    assert b"Authorization: Bearer simulator-whatsapp-token" in head
    assert json.loads(body) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "919876543210",
        "type": "template",
        "template": {
            "name": "otp_login",
            "language": {"code": "en"},
            "components": [
                {"type": "body", "parameters": code},
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "0",
                    "parameters": code,
                },
            ],
        },
    }


@pytest.mark.parametrize(
    ("locale", "language"),
    [("hi", "hi"), ("hi-IN", "hi"), ("pt", "pt_BR"), ("pt-BR", "pt_BR"), ("de", "en")],
)
def test_the_nearest_approved_language_is_used_or_else_the_first(
    simulator: Simulator, locale: str, language: str
) -> None:
    provider = make(make_transport(f"{simulator.url}/v23.0"))
    provider.send(replace(message_to(), locale=locale), CLOCK.monotonic() + 5.0)

    (message,) = simulator.messages()
    assert message.params["language"] == language
    assert message.outcome == "accepted"


def test_a_language_is_written_as_meta_writes_it(simulator: Simulator) -> None:
    provider = WhatsAppProvider(
        "simulator-whatsapp-token",
        "106540352242922",
        transport=make_transport(f"{simulator.url}/v23.0"),
        template="otp_login",
        languages=("pt-BR",),
    )
    send(provider)

    assert simulator.messages()[0].params["language"] == "pt_BR"


def test_a_template_without_a_language_is_refused() -> None:
    with pytest.raises(ValueError, match="language"):
        WhatsAppProvider(
            "t", "1", transport=make_transport(NOWHERE), template="x", languages=()
        )


def test_a_wrong_phone_number_id_is_an_account_error(simulator: Simulator) -> None:
    provider = make(make_transport(f"{simulator.url}/v23.0"), phone_number_id="99")

    failure = failure_of(provider)

    assert (failure.reason, failure.scope) == (Reason.ACCOUNT, Scope.PROVIDER)
    assert failure.vendor_code == "33"


def test_who_is_not_on_whatsapp_cannot_be_reached_there(simulator: Simulator) -> None:
    simulator.add_rule("error", provider="whatsapp", code=131026)

    failure = failure_of(make(make_transport(f"{simulator.url}/v23.0")))

    assert failure.reason is Reason.RECIPIENT


# Receipts


def test_a_webhook_is_read_only_with_the_signature_of_its_body() -> None:
    body = b'{"entry": []}'
    reader = WhatsAppReceipts("key")
    # RFC 2104 by OpenSSL: printf '{"entry": []}' | openssl dgst -sha256 -hmac key
    digest = "e5f565b10fe35b03ab4cf3de7375c6cb8878071e7ea383fe30dcda110db60ee1"
    good = Callback("POST", URL, "", {"x-hub-signature-256": f"sha256={digest}"}, body)

    assert reader.read(good) == []
    for headers in ({}, {"x-hub-signature-256": digest}, {"x-hub-signature-256": "é"}):
        assert_refused(reader, replace(good, headers=headers))
    assert_refused(reader, replace(good, body=body + b" "))
    assert_refused(WhatsAppReceipts("another"), good)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("sent", "sent"),
        ("delivered", "delivered"),
        ("read", "delivered"),
        ("deleted", "unknown"),
        (5, "unknown"),
    ],
)
def test_meta_says_how_far_a_message_came(word: object, status: str) -> None:
    (receipt,) = read_statuses({"id": "wamid.1", "status": word, "new": 1})

    assert receipt == Receipt("wamid.1", status)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", whatsapp._FAILURES)
def test_meta_says_why_a_message_did_not_arrive(code: int) -> None:
    errors = [{"code": code, "title": "for 919876543210"}]
    (receipt,) = read_statuses({"id": "wamid.1", "status": "failed", "errors": errors})

    assert receipt == Receipt(
        "wamid.1", "undelivered", whatsapp._FAILURES[code], str(code)
    )


@pytest.mark.parametrize(
    ("errors", "vendor_code"),
    [([{"code": 139999}], "139999"), ([], "failed"), (None, "failed"), ([5], "failed")],
)
def test_a_failure_that_nobody_knows_is_the_routes(
    errors: object, vendor_code: str
) -> None:
    (receipt,) = read_statuses({"id": "wamid.1", "status": "failed", "errors": errors})

    assert receipt.failure is failures.TRANSIENT_COUNTRY
    assert receipt.vendor_code == vendor_code


def test_one_webhook_may_hold_several_messages() -> None:
    receipts = read_statuses(
        {"id": "wamid.1", "status": "sent"}, {"id": "wamid.2", "status": "delivered"}
    )

    assert [it.message_id for it in receipts] == ["wamid.1", "wamid.2"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"entry": 5},
        {"entry": [5, {"changes": "x"}, {"changes": [None, {"value": []}]}]},
        {"entry": [{"changes": [{"value": {"messages": [{"text": "hello"}]}}]}]},
        {"entry": [{"changes": [{"value": {"statuses": [5, {}, {"id": 5}]}}]}]},
    ],
)
def test_what_is_not_about_a_delivery_is_no_receipt(document: object) -> None:
    assert read(document) == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 9999])
def test_a_body_that_cannot_be_read_is_no_receipt(body: bytes) -> None:
    assert WhatsAppReceipts(SECRET).read(signed(body)) == []


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("sent", None),
        ("delivered", None),
        ("undelivered", None),
        *(("undelivered", code) for code in WhatsApp.receipt_codes),
    ],
)
def test_a_receipt_of_the_simulator_is_read(
    simulator: Simulator, state: State, code: Code | None
) -> None:
    message_id = send(make(make_transport(f"{simulator.url}/v23.0")))
    (message,) = simulator.messages()
    call = WhatsApp().receipt(message, state, code, URL)

    (receipt,) = WhatsAppReceipts(DEFAULT_APP_SECRET).read(callback_of(call))

    assert (receipt.message_id, receipt.status) == (message_id, state)
    if state == "undelivered":
        assert receipt.vendor_code == str(code or 131026)
    assert_refused(WhatsAppReceipts("another"), callback_of(call))


# The challenge


def challenge(**changes: str) -> str:
    asked: dict[str, Any] = {
        "hub.mode": "subscribe",
        "hub.verify_token": "secret",
        "hub.challenge": "1158201444",
    }
    asked |= {f"hub.{name}": value for name, value in changes.items()}
    return urlencode(asked)


def test_metas_challenge_is_answered() -> None:
    assert answer_challenge(challenge(), "secret") == "1158201444"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "hub.mode=subscribe",
        challenge(verify_token="wrong"),
        challenge(verify_token=""),
        challenge(mode="unsubscribe"),
        challenge(challenge=""),
        challenge(challenge="<script>"),
        challenge(challenge="1" * 101),
        challenge(challenge="１"),
    ],
)
def test_a_strangers_challenge_is_not_answered(query: str) -> None:
    assert answer_challenge(query, "secret") is None


def test_without_a_token_no_challenge_is_answered() -> None:
    assert answer_challenge(challenge(verify_token=""), "") is None
