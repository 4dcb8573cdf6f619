"""Services that send and verify for people, and ask how a phone's code fares."""

import pytest

from tests.backend.api import (
    OTHER_PHONE,
    PEER,
    PHONE,
    REFUSING,
    Api,
    assert_problem,
    fields_of,
    phones,
)
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service, basic

PERSON = "203.0.113.7"


def bearer(service: Service) -> dict[str, str]:
    return {"Authorization": f"Bearer {service.token()}"}


@pytest.fixture
def service(api: Api) -> Service:
    return Service(api, scopes=["otp:send", "otp:status"])


def test_a_service_logs_a_person_in(service: Service) -> None:
    api, headers = service.api, bearer(service)
    verification = api.start(PHONE, headers=headers, end_user_ip=PERSON)

    answer = api.verify(
        verification, PHONE, api.code_of(), headers=headers, end_user_ip=PERSON
    )

    token = answer.json["access_token"]
    session = api.services.identity.tokens.check_access(token)
    assert session.client_id == service.id
    assert api.me(token).status_code == 200


def test_a_code_is_the_services_that_asked_for_it(service: Service) -> None:
    api = service.api
    verification = api.start(PHONE, headers=bearer(service))

    answer = api.verify(verification, PHONE, api.code_of())

    assert_problem(answer, 410, "verification_gone")


def test_limits_count_the_person_and_not_the_service(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="1/10m", RULE_MODES=REFUSING)
    headers = bearer(Service(api, scopes=["otp:send"]))

    first = api.send(PHONE, headers=headers, end_user_ip=PERSON)
    same_person = api.send(OTHER_PHONE, headers=headers, end_user_ip=PERSON)
    another = api.send(OTHER_PHONE, headers=headers, end_user_ip="2001:db8::1")
    neighbour = api.send("+919812000000", headers=headers, end_user_ip="2001:db8::2")
    itself = api.send("+919811111111", headers=headers)
    itself_again = api.send("+919822222222", headers=headers)

    statuses = [first, same_person, another, neighbour, itself, itself_again]
    assert [it.status_code for it in statuses] == [202, 429, 202, 429, 202, 429]
    assert PEER not in api.log.getvalue().decode()


def test_what_a_service_says_of_an_address_costs_nobody_else_there(
    make_api: MakeApi,
) -> None:
    api = make_api(SENDS_PER_IP="1/10m", RULE_MODES=REFUSING)
    headers = bearer(Service(api, scopes=["otp:send"]))
    other = bearer(Service(api, "svc-other", scopes=["otp:send"]))
    first, second, third, fourth = phones(4)

    # The address of everybody here is PEER.
    answers = [
        api.send(first, headers=headers, end_user_ip=PEER),
        api.send(second, headers=headers, end_user_ip=PEER),
        api.send(second),
        api.send(third, headers=other, end_user_ip=PEER),
        api.send(fourth),
    ]

    assert [it.status_code for it in answers] == [202, 429, 202, 202, 429]


INNER = [
    *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1"),
    *("169.254.169.254", "0.1.2.3", "224.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1"),
    *("fe80::1%eth0", "2001:db8::1%eth0"),
]


@pytest.mark.parametrize("address", INNER)
def test_in_production_nobody_is_at_an_inner_address(
    service: Service, address: str
) -> None:
    api, headers = service.api, bearer(service)

    sent = api.send(PHONE, headers=headers, end_user_ip=address)
    verified = api.verify(
        "A" * 43, PHONE, "123456", headers=headers, end_user_ip=address
    )

    for answer in (sent, verified):
        assert_problem(answer, 422, "invalid_request")
        assert fields_of(answer) == ["end_user_ip"]
    assert api.simulator.messages() == []


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "fe80::1%eth0"])
def test_in_development_everybody_is_at_one(
    make_development: MakeApi, address: str
) -> None:
    service = Service(make_development(), scopes=["otp:send"])

    answer = service.api.send(PHONE, headers=bearer(service), end_user_ip=address)

    assert answer.status_code == 202


@pytest.mark.parametrize("path", ["send", "verify"])
def test_the_address_of_a_person_takes_a_service_token(api: Api, path: str) -> None:
    if path == "send":
        answer = api.send(PHONE, end_user_ip=PERSON)
    else:
        answer = api.verify("A" * 43, PHONE, "123456", end_user_ip=PERSON)

    assert_problem(answer, 401, "invalid_token")
    assert answer.json["detail"].startswith("Leave end_user_ip out")
    assert answer.headers["WWW-Authenticate"]
    assert api.simulator.messages() == []


def test_a_token_that_is_not_good_is_never_passed_over(api: Api) -> None:
    person = api.login(OTHER_PHONE)["access_token"]

    for token in ("x", person):
        headers = {"Authorization": f"Bearer {token}"}
        sent = api.send(PHONE, headers=headers)
        verified = api.verify("A" * 43, PHONE, "123456", headers=headers)
        for answer in (sent, verified):
            assert_problem(answer, 401, "invalid_token")
            # Whoever writes the front end learns what to do.
            assert answer.json["detail"].startswith("Leave Authorization out here")


def test_sending_takes_its_scope(api: Api) -> None:
    headers = bearer(Service(api, scopes=["otp:status"]))

    answer = api.send(PHONE, headers=headers, end_user_ip=PERSON)

    assert_problem(answer, 403, "insufficient_scope")
    assert "insufficient_scope" in answer.headers["WWW-Authenticate"]


def test_a_scope_that_is_taken_away_is_gone_at_once(service: Service) -> None:
    headers = bearer(service)

    service.change(scopes=frozenset({"otp:status"}))

    answer = service.api.send(PHONE, headers=headers)
    assert_problem(answer, 403, "insufficient_scope")


def test_a_namesakes_tokens_are_not_a_clients(service: Service) -> None:
    api, headers = service.api, bearer(service)
    service.remove()
    assert_problem(api.send(PHONE, headers=headers), 401, "invalid_token")

    api.clock.advance(1)
    again = Service(api, service.id, scopes=["otp:send"])

    assert_problem(api.send(PHONE, headers=headers), 401, "invalid_token")
    assert api.send(PHONE, headers=bearer(again)).status_code == 202


def test_credentials_of_another_scheme_are_a_proxys(api: Api) -> None:
    assert api.send(PHONE, headers=basic("staging", "x")).status_code == 202


@pytest.mark.parametrize(
    "address", ["", "1.2.3", "1.2.3.4/32", "localhost", "::g", "1.2.3.4, 5.6.7.8", 7]
)
def test_an_address_must_be_one(service: Service, address: object) -> None:
    api = service.api

    answer = api.send(PHONE, headers=bearer(service), end_user_ip=address)

    assert_problem(answer, 422, "invalid_request")
    assert fields_of(answer) == ["end_user_ip"]


@pytest.mark.parametrize(
    "spelling", [PHONE, "%2B919876543210", "9876543210", "919876543210"]
)
def test_a_service_asks_how_a_phones_code_fares(
    service: Service, spelling: str
) -> None:
    api = service.api
    verification = api.start(PHONE)

    answer = api.call("GET", f"/api/otp-status/{spelling}", headers=bearer(service))

    assert answer.status_code == 200
    assert answer.json == api.status(verification).json
    assert answer.json["state"] == "pending"


def test_the_newest_verification_counts_whoever_asked(make_api: MakeApi) -> None:
    shop = "https://shop.example.com"
    api = make_api(STOREFRONT_ORIGINS=shop)
    headers = bearer(Service(api, scopes=["otp:status"]))
    first = api.start(PHONE)
    assert api.verify(first, PHONE, api.code_of()).status_code == 200
    path = f"/api/otp-status/{PHONE}"
    assert api.call("GET", path, headers=headers).json["state"] == "verified"

    api.clock.advance(60)
    api.start(PHONE, origin=shop)

    assert api.call("GET", path, headers=headers).json["state"] == "pending"
    api.clock.advance(301)
    assert api.call("GET", path, headers=headers).json["state"] == "expired"


def test_of_a_phone_that_was_never_asked_for_there_is_nothing(
    service: Service,
) -> None:
    path = f"/api/otp-status/{OTHER_PHONE}"

    answer = service.api.call("GET", path, headers=bearer(service))

    assert answer.json["state"] == "none"


@pytest.mark.parametrize(
    ("spelling", "status", "code"),
    [("+1234", 422, "phone_invalid"), ("+12125552368", 422, "phone_not_supported")],
)
def test_what_is_no_number_of_ours_is_said(
    service: Service, spelling: str, status: int, code: str
) -> None:
    path = f"/api/otp-status/{spelling}"

    assert_problem(service.api.call("GET", path, headers=bearer(service)), status, code)


def test_asking_about_a_phone_takes_a_service_and_its_scope(api: Api) -> None:
    path, service = f"/api/otp-status/{PHONE}", Service(api, scopes=["otp:send"])
    person = {"Authorization": f"Bearer {api.login(OTHER_PHONE)['access_token']}"}

    assert_problem(api.call("GET", path), 401, "invalid_token")
    assert_problem(api.call("GET", path, headers=person), 401, "invalid_token")
    assert_problem(
        api.call("GET", path, headers=bearer(service)), 403, "insufficient_scope"
    )
