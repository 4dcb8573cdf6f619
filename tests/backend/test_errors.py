"""Every code of the table is reached by some request, and every answer is a problem."""

from collections.abc import Callable, Iterator

import pytest
from werkzeug.exceptions import GatewayTimeout, ImATeapot

from backend.errors import PROBLEM_TYPE, PROBLEMS
from services import errors
from tests.backend.api import (
    OTHER_PHONE,
    PEER,
    PHONE,
    UNSUSPECTED,
    Answer,
    Api,
)
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service

Reach = Callable[[Api], Answer]


def _raw(data: bytes, content_type: str = "application/json") -> Reach:
    return lambda api: api.call(
        "POST", "/api/send-otp", data=data, content_type=content_type
    )


def _wrong(times: int) -> Reach:
    def reach(api: Api) -> Answer:
        verification = api.start(PHONE)
        for _ in range(times):
            answer = api.verify(verification, PHONE, api.wrong_code_of(PHONE))
        return answer

    return reach


def _blocked(api: Api) -> Answer:
    api.services.abuse.policies.put_entry(
        "ip", PEER, "block", reason="a test", actor="cli:asha"
    )
    return api.send(PHONE)


def _disabled(api: Api) -> Answer:
    for _ in range(20):
        _wrong(5)(api)
        api.clock.advance(15)
    return api.send(PHONE)


def _failing(code: int) -> Reach:
    def reach(api: Api) -> Answer:
        api.simulator.add_rule("error", provider="twilio", code=code)
        return api.send(PHONE)

    return reach


def _many(api: Api) -> Answer:
    api.start(OTHER_PHONE)
    return api.send(PHONE)


def _locked(api: Api) -> Answer:
    _wrong(5)(api)
    return api.send(PHONE)


def _limited(api: Api) -> Answer:
    api.start(PHONE)
    return api.send(PHONE)


def _all_down(api: Api) -> Answer:
    api.simulator.add_rule("status", status=503)
    return api.send(PHONE)


def _frozen(api: Api) -> Answer:
    token = api.login(PHONE)["access_token"]
    tag = api.me(token).json["session"]["id"][:16]
    api.services.identity.people.freeze(tag, "stolen")
    api.clock.advance(31)
    return api.verify(api.start(PHONE), PHONE, api.code_of(PHONE))


def _moving(*, minutes: int = 0, to: str = OTHER_PHONE) -> Reach:
    """Try to move an account to a number that is somebody's."""

    def reach(api: Api) -> Answer:
        api.login(to)
        login = api.login(PHONE)
        api.clock.advance(31 + minutes * 60)
        verification = api.start(to, purpose="change")
        return api.change_phone(login, verification, to, api.code_of(to))

    return reach


def _bad_request(api: Api) -> Answer:
    api.break_with(ImATeapot())
    return api.call("GET", "/readyz")


def _internal_error(api: Api) -> Answer:
    api.break_with(RuntimeError(PHONE))
    return api.call("GET", "/readyz")


def _grant(**form: str) -> Reach:
    return lambda api: api.call("POST", "/api/token", data=form)


def _service(scope: str, ask: Callable[[Service], Answer]) -> Reach:
    return lambda api: ask(Service(api, scopes=[scope]))


# Only OAuth's own routes say these, in OAuth's way.
OAUTH_CODES = {
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unsupported_grant_type",
    "unsupported_token_type",
}

# The settings without which a code is not reached.
SETTINGS: dict[str, dict[str, str]] = {
    # Where nothing ever listens.
    "store_unavailable": {"REDIS_URL": "redis://127.0.0.1:1/0"},
    "invalid_signature": {"PUBLIC_BASE_URL": "https://auth.shop.example"},
    "challenge_required": {"SENDS_PER_IP": "1/1h"},
    "spend_limit": {"SPEND_GLOBAL": "0.01/1h"},
    # A hundred wrong codes in a row, and no other limit.
    "phone_disabled": {
        "RESEND_COOLDOWNS": "15",
        "SENDS_PER_PHONE": "1000/1s",
        "SENDS_PER_IP": "off",
        "SENDS_PER_PREFIX": "off",
        "RULE_MODES": UNSUSPECTED,
        "WRONG_CHECKS_PER_IP": "off",
        "WRONG_CHECKS_PER_PHONE": "100/24h",
        "LOCK_LADDER": "off",
    },
}

# A request for every code of the table.
REACHED: dict[str, Reach] = {
    "malformed_request": _raw(b"{"),
    "invalid_request": _raw(b"{}"),
    "phone_invalid": lambda api: api.send("12"),
    "phone_not_supported": lambda api: api.send("+12125552368"),
    "wrong_code": _wrong(1),
    "verification_gone": lambda api: api.verify("A" * 43, PHONE, "123456"),
    "attempts_exhausted": _wrong(6),
    "phone_locked": _locked,
    "rate_limited": _limited,
    "channel_not_available": lambda api: api.post(
        "/api/send-otp", {"phone": PHONE, "channel": "voice"}
    ),
    "phone_disabled": _disabled,
    "device_token_invalid": lambda api: api.send(PHONE, device_token="qcd_x"),
    "challenge_required": _many,
    "caller_blocked": _blocked,
    "spend_limit": lambda api: api.send(PHONE),
    "recipient_unreachable": _failing(21211),
    "delivery_unavailable": _all_down,
    "invalid_token": lambda api: api.me("x"),
    "subject_frozen": _frozen,
    "fresh_login_required": _moving(minutes=5),
    "phone_in_use": _moving(),
    "not_found": lambda api: api.call("GET", "/nothing"),
    "method_not_allowed": lambda api: api.call("GET", "/api/send-otp"),
    "payload_too_large": _raw(b" " * 5000),
    "unsupported_media_type": _raw(b"{}", "text/plain"),
    "insufficient_scope": _service(
        "otp:status",
        lambda it: it.api.bearing(
            it.token(), "POST", "/api/send-otp", json={"phone": PHONE}
        ),
    ),
    "invalid_client": _grant(grant_type="client_credentials"),
    "invalid_grant": _grant(grant_type="refresh_token", refresh_token="x"),
    "invalid_scope": _service(
        "otp:send",
        lambda it: it.ask(
            "/api/token", {"grant_type": "client_credentials", "scope": "admin"}
        ),
    ),
    "unsupported_grant_type": _grant(grant_type="password"),
    "unsupported_token_type": _service(
        "token:revoke", lambda it: it.revoke(it.token())
    ),
    "store_unavailable": lambda api: api.send(PHONE),
    "invalid_signature": lambda api: api.call("POST", "/api/webhooks/twilio"),
    "bad_request": _bad_request,
    "internal_error": _internal_error,
}


def _classes(root: type[errors.AuthError]) -> Iterator[type[errors.AuthError]]:
    for it in root.__subclasses__():
        yield it
        yield from _classes(it)


@pytest.fixture
def reach(make_api: MakeApi) -> Callable[[str], Answer]:
    def answer(code: str) -> Answer:
        return REACHED[code](make_api(**SETTINGS.get(code, {})))

    return answer


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_code_is_reached_and_answered_as_the_table_says(
    reach: Callable[[str], Answer], code: str
) -> None:
    answer = reach(code)

    row = PROBLEMS[code]
    assert answer.json["code"] == code
    by_oauth = code in OAUTH_CODES
    assert answer.content_type == ("application/json" if by_oauth else PROBLEM_TYPE)
    if code != "bad_request":  # It stands for every other 4xx.
        assert (answer.status_code, answer.json["title"]) == (row.status, row.title)
    assert answer.json["status"] == answer.status_code
    assert answer.json["type"] == f"urn:quickcart-auth:problem:{code}"
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    assert ("retry_after" in answer.json) == (answer.status_code in {429, 503})
    if "retry_after" in answer.json:
        assert answer.headers["Retry-After"] == str(answer.json["retry_after"])
        assert answer.json["retry_after"] >= 1
    assert ("limit" in answer.json) == (code == "rate_limited")


def test_every_error_class_has_a_code_and_a_row() -> None:
    codes = [it.code for it in errors.AuthError.__subclasses__()]

    assert len(set(codes)) == len(codes)
    assert {it.code for it in _classes(errors.AuthError)} <= set(PROBLEMS)


@pytest.mark.parametrize(
    "code",
    [
        "malformed_request",
        "invalid_request",
        "phone_invalid",
        "phone_not_supported",
        "wrong_code",
        "verification_gone",
        "attempts_exhausted",
        "phone_locked",
        "phone_disabled",
        "device_token_invalid",
        "challenge_required",
        "caller_blocked",
        "spend_limit",
        "rate_limited",
        "recipient_unreachable",
        "delivery_unavailable",
        "payload_too_large",
        "unsupported_media_type",
        "store_unavailable",
    ],
)
def test_every_error_of_send_and_verify_says_what_is_next(
    reach: Callable[[str], Answer], code: str
) -> None:
    following = reach(code).json["next"]

    assert set(following) == {"sms", "whatsapp", "voice", "check"}
    for turn in following.values():
        assert set(turn) == {"allowed", "retry_in"}
        assert turn["retry_in"] is None or turn["allowed"]


def test_a_wrong_method_is_told_the_right_ones(api: Api) -> None:
    answer = api.call("DELETE", "/api/send-otp")

    assert answer.status_code == 405
    assert {it.strip() for it in answer.headers["Allow"].split(",")} == {
        "POST",
        "OPTIONS",
    }


def test_other_http_errors_keep_their_status(api: Api) -> None:
    api.break_with(GatewayTimeout())

    answer = api.call("GET", "/readyz")

    assert (answer.status_code, answer.json["code"]) == (504, "internal_error")
    assert answer.json["title"] == "Gateway Timeout"


def test_an_unexpected_error_says_where_but_not_what(api: Api) -> None:
    api.break_with(RuntimeError(PHONE))

    answer = api.call("GET", "/readyz")

    assert answer.status_code == 500
    log = api.log.getvalue().decode()
    assert PHONE not in answer.text + log
    assert '"error":"RuntimeError"' in log
    assert "health_routes.py" in log
    assert answer.json["request_id"] in log


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("GET", "/api/nothing"),
        ("GET", "//api//send-otp"),
        ("GET", "/api/otp-status"),
        ("GET", "/api/otp-status/a/b"),
        ("GET", "/api/otp-status//a"),
        ("PUT", "/api/send-otp"),
        ("BREW", "/api/me"),
        ("POST", "/livez"),
    ],
)
def test_every_stray_request_gets_a_problem(api: Api, method: str, path: str) -> None:
    answer = api.call(method, path)

    assert answer.status_code in {404, 405}
    assert answer.content_type == PROBLEM_TYPE
    assert answer.json["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/send-otp"),
        ("POST", "/api/verify-otp"),
        ("GET", "/api/otp-status/x"),
        ("GET", "/api/me"),
        ("GET", "/api/health"),
        ("GET", "/api"),
        ("GET", "/api/openapi.json"),
        ("GET", "/api/docs"),
        ("GET", "/api/nothing"),
        ("OPTIONS", "/api/me"),
    ],
)
def test_nothing_under_api_is_kept_by_caches(api: Api, method: str, path: str) -> None:
    answer = api.call(method, path)

    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Request-Id"]
