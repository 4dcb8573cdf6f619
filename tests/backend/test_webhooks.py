"""Receipts over HTTP: who is believed, what changes, and what is kept of them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import redis

from backend.errors import PROBLEM_TYPE
from tests.backend.api import Answer, Api, assert_problem
from tests.backend.conftest import MakeApi
from tests.backend.every_vendor import every_vendor, phone_of
from tests.backend.receipts import (
    PUBLIC,
    REPORTING,
    SIGNING,
    TRUSTING,
    address_of,
    counted,
    forge,
    last_message,
    post,
    send_by,
    sign,
    write,
)
from tests.redis_server import free_port
from tests.simulator import Simulator
from tests.simulator.vendor import ReceiptCall
from tests.simulator.vonage import Vonage

Dump = Callable[[], dict[str, Any]]


@pytest.fixture
def make(make_api: MakeApi, simulator: Simulator) -> MakeApi:
    """Build the service with every vendor, whose receipts come by hand alone."""
    simulator.add_rule("receipt_missing")
    settings = {**every_vendor(simulator), "PUBLIC_BASE_URL": PUBLIC}
    return lambda **changes: make_api(**{**settings, **changes})


@pytest.fixture
def api(make: MakeApi) -> Api:
    return make()


def status_of(api: Api, verification: str) -> str:
    return str(api.status(verification).json["delivery"]["status"])


# Who is believed


@pytest.mark.parametrize("vendor", REPORTING)
def test_a_vendors_receipt_moves_the_status(api: Api, vendor: str) -> None:
    verification = send_by(api, vendor)
    assert status_of(api, verification) == "accepted"

    answer = post(api, write(api, vendor))

    assert (answer.status_code, answer.data) == (204, b"")
    assert status_of(api, verification) == "delivered"
    assert counted(api) == {"moved": 1}


@pytest.mark.parametrize("vendor", REPORTING)
def test_a_receipt_by_somebody_else_changes_nothing(
    api: Api, dump: Dump, vendor: str
) -> None:
    send_by(api, vendor)
    before = dump()

    answer = post(api, forge(api, vendor))

    assert_problem(answer, 403, "invalid_signature")
    assert dump() == before
    assert counted(api) == {"forged": 1}


@pytest.mark.parametrize("vendor", REPORTING)
def test_a_receipt_without_anything_secret_changes_nothing(
    api: Api, dump: Dump, vendor: str
) -> None:
    send_by(api, vendor)
    before = dump()
    call = write(api, vendor)
    public = api.services.addresses.signed(vendor) or ""
    headers = tuple(it for it in call.headers if it[0] == "Content-Type")
    body = call.body
    if vendor == "vonage":
        body = json.dumps({**json.loads(body), "sig": ""}).encode()

    url = public + ("?" + call.url.partition("?")[2] if "?" in call.url else "")
    answer = post(api, ReceiptCall(call.method, url, body, headers))

    assert_problem(answer, 403, "invalid_signature")
    assert dump() == before
    assert counted(api) == {"forged": 1}


@pytest.mark.parametrize("vendor", SIGNING)
def test_a_signature_covers_what_the_receipt_says(
    api: Api, dump: Dump, vendor: str
) -> None:
    send_by(api, vendor)
    before = dump()
    call = write(api, vendor)
    words = {"twilio_voice": (b"completed", b"no-answer")}
    said, instead = words.get(vendor, (b"delivered", b"failed"))
    assert said in call.body

    answer = post(api, replace(call, body=call.body.replace(said, instead)))

    assert_problem(answer, 403, "invalid_signature")
    assert dump() == before


def test_a_signature_for_one_address_is_not_good_for_another(api: Api) -> None:
    """Twilio signs texts and calls with the same token."""
    send_by(api, "twilio")
    call = write(api, "twilio")

    moved = replace(call, url=call.url.replace("/twilio", "/twilio_voice"))

    assert_problem(post(api, moved), 403, "invalid_signature")


@pytest.mark.parametrize("vendor", TRUSTING)
def test_a_secret_path_is_one_vendors(api: Api, vendor: str) -> None:
    send_by(api, vendor)
    call = write(api, vendor)
    other = next(it for it in TRUSTING if it != vendor)
    secret = address_of(api, vendor).rsplit("/", 1)[1]

    # Another vendor's secret, a part of it, one more letter, and a different case.
    others = address_of(api, other).rsplit("/", 1)[1]
    for wrong in (others, secret[:-1], f"{secret}A", secret.swapcase()):
        stray = replace(call, url=call.url.replace(secret, wrong))

        assert_problem(post(api, stray), 403, "invalid_signature")

    assert post(api, call).status_code == 204


def test_a_vendor_may_be_behind_a_path_that_a_proxy_takes_off(make: MakeApi) -> None:
    api = make(PUBLIC_BASE_URL=f"{PUBLIC}/auth/v1", PHONES_PER_IP="off")
    for vendor in REPORTING:
        verification = send_by(api, vendor)
        call = write(api, vendor)
        assert call.url.startswith(f"{PUBLIC}/auth/v1/api/webhooks/{vendor}")

        assert post(api, call).status_code == 204

        assert status_of(api, verification) == "delivered"
        api.clock.advance(600)


def test_what_a_proxy_makes_of_host_and_scheme_does_not_matter(make: MakeApi) -> None:
    api = make(TRUSTED_PROXIES="198.51.100.7")
    send_by(api, "twilio")
    call = write(api, "twilio")
    seen = (
        ("Host", "10.0.0.7:5000"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-For", "203.0.113.9"),
    )

    assert post(api, replace(call, headers=call.headers + seen)).status_code == 204


# What changes


@pytest.mark.parametrize("vendor", REPORTING)
def test_the_same_receipt_twice_changes_nothing(
    api: Api, dump: Dump, vendor: str
) -> None:
    send_by(api, vendor)
    call = write(api, vendor)
    post(api, call)
    api.settle()
    before = dump()

    answers = [post(api, call) for _ in range(2)]
    api.settle()

    assert {it.status_code for it in answers} == {204}
    assert dump() == before
    assert counted(api) == {"moved": 1, "same": 2}


def test_a_receipt_that_goes_backwards_changes_nothing(api: Api, dump: Dump) -> None:
    verification = send_by(api, "twilio")
    post(api, write(api, "twilio"))
    api.settle()
    before = dump()

    for call in (
        write(api, "twilio", "sent"),
        write(api, "twilio", "undelivered", 30007),
    ):
        assert post(api, call).status_code == 204
    api.settle()

    assert dump() == before
    assert status_of(api, verification) == "delivered"
    assert counted(api) == {"moved": 1, "same": 2}
    assert len(api.simulator.messages()) == 1


@pytest.mark.parametrize("vendor", REPORTING)
def test_a_receipt_of_an_unknown_message_changes_nobodys(
    api: Api, dump: Dump, store: redis.Redis, vendor: str
) -> None:
    send_by(api, vendor)
    call = write(api, vendor)
    store.flushall()
    api.start(phone_of(vendor))
    before = dump()

    assert post(api, call).status_code == 204

    assert counted(api) == {"unknown": 1}
    after = dump()
    (early,) = after.keys() - before.keys()
    # It waits for a moment: the vendor may have been faster than our own note.
    assert early.startswith("msg:")
    assert 0 < store.ttl(early) <= 60
    assert {name: after[name] for name in before} == before


def test_receipts_of_unknown_messages_do_not_pile_up(
    api: Api, dump: Dump, store: redis.Redis
) -> None:
    send_by(api, "twilio")
    call = write(api, "twilio")
    store.flushall()

    sizes = []
    for _ in range(20):
        post(api, call)
        sizes.append(len(str(dump())))

    assert sizes[-1] == sizes[5]


def test_a_receipt_cannot_verify_anything(api: Api) -> None:
    verification = send_by(api, "twilio")
    post(api, write(api, "twilio"))

    assert api.status(verification).json["state"] == "pending"


def test_many_receipts_may_come_in_one_request(api: Api) -> None:
    verification = send_by(api, "whatsapp")
    document = json.loads(write(api, "whatsapp").body)
    (entry,) = document["entry"]
    document["entry"] = [{"id": "1", "changes": []}] * 2_000 + [entry]
    body = json.dumps(document).encode()
    assert 50_000 < len(body) < 256 * 1024

    assert post(api, sign(api, "whatsapp", body)).status_code == 204

    assert status_of(api, verification) == "delivered"


# What is there


@pytest.mark.parametrize(
    "path", ["nobody", "console", "twilio_verify", "", "twilio/../plivo", "TWILIO"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_vendor_without_receipts_is_not_there(
    api: Api, path: str, method: str
) -> None:
    assert_problem(api.call(method, f"/api/webhooks/{path}"), 404, "not_found")


def test_a_vendor_that_is_not_configured_is_not_there(make_api: MakeApi) -> None:
    api = make_api(PUBLIC_BASE_URL=PUBLIC)

    assert_problem(api.call("POST", "/api/webhooks/plivo"), 404, "not_found")
    assert api.call("POST", "/api/webhooks/twilio").status_code == 403


@pytest.mark.parametrize("vendor", REPORTING)
def test_without_a_public_address_no_vendor_is_there_or_asked(
    make: MakeApi, vendor: str
) -> None:
    api = make(PUBLIC_BASE_URL=None, WHATSAPP_WAIT="0")
    send_by(api, vendor)

    assert last_message(api, vendor).receipts_url is None
    for secret in ("", f"/{api.services.addresses.token(vendor)}"):
        answer = api.call("POST", f"/api/webhooks/{vendor}{secret}")
        assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_receipts_come_by_get_or_post(api: Api, method: str) -> None:
    answer = api.call(method, "/api/webhooks/twilio")

    assert_problem(answer, 405, "method_not_allowed")


def test_vonage_may_be_set_to_get(api: Api) -> None:
    verification = send_by(api, "vonage")
    by_get = Vonage(style="GET").receipt(
        last_message(api, "vonage"), "delivered", None, address_of(api, "vonage")
    )
    assert by_get.method == "GET"

    assert post(api, by_get).status_code == 204

    assert status_of(api, verification) == "delivered"


def test_a_body_that_is_too_large_is_not_read(api: Api) -> None:
    body = b" " * (256 * 1024 + 1)

    assert_problem(post(api, sign(api, "whatsapp", body)), 413, "payload_too_large")
    assert post(api, sign(api, "whatsapp", body[:-1])).status_code == 204


def test_without_redis_the_vendor_is_to_try_again(make: MakeApi) -> None:
    api = make()
    verification = send_by(api, "twilio")
    call = write(api, "twilio")
    cut_off = make(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    refused, forged = post(cut_off, call), post(cut_off, forge(api, "twilio"))

    assert_problem(refused, 503, "store_unavailable")
    assert refused.headers["Retry-After"] == "1"
    assert_problem(forged, 403, "invalid_signature")
    assert post(api, call).status_code == 204
    assert status_of(api, verification) == "delivered"


# Meta's question


def ask(api: Api, **changes: str | None) -> Answer:
    given = {
        "hub.mode": "subscribe",
        "hub.challenge": "1158201444",
        "hub.verify_token": api.services.addresses.token("whatsapp"),
    } | {f"hub.{name}": it for name, it in changes.items()}
    query = {name: it for name, it in given.items() if it is not None}
    return api.call("GET", "/api/webhooks/whatsapp", query_string=query)


def test_meta_is_given_its_challenge_back(api: Api) -> None:
    answer = ask(api)

    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.mimetype == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "changes",
    [
        {"verify_token": "guessed"},
        {"verify_token": ""},
        {"verify_token": None},
        {"mode": "unsubscribe"},
        {"mode": None},
        {"challenge": None},
        {"challenge": ""},
        {"challenge": "<script>alert(1)</script>"},
        {"challenge": "1158201444\r\nSet-Cookie: a=b"},
        {"challenge": "é"},
        {"challenge": "1" * 101},
    ],
)
def test_nobody_else_is_and_nothing_is_reflected(
    api: Api, changes: Mapping[str, str | None]
) -> None:
    answer = ask(api, **changes)

    assert_problem(answer, 403, "invalid_signature")
    assert answer.content_type == PROBLEM_TYPE
    assert "script" not in answer.text
    assert "Set-Cookie" not in answer.headers


def test_the_question_is_not_answered_at_another_vendors_address(api: Api) -> None:
    query = "hub.mode=subscribe&hub.challenge=1&hub.verify_token="
    for vendor in REPORTING:
        if vendor != "whatsapp":
            token = api.services.addresses.token(vendor)
            path = f"/api/webhooks/{vendor}?{query}{token}"
            assert api.call("GET", path).status_code == 403
