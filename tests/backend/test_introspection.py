"""What service clients are told about tokens, and what they are not; and revocation."""

from collections.abc import Callable

import pytest

from services.events import ScriptRan, TokenIntrospected
from tests.backend.api import PHONE, Answer, Api
from tests.backend.conftest import MakeApi
from tests.backend.oauth import (
    AUDIENCE,
    CLIENT,
    ISSUER,
    Service,
    assert_oauth_error,
)
from tests.redis_server import free_port

SHOP = "https://shop.example.com"
INACTIVE = b'{"active":false}'


def is_active(answer: Answer) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.json["active"])


def test_a_live_access_token_says_all_there_is(api: Api) -> None:
    login = api.login()

    answer = Service(api).introspect(login["access_token"])

    body = answer.json
    session = body.pop("sid")
    assert api.sessions(login["access_token"]).json["sessions"][0]["id"] == session
    assert body.pop("jti")
    assert body.pop("exp") - body.pop("iat") == 600
    assert body.pop("auth_time")
    assert body == {
        "active": True,
        "token_type": "Bearer",
        "scope": "",
        "client_id": "direct",
        "sub": login["user"]["id"],
        "aud": AUDIENCE,
        "iss": ISSUER,
        "amr": ["sms"],
        "acr": "aal1",
        "roles": ["customer"],
    }
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_phone_is_told_with_its_scope_alone(api: Api) -> None:
    service = Service(api)

    without = service.introspect(api.login()["access_token"]).json
    api.clock.advance(60)
    by_scope = service.introspect(api.login(scope="phone")["access_token"]).json

    assert "phone_number" not in without
    assert (by_scope["phone_number"], by_scope["phone_number_verified"]) == (
        PHONE,
        True,
    )


def test_roles_are_as_they_are_now(api: Api) -> None:
    service, login = Service(api), api.login()
    identity = api.services.identity

    identity.people.grant(identity.people.locate(login["user"]["id"]), "support")

    told = service.introspect(login["access_token"]).json
    assert told["roles"] == ["customer", "support"]


def test_a_live_refresh_token_is_told_and_is_no_access_token(api: Api) -> None:
    login = api.login()

    body = Service(api).introspect(login["refresh_token"]).json

    assert (body["active"], body["token_type"]) == (True, "refresh_token")
    assert (body["sub"], body["aud"]) == (login["user"]["id"], AUDIENCE)


def test_a_refresh_token_that_was_used_is_none_any_more(api: Api) -> None:
    service, login = Service(api), api.login()
    following = api.refresh(login["refresh_token"]).json

    assert not is_active(service.introspect(login["refresh_token"]))
    assert is_active(service.introspect(following["refresh_token"]))


def _random(api: Api) -> str:
    return "x"


def _empty_jwt(api: Api) -> str:
    return "e30.e30."


def _forged(api: Api) -> str:
    token = str(api.login()["access_token"])
    return token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB")


def _expired(api: Api) -> str:
    token = str(api.login()["access_token"])
    api.clock.advance(631)
    return token


def _logged_out(api: Api) -> str:
    token = str(api.login()["access_token"])
    api.bearing(token, "POST", "/api/logout-all")
    return token


def _logged_out_refresh(api: Api) -> str:
    login = api.login()
    api.bearing(login["access_token"], "POST", "/api/logout-all")
    return str(login["refresh_token"])


def _frozen(api: Api) -> str:
    login, people = api.login(), api.services.identity.people
    people.freeze(people.locate(login["user"]["id"]), "stolen")
    return str(login["access_token"])


def _foreign(api: Api) -> str:
    return str(api.login(origin=SHOP)["access_token"])


def _foreign_refresh(api: Api) -> str:
    return str(api.login(origin=SHOP)["refresh_token"])


def _verification(api: Api) -> str:
    id_ = api.start(PHONE, purpose="verify")
    return str(api.verify(id_, PHONE, api.code_of()).json["verification_token"])


def _another_services(api: Api) -> str:
    return Service(api, "svc-other", scopes=["admin"]).token()


def _removed_services(api: Api) -> str:
    other = Service(api, "svc-other", scopes=["admin"])
    token = other.token()
    other.remove()
    return token


@pytest.mark.parametrize(
    "dead",
    [
        _random,
        _empty_jwt,
        _forged,
        _expired,
        _logged_out,
        _logged_out_refresh,
        _frozen,
        _foreign,
        _foreign_refresh,
        _verification,
        _another_services,
        _removed_services,
    ],
)
def test_every_other_token_gets_the_same_bytes(
    make_api: MakeApi, dead: Callable[[Api], str]
) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP, STOREFRONT_AUDIENCES=f"{SHOP}=shop")
    token = dead(api)

    answer = Service(api).introspect(token)

    assert (answer.status_code, answer.get_data()) == (200, INACTIVE)
    assert answer.content_type == "application/json"


def test_a_token_is_told_to_who_has_its_audience(make_api: MakeApi) -> None:
    api = make_api(STOREFRONT_ORIGINS=SHOP, STOREFRONT_AUDIENCES=f"{SHOP}=shop")
    token = api.login(origin=SHOP)["access_token"]

    service = Service(api, audiences=["shop", "other"])

    body = service.introspect(token).json
    assert (body["aud"], body["client_id"]) == ("shop", SHOP)


def test_a_service_token_is_told_to_its_client_and_to_the_issuers(api: Api) -> None:
    own = Service(api)
    issuers = Service(api, "svc-gateway", audiences=[ISSUER])
    token = own.token()

    for service in (own, issuers):
        body = service.introspect(token).json
        assert (body["active"], body["sub"], body["aud"]) == (True, CLIENT, ISSUER)
        assert "sid" not in body


def test_a_scope_that_a_client_lost_is_not_told(api: Api) -> None:
    service = Service(api)
    token = service.token()

    service.change(scopes=frozenset({"token:introspect"}))

    assert service.introspect(token).json["scope"] == "token:introspect"


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_a_hint_changes_nothing(api: Api, hint: str) -> None:
    form = {"token": api.login()["access_token"], "token_type_hint": hint}

    assert is_active(Service(api).ask("/api/token/introspect", form))


def test_a_service_may_ask_by_its_token_or_its_signature(api: Api) -> None:
    service, form = Service(api), {"token": api.login()["access_token"]}

    by_token = api.bearing(service.token(), "POST", "/api/token/introspect", data=form)
    by_signature = api.call(
        "POST", "/api/token/introspect", data={**form, **service.assertion()}
    )

    assert is_active(by_token)
    assert is_active(by_signature)


def test_who_shows_nothing_is_told_nothing(api: Api) -> None:
    form = {"token": api.login()["access_token"]}

    answer = api.call("POST", "/api/token/introspect", data=form)

    assert_oauth_error(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_a_person_is_no_service(api: Api) -> None:
    token = api.login()["access_token"]

    for path in ("introspect", "revoke"):
        answer = api.bearing(token, "POST", f"/api/token/{path}", data={"token": token})
        assert_oauth_error(answer, 401, "invalid_token")


@pytest.mark.parametrize(
    ("path", "scope"),
    [("introspect", "token:revoke"), ("revoke", "token:introspect")],
)
def test_each_takes_its_own_scope(api: Api, path: str, scope: str) -> None:
    service, form = Service(api, scopes=[scope]), {"token": "x"}

    by_secret = service.ask(f"/api/token/{path}", form)
    by_token = api.bearing(service.token(), "POST", f"/api/token/{path}", data=form)

    for answer in (by_secret, by_token):
        assert_oauth_error(answer, 403, "insufficient_scope")


def test_a_service_token_of_an_earlier_namesake_is_none(api: Api) -> None:
    service, gateway = Service(api), Service(api, "svc-gateway", audiences=[ISSUER])
    token = service.token()
    assert is_active(gateway.introspect(token))

    api.clock.advance(1)
    service.change(registered=int(api.clock.now()))

    assert not is_active(gateway.introspect(token))
    assert is_active(gateway.introspect(service.token()))


def test_a_narrowed_service_token_is_enough_for_what_it_says_alone(api: Api) -> None:
    token = Service(api).token(scope="token:revoke")

    answer = api.bearing(token, "POST", "/api/token/introspect", data={"token": "x"})

    assert_oauth_error(answer, 403, "insufficient_scope")


def test_asking_takes_one_round_trip(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    service, login = Service(api), api.login()
    seen: list[object] = []
    monkeypatch.setattr(api.telemetry.metrics, "count", seen.append)

    for name in ("access_token", "refresh_token"):
        seen.clear()
        assert is_active(service.introspect(login[name]))
        assert [type(it) for it in seen].count(ScriptRan) == 1
        assert TokenIntrospected(service.id, active=True) in seen
    seen.clear()
    service.introspect("x")
    assert ScriptRan not in map(type, seen)
    assert TokenIntrospected(service.id, active=False) in seen


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_revoked_session_is_over_at_once(api: Api, kind: str) -> None:
    service, login = Service(api), api.login()

    answer = service.revoke(login[kind])

    assert (answer.status_code, answer.get_data()) == (200, b"")
    assert api.me(login["access_token"]).status_code == 401
    assert_oauth_error(api.refresh(login["refresh_token"]), 400, "invalid_grant")
    assert not is_active(service.introspect(login["access_token"]))


def test_who_holds_a_refresh_token_may_give_it_up(api: Api) -> None:
    login = api.login()
    form = {"token": login["refresh_token"]}

    assert api.call("POST", "/api/token/revoke", data=form).status_code == 200

    assert api.me(login["access_token"]).status_code == 401


def test_an_access_token_is_not_enough_to_end_its_session(api: Api) -> None:
    login = api.login()
    form = {"token": login["access_token"]}

    answer = api.call("POST", "/api/token/revoke", data=form)

    assert_oauth_error(answer, 401, "invalid_client")
    assert api.me(login["access_token"]).status_code == 200


@pytest.mark.parametrize("dead", [_random, _forged, _expired, _logged_out_refresh])
def test_an_unknown_token_is_as_good_as_revoked(
    api: Api, dead: Callable[[Api], str]
) -> None:
    token = dead(api)

    answer = Service(api).revoke(token)

    assert (answer.status_code, answer.get_data()) == (200, b"")


def test_a_refresh_token_that_was_made_up_is_as_good_as_revoked(api: Api) -> None:
    form = {"token": "qcr_" + "A" * 71}

    assert api.call("POST", "/api/token/revoke", data=form).status_code == 200


def test_a_token_of_another_audience_is_not_revoked(api: Api) -> None:
    login = api.login()
    stranger = Service(api, audiences=["elsewhere"])

    assert stranger.revoke(login["access_token"]).status_code == 200

    assert api.me(login["access_token"]).status_code == 200


def test_service_tokens_are_not_revoked(api: Api) -> None:
    service = Service(api)

    answer = service.revoke(service.token())

    assert_oauth_error(answer, 400, "unsupported_token_type")


@pytest.mark.parametrize("path", ["introspect", "revoke"])
def test_without_a_token_there_is_nothing_to_ask(api: Api, path: str) -> None:
    answer = Service(api).ask(f"/api/token/{path}", {"a": "b"})

    assert_oauth_error(answer, 400, "invalid_request")
    assert answer.json["error_description"] == "token: Is missing"


def test_without_redis_nothing_is_told(make_api: MakeApi, api: Api) -> None:
    service, token = Service(api), api.login()["access_token"]
    away = make_api(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    answer = away.call(
        "POST", "/api/token/introspect", data={"token": token}, headers=service.basic
    )

    assert_oauth_error(answer, 503, "temporarily_unavailable")


def test_neither_tokens_nor_secrets_are_in_the_log(api: Api) -> None:
    service, login = Service(api), api.login()
    service.introspect(login["access_token"])
    service.revoke(login["refresh_token"])

    log = api.log.getvalue().decode()

    assert '"by":"svc-orders"' in log
    for secret in (service.secret, login["access_token"], login["refresh_token"]):
        assert secret not in log
        assert secret[-20:] not in log
