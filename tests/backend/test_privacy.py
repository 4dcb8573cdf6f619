"""A dump of Redis is worthless, and so are the log and the metrics (invariant 6)."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from backend.composition.secrets import new_subject_key, secrets_of
from backend.composition.signing_keys import build_key_store, held_keys
from backend.openapi.admin_operations import ON_PEOPLE
from services.identity.keys.signing_keys import generate_signing_key, read_signing_key
from services.scripts import EmbeddedConnections, ScriptRunner
from tests.backend.abuse_desk import AbuseDesk
from tests.backend.api import OTHER_PHONE, Api, phones
from tests.backend.conftest import MakeApi
from tests.backend.desk import BODIES, Desk
from tests.backend.oauth import Service

Dump = Callable[[], dict[str, Any]]

ADMIN, LOCKED, UNREACHABLE, UNLUCKY, RESENT, HELPED, MOVING, MOVED, FROZEN = phones(9)
IPV6_PEER = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"
PERSON = "203.0.113.77"
PEERS = ("198.51.100.7", "203.0.113.99", PERSON, IPV6_PEER, "2001:db8:aaaa:bbbb::")
# Standing records; whatever else there is has an end.
STANDING = re.compile(r"person:\{.{16}\}|clients|keys|subject_key|policy:\{all\}")
# Unix milliseconds, of which six digits may by chance be a code's.
_TIME = re.compile(r"(?<![0-9])[0-9]{13}(?![0-9])|\"(time|seconds)\":\"?[0-9TZ:.-]+")


def spellings(phone: str) -> Iterator[str]:
    """Yield what a number could be read from."""
    digits, national = phone[1:], phone[-10:]
    for text in (phone, digits, national, f"0{national}"):
        data = text.encode()
        yield text
        yield text[::-1]
        yield data.hex()
        yield base64.b64encode(data).decode().rstrip("=")
        for name in ("md5", "sha1", "sha256"):
            digest = hashlib.new(name, data, usedforsecurity=False).digest()
            yield digest.hex()
            # However far it is cut off.
            yield base64.b64encode(digest).decode()[:12]
            yield base64.urlsafe_b64encode(digest).decode()[:12]
    yield national[:-2]
    yield f"{national[:5]} {national[5:]}"


def people_come_and_go(api: Api) -> None:
    """Sessions are renewed and moved, and operators do all they can."""
    body = api.login(MOVING, scope="phone", device_name="Asha's phone")
    body |= api.refresh(body["refresh_token"]).json
    desk = Desk(api)
    desk.do("grant-role", phone=MOVING, role="support")
    moved = api.change_phone(
        body, api.start(MOVED, purpose="change"), MOVED, api.code_of(MOVED)
    )
    assert moved.status_code == 200, moved.text
    api.login(FROZEN)
    for operation in ON_PEOPLE:
        desk.do(operation, phone=FROZEN, **BODIES.get(operation, {}))
    desk.do("freeze", phone=FROZEN, reason="card fraud")
    refused = api.start(FROZEN)
    api.verify(refused, FROZEN, api.code_of(FROZEN))


def operators_list(api: Api) -> None:
    """Operators allow and block, and look at what came of it."""
    desk = AbuseDesk(api, "svc-lists")
    desk.put("block", "phone", UNREACHABLE)
    desk.put("allow", "prefix", UNLUCKY[:-3])
    desk.put("block", "ip", "203.0.113.99", hours=1)
    desk.put("allow", "ip", IPV6_PEER)
    desk.set("sends_per_country", mode="monitor", windows="1/1h; IN: 9/1h")
    desk.do("lift", scope="prefix", name=UNLUCKY[:-4])
    desk.report()


def services_ask(api: Api) -> None:
    """A service client proves who it is in every way, acts for somebody and asks."""
    scopes = ("otp:send", "otp:status", "token:introspect")
    service = Service(api, scopes=scopes)
    form = {"grant_type": "client_credentials", **service.assertion()}
    assert api.call("POST", "/api/token", data=form).status_code == 200
    headers = {"Authorization": f"Bearer {service.token()}"}
    helped = api.start(HELPED, headers=headers, end_user_ip=PERSON)
    body = api.verify(
        helped, HELPED, api.code_of(HELPED), headers=headers, end_user_ip=PERSON
    ).json
    for token in (body["access_token"], body["refresh_token"]):
        assert service.introspect(token).json["active"] is True
    service.change(name="Orders and returns")
    secrets = secrets_of(api.settings)
    scripts = ScriptRunner(EmbeddedConnections(api._redis), emit=lambda _: None)
    store = build_key_store(secrets, scripts, held_keys(api.settings, secrets)[0])
    pem = generate_signing_key("ES256")
    store.add(pem)
    store.activate(read_signing_key(pem).kid, at_once=True)
    api.chores.rounds["signing keys"]()


@pytest.fixture
def busy(make_api: MakeApi) -> Api:
    """The service after a day on which everything happened."""
    api = make_api(
        ADMIN_PHONES=ADMIN,
        SENDS_GLOBAL="1000/1h",
        SENDS_PER_IP="1000/1h",
        PHONES_PER_IP="1000/1h",
        AUTOFILL_HOST="shop.example",
        STOREFRONT_ORIGINS="https://shop.example",
    )
    api.login(ADMIN)
    token = api.login(OTHER_PHONE)["access_token"]
    api.me(token)

    resent = api.start(RESENT, peer=IPV6_PEER, origin="https://shop.example")
    api.send(RESENT, verification_id=resent)
    api.clock.advance(30)
    api.send(RESENT, verification_id=resent, origin="https://shop.example")
    api.verify(resent, RESENT, api.wrong_code_of(RESENT), peer=IPV6_PEER)

    verified = api.start(LOCKED, purpose="verify")
    api.verify(verified, LOCKED, api.code_of(LOCKED))
    locked = api.start(LOCKED)
    for _ in range(6):
        api.verify(locked, LOCKED, api.wrong_code_of(LOCKED), peer=PEERS[1])
    api.send(LOCKED)

    api.simulator.add_rule("error", provider="twilio", code=21211, to=UNREACHABLE)
    api.send(UNREACHABLE)
    api.simulator.add_rule("status", status=503, to=UNLUCKY, times=2)
    api.send(UNLUCKY)
    api.simulator.add_rule("drop_after_accepting", to=UNLUCKY, provider="twilio")
    unlucky = api.start(UNLUCKY)
    api.status(unlucky)

    api.send("not a phone " + RESENT)
    api.call("GET", f"/api/otp-status/{RESENT}")
    api.call("GET", f"/{RESENT}?phone={RESENT}", headers={"X-Request-Id": RESENT})
    api.verify(resent, RESENT, "1234567")
    people_come_and_go(api)
    services_ask(api)
    operators_list(api)
    api.settle()
    api.break_with(RuntimeError(RESENT))
    api.call("GET", "/readyz")
    return api


def codes_of(api: Api) -> set[str]:
    """Read every code that was ever sent."""
    texts = "\n".join(it.text for it in api.simulator.messages())
    return set(re.findall(r"\b[0-9]{6}\b", texts))


def without_times(text: str) -> str:
    """Return a text without what may look like a code by chance."""
    return _TIME.sub("", text)


def assert_worthless(api: Api, text: str) -> None:
    """Find no phone number in any spelling, and no code."""
    for phone in (*phones(9), OTHER_PHONE):
        for spelling in spellings(phone):
            assert spelling not in text
    codes = codes_of(api)
    assert len(codes) > 5
    found = re.findall(r"(?<![0-9])[0-9]{6}(?![0-9])", without_times(text))
    assert not codes & set(found)


def test_a_dump_of_redis_holds_no_phone_no_code_and_no_address(
    busy: Api, dump: Dump
) -> None:
    text = "\n".join(f"{key} {value}" for key, value in dump().items())

    for name in (
        *("otp:", "ses:", "lim:", "trail:", "person:", "jti:"),
        *("seen:", "known:", "conv:", "guess:", "wrong:"),
        *("clients", "keys", "subject_key", "audit", "policy:{all}"),
    ):
        assert f"\n{name}" in f"\n{text}"
    assert_worthless(busy, text)
    for phone in phones(9):
        assert phone[1:-4] not in text
    for peer in PEERS:
        assert peer not in text
    assert "shop.example" not in text
    # Nor the code derived again: Redis never held it.
    assert busy.settings.secret_key.get_secret_value() not in text


@pytest.mark.usefixtures("busy")
def test_every_key_of_redis_ends_but_standing_records(store: redis.Redis) -> None:
    lives: dict[str, Any] = {it.decode(): store.pttl(it) for it in store.scan_iter("*")}
    standing = {it for it, life in lives.items() if life == -1}

    assert all(map(STANDING.fullmatch, standing))
    assert len(standing) > 3
    audit = lives.pop("audit")
    assert 399 < audit / 86_400_000 <= 400
    ending = [life for key, life in lives.items() if key not in standing]
    assert 0 < min(ending) <= max(ending) <= 90 * 86_400_000


def test_the_log_holds_no_phone_no_code_and_no_token(busy: Api) -> None:
    log = busy.log.getvalue().decode()

    for event in (
        "verification_started",
        "delivery_failed",
        "code_checked",
        "limit_reached",
        "provider_called",
        "request_served",
        "session_refused",
        "phone_changed",
        "admin_acted",
        "signing_key_changed",
        "unexpected_error",
    ):
        assert f'"event":"{event}"' in log
    assert_worthless(busy, log)
    assert "eyJ" not in log


def test_verification_ids_are_not_in_the_log(busy: Api) -> None:
    """Who holds one may ask for its status; who reads the log may not."""
    verification = busy.start(phones(10)[9], peer="203.0.113.1")
    busy.status(verification)

    assert verification not in busy.log.getvalue().decode()


def test_the_metrics_hold_no_phone_and_no_code(busy: Api) -> None:
    metrics = busy.telemetry.metrics.render().decode()

    assert "otp_sends_total" in metrics
    assert_worthless(busy, metrics)


def test_the_same_phone_has_another_name_under_another_subject_key(
    make_api: MakeApi, store: redis.Redis
) -> None:
    make_api().start(OTHER_PHONE)
    store.delete("subject_key")
    make_api(SUBJECT_KEY=new_subject_key()).start(OTHER_PHONE)

    assert len(list(store.scan_iter("otp:*"))) == 2


@pytest.mark.parametrize("knows_names", [False, True])
def test_whoever_holds_redis_but_not_the_secret_cannot_log_in(
    make_api: MakeApi, store: redis.Redis, *, knows_names: bool
) -> None:
    api = make_api()
    verification = api.start(OTHER_PHONE)
    store.delete("subject_key")
    thief = make_api(
        SECRET_KEY="q8Wn3zRk5vTb1yGm7xJc2hLd9sPf4aUe",
        **({} if knows_names else {"SUBJECT_KEY": new_subject_key()}),
    )

    answer = thief.verify(verification, OTHER_PHONE, api.code_of(OTHER_PHONE))

    assert answer.status_code == 410
