"""POST /api/token: sessions are renewed, service clients get tokens."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from backend.cookies import refresh_cookie
from tests.backend.api import OTHER_PHONE, PHONE, Api
from tests.backend.conftest import MakeApi
from tests.backend.oauth import (
    CLIENT,
    ISSUER,
    Service,
    assert_oauth_error,
    basic,
)
from tests.redis_server import free_port
from tests.services.identity.clients.service_clients import Signer

SHOP = "https://shop.example.com"
OTHER_SHOP = "https://other.example.com"
COOKIE_HEADER = {"X-Requested-With": "QuickCart"}
REFRESH = {"grant_type": "refresh_token"}
SERVICE = {"grant_type": "client_credentials"}


@pytest.fixture
def shops(make_api: MakeApi) -> Api:
    return make_api(STOREFRONT_ORIGINS=f"{SHOP}, {OTHER_SHOP}")


def test_a_storefront_renews_a_session_without_credentials(api: Api) -> None:
    login = api.login()

    answer = api.refresh(login["refresh_token"])

    body = answer.json
    assert set(body) == {
        *("access_token", "token_type", "expires_in", "scope"),
        *("refresh_token", "refresh_expires_in"),
    }
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert body["scope"] == ""
    assert body["refresh_token"] != login["refresh_token"]
    assert body["refresh_expires_in"] == 14 * 86_400
    assert answer.headers["Cache-Control"] == "no-store"
    assert api.me(body["access_token"]).json["user"]["id"] == login["user"]["id"]


def test_a_refresh_token_is_used_up(api: Api) -> None:
    login = api.login()
    first = api.refresh(login["refresh_token"]).json
    api.clock.advance(11)

    assert_oauth_error(api.refresh(login["refresh_token"]), 400, "invalid_grant")
    # Somebody stole one of the two: the session is over.
    assert_oauth_error(api.refresh(first["refresh_token"]), 400, "invalid_grant")


@pytest.mark.parametrize("token", ["x", "qcr_", "qcr_" + "A" * 71, "é", "a.b.c"])
def test_what_is_no_refresh_token_is_refused(shared_api: Api, token: str) -> None:
    assert_oauth_error(shared_api.refresh(token), 400, "invalid_grant")


def test_a_scope_can_be_left_out_of_a_token(api: Api) -> None:
    login = api.login(scope="phone")

    kept = api.refresh(login["refresh_token"]).json
    form = {**REFRESH, "refresh_token": kept["refresh_token"], "scope": "phone"}
    asked = api.call("POST", "/api/token", data=form).json

    assert (kept["scope"], asked["scope"]) == ("phone", "phone")


def test_a_scope_that_was_not_granted_is_refused(api: Api) -> None:
    login = api.login()
    form = {**REFRESH, "refresh_token": login["refresh_token"], "scope": "phone"}

    assert_oauth_error(api.call("POST", "/api/token", data=form), 400, "invalid_scope")


def test_a_scope_that_nobody_has_is_refused_before_the_token_is_used_up(
    api: Api,
) -> None:
    login = api.login()
    form = {**REFRESH, "refresh_token": login["refresh_token"], "scope": "phone x"}

    assert_oauth_error(api.call("POST", "/api/token", data=form), 400, "invalid_scope")
    api.clock.advance(60)

    assert api.refresh(login["refresh_token"]).status_code == 200


def test_who_asked_for_too_much_goes_on_by_the_token(api: Api) -> None:
    login = api.login()
    form = {**REFRESH, "refresh_token": login["refresh_token"], "scope": "phone"}
    assert_oauth_error(api.call("POST", "/api/token", data=form), 400, "invalid_scope")

    api.clock.advance(60)

    assert api.refresh(login["refresh_token"]).status_code == 200


def test_who_asked_for_too_much_goes_on_by_the_cookie(api: Api) -> None:
    api.login(session="cookie")
    form = {**REFRESH, "scope": "phone"}
    denied = api.call("POST", "/api/token", data=form, headers=COOKIE_HEADER)
    assert_oauth_error(denied, 400, "invalid_scope")
    assert "Set-Cookie" not in denied.headers

    api.clock.advance(60)

    again = api.call("POST", "/api/token", data=REFRESH, headers=COOKIE_HEADER)
    assert again.status_code == 200


def test_another_storefronts_page_renews_nothing(shops: Api) -> None:
    login = shops.login(origin=SHOP)

    stolen = shops.refresh(login["refresh_token"], origin=OTHER_SHOP)

    assert_oauth_error(stolen, 400, "invalid_grant")
    assert shops.refresh(login["refresh_token"], origin=SHOP).status_code == 200


def test_a_client_id_must_be_the_sessions(shops: Api) -> None:
    login = shops.login(origin=SHOP)
    form = {**REFRESH, "refresh_token": login["refresh_token"]}

    def refresh(client_id: str, origin: str | None = None) -> int:
        return shops.call(
            "POST", "/api/token", data={**form, "client_id": client_id}, origin=origin
        ).status_code

    assert refresh("direct") == 400
    assert refresh(OTHER_SHOP, origin=SHOP) == 400
    assert refresh(SHOP) == 200


def test_a_services_session_is_renewed_by_that_service_alone(api: Api) -> None:
    service = Service(api, scopes=["otp:send"])
    other = Service(api, "svc-other", scopes=["otp:send"])
    headers = {"Authorization": f"Bearer {service.token()}"}
    verification = api.start(PHONE, headers=headers)
    login = api.verify(verification, PHONE, api.code_of(), headers=headers).json
    form = {**REFRESH, "refresh_token": login["refresh_token"]}

    assert_oauth_error(api.refresh(login["refresh_token"]), 401, "invalid_client")
    assert_oauth_error(other.ask("/api/token", form), 400, "invalid_grant")
    named = api.call("POST", "/api/token", data={**form, "client_id": service.id})
    assert_oauth_error(named, 401, "invalid_client")
    assert service.ask("/api/token", form).status_code == 200


def test_a_cookie_renews_a_session_and_is_renewed(api: Api) -> None:
    api.login(session="cookie")

    answer = api.call("POST", "/api/token", data=REFRESH, headers=COOKIE_HEADER)

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{refresh_cookie('direct')}=qcr_")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Strict"} <= set(
        cookie.split("; ")
    )
    again = api.call("POST", "/api/token", data=REFRESH, headers=COOKIE_HEADER)
    assert again.status_code == 200


def test_a_cookie_without_the_header_renews_nothing(api: Api) -> None:
    api.login(session="cookie")

    answer = api.call("POST", "/api/token", data=REFRESH)

    assert_oauth_error(answer, 400, "invalid_request")
    assert "Set-Cookie" not in answer.headers


def test_a_cookie_of_a_session_that_ended_is_taken_back(api: Api) -> None:
    login = api.login(session="cookie")
    api.bearing(login["access_token"], "POST", "/api/logout-all")
    api.client.set_cookie(refresh_cookie("direct"), "qcr_x", domain="localhost")

    answer = api.call("POST", "/api/token", data=REFRESH, headers=COOKIE_HEADER)

    assert_oauth_error(answer, 400, "invalid_grant")
    assert f"{refresh_cookie('direct')}=;" in answer.headers["Set-Cookie"]


def test_a_service_gets_a_token_by_its_secret(api: Api) -> None:
    service = Service(api, scopes=["otp:send", "otp:status"])

    body = service.ask("/api/token", SERVICE).json

    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 600)
    assert body["scope"] == "otp:send otp:status"
    found = api.services.identity.tokens.check_service(body["access_token"])
    assert (found.client_id, found.scopes) == (CLIENT, ["otp:send", "otp:status"])


def test_a_service_gets_a_token_by_what_it_signs(api: Api) -> None:
    service = Service(api)
    form = {**SERVICE, **service.assertion()}

    assert api.call("POST", "/api/token", data=form).status_code == 200
    # Once.
    used = api.call("POST", "/api/token", data=form)
    assert_oauth_error(used, 401, "invalid_client")


def test_a_service_may_ask_for_fewer_scopes(api: Api) -> None:
    service = Service(api, scopes=["otp:send", "otp:status"])

    body = service.ask("/api/token", {**SERVICE, "scope": "otp:status"}).json

    assert body["scope"] == "otp:status"


@pytest.mark.parametrize("scope", ["admin", "otp:send admin", "otp:send  ", "phone"])
def test_a_service_gets_no_scope_that_it_does_not_have(api: Api, scope: str) -> None:
    service = Service(api, scopes=["otp:send"])

    answer = service.ask("/api/token", {**SERVICE, "scope": scope})

    assert_oauth_error(answer, 400, "invalid_scope")


def test_a_service_token_is_no_persons(api: Api) -> None:
    token = Service(api).token()

    assert api.me(token).status_code == 401


BAD_CREDENTIALS: dict[str, Callable[[Service], dict[str, Any]]] = {
    "none": lambda _: {},
    "another secret": lambda it: {"headers": basic(it.id, "qcs_x")},
    "another client": lambda it: {"headers": basic("svc-made-up", it.secret)},
    "no base64": lambda _: {"headers": {"Authorization": "Basic é!"}},
    "no UTF-8": lambda _: {"headers": {"Authorization": "Basic //79"}},
    "no form-encoding": lambda _: {"headers": {"Authorization": "Basic JWZmOiVmZg=="}},
    "no pair": lambda _: {"headers": {"Authorization": "Basic c3Zj"}},
    "nothing": lambda _: {"headers": {"Authorization": "Basic"}},
    "a bearer": lambda it: {"headers": {"Authorization": f"Bearer {it.secret}"}},
    "the secret in the form": lambda it: {
        "data": {**SERVICE, "client_id": it.id, "client_secret": it.secret}
    },
    "another id beside it": lambda it: {
        "headers": it.basic,
        "data": {**SERVICE, "client_id": "svc-other"},
    },
    "an assertion of no type": lambda it: {
        "data": {**SERVICE, "client_assertion": it.assertion()["client_assertion"]}
    },
    "a type without an assertion": lambda it: {
        "data": {
            **SERVICE,
            "client_assertion_type": it.assertion()["client_assertion_type"],
        }
    },
    "a strangers assertion": lambda it: {
        "data": {
            **SERVICE,
            **it.assertion(),
            "client_assertion": Signer().sign(it.signer.claims(it.api.clock)),
        }
    },
}


@pytest.mark.parametrize("credentials", BAD_CREDENTIALS)
def test_who_does_not_prove_who_it_is_gets_nothing(api: Api, credentials: str) -> None:
    options = BAD_CREDENTIALS[credentials](Service(api))

    answer = api.call("POST", "/api/token", **{"data": SERVICE, **options})

    assert_oauth_error(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("path", ["", "/introspect", "/revoke"])
def test_two_ways_to_authenticate_are_one_too_many(api: Api, path: str) -> None:
    service = Service(api)
    form = {**SERVICE, "token": "x", **service.assertion()}

    answer = service.ask(f"/api/token{path}", form)

    assert_oauth_error(answer, 400, "invalid_request")


def test_credentials_are_form_decoded(api: Api) -> None:
    service = Service(api)
    pair = f"svc%2Dorders:{service.secret.replace('_', '%5F')}"
    header = {"Authorization": f"basic {base64.b64encode(pair.encode()).decode()}"}
    answer = api.call("POST", "/api/token", data=SERVICE, headers=header)

    assert answer.status_code == 200


def test_a_revoked_secret_is_refused_at_the_next_look(api: Api) -> None:
    service = Service(api)
    service.change(secrets=())

    assert_oauth_error(service.ask("/api/token", SERVICE), 401, "invalid_client")


def test_a_removed_clients_token_is_good_for_nothing(api: Api) -> None:
    service = Service(api, scopes=["otp:send"])
    headers = {"Authorization": f"Bearer {service.token()}"}

    service.remove()

    assert api.send(headers=headers).json["code"] == "invalid_token"


BAD_FORMS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "invalid_request"),
    "no grant": (b"a=b", "invalid_request"),
    "an empty grant": (b"grant_type=", "invalid_request"),
    "another grant": (b"grant_type=password", "unsupported_grant_type"),
    "no token": (b"grant_type=refresh_token", "invalid_request"),
    "an empty token": (b"grant_type=refresh_token&refresh_token=", "invalid_request"),
    "twice": (b"grant_type=refresh_token&grant_type=password", "invalid_request"),
    "twice unknown": (b"grant_type=password&a=1&a=1", "invalid_request"),
    "no UTF-8": (b"grant_type=%ff", "invalid_request"),
    "raw bytes": (b"grant_type=\xff", "invalid_request"),
    "too many": (b"&".join(b"a%d=1" % it for it in range(40)), "invalid_request"),
    "quotes": (b'"\\=1&"\\=2', "invalid_request"),
}


@pytest.mark.parametrize("form", BAD_FORMS)
@pytest.mark.parametrize("path", ["", "/introspect", "/revoke"])
def test_a_bad_form_is_refused(shared_api: Api, path: str, form: str) -> None:
    body, error = BAD_FORMS[form]

    answer = shared_api.call(
        "POST",
        f"/api/token{path}",
        data=body,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code in {400, 401}
    assert set(answer.json["error_description"]).isdisjoint('"\\')
    if not path:
        assert_oauth_error(answer, 400, error)


@pytest.mark.parametrize("path", ["", "/introspect", "/revoke"])
def test_only_forms_are_read_and_only_posts(shared_api: Api, path: str) -> None:
    path = f"/api/token{path}"

    as_json = shared_api.call("POST", path, json=REFRESH)
    got = shared_api.call("GET", f"{path}?grant_type=refresh_token")
    large = shared_api.call("POST", path, data={"a": "x" * 5000})

    assert_oauth_error(as_json, 415, "invalid_request")
    assert "x-www-form-urlencoded" in as_json.json["error_description"]
    assert_oauth_error(got, 405, "invalid_request")
    assert_oauth_error(large, 413, "invalid_request")


def test_unknown_parameters_are_passed_over(api: Api) -> None:
    form = {
        **REFRESH,
        "refresh_token": api.login()["refresh_token"],
        "resource": "https://orders.example",
        "x": "é",
    }

    assert api.call("POST", "/api/token", data=form).status_code == 200


def test_without_redis_nothing_is_given(make_api: MakeApi, api: Api) -> None:
    login = api.login(OTHER_PHONE)
    away = make_api(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    answers = [
        away.refresh(login["refresh_token"]),
        away.call("POST", "/api/token", data=SERVICE, headers=basic(CLIENT, "x")),
    ]

    for answer in answers:
        assert_oauth_error(answer, 503, "temporarily_unavailable")
        assert answer.headers["Retry-After"]


def test_the_issuer_is_in_the_token(api: Api) -> None:
    service = Service(api)
    form = {"token": service.token()}

    assert service.ask("/api/token/introspect", form).json["iss"] == ISSUER
