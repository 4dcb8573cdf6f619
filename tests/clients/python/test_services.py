"""The kit's examples, ten lines each, with the running service behind them."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from quickcart_auth import InvalidToken, Verifier
from tests.clients.python.asking import ask
from tests.clients.python.running import ADMIN, Running, load_example

PHONE, FROZEN = "+919812345678", "+919823456789"

# Status and JSON of a path, with a token or without.
Get = Callable[..., tuple[int, dict[str, str]]]


@pytest.fixture(params=["flask_service", "fastapi_service"])
def get(running: Running, request: pytest.FixtureRequest) -> Iterator[Get]:
    """Ask one of the two services."""
    example = load_example(request.param)

    def get_flask(path: str, token: str | None = None) -> tuple[int, dict[str, str]]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = example.app.test_client().get(path, headers=headers)
        return answer.status_code, answer.get_json()

    def get_fastapi(path: str, token: str | None = None) -> tuple[int, dict[str, str]]:
        answer = ask(example.app, path, token)
        return answer.status_code, answer.json()

    with closing(example.verifier):
        yield get_flask if request.param == "flask_service" else get_fastapi


def test_who_is_not_logged_in_is_told_so(get: Get) -> None:
    status, body = get("/orders")

    assert (status, body["code"]) == (401, "invalid_token")


def test_a_customer_gets_in_and_an_admin_further(running: Running, get: Get) -> None:
    customer, admin = running.login(PHONE), running.login(ADMIN)

    status, body = get("/orders", customer)
    assert (status, len(body["orders_of"])) == (200, 22)
    status, body = get("/reports", customer)
    assert (status, body["code"]) == (403, "insufficient_role")
    assert get("/reports", admin)[0] == 200


def test_a_frozen_person_is_refused_at_once(running: Running, get: Get) -> None:
    running.operate("grant-role", phone=FROZEN, role="admin")
    token = running.login(FROZEN)
    running.operate("freeze", phone=FROZEN, reason="test")

    # Nothing was asked about this token before; so no answer is kept.
    status, body = get("/reports", token)

    assert (status, body["code"]) == (401, "invalid_token")
    # Without asking it is good until it ends: that is what live is for.
    assert get("/orders", token)[0] == 200


def test_a_role_that_was_taken_is_gone_at_once(running: Running, get: Get) -> None:
    running.operate("grant-role", phone=PHONE, role="admin")
    token = running.login(PHONE)
    running.operate("take-role", phone=PHONE, role="admin")

    assert get("/reports", token)[0] == 403


def test_logging_out_is_seen_by_who_asks(running: Running, get: Get) -> None:
    token = running.login(ADMIN)
    headers = {"Authorization": f"Bearer {token}"}
    assert running.service.call("POST", "/api/logout", {}, headers).status in (200, 204)

    assert get("/reports", token)[0] == 401


def test_neither_services_nor_receipts_are_people(running: Running, get: Get) -> None:
    for token in (running.service_token(), running.receipt(PHONE)):
        assert get("/orders", token)[0] == 401


def test_a_receipt_says_which_phone_was_verified(running: Running) -> None:
    token, access = running.receipt(PHONE), running.login(ADMIN)

    with closing(Verifier(running.issuer, "quickcart")) as verifier:
        receipt = verifier.verify_receipt(token)
        with pytest.raises(InvalidToken):
            verifier.verify_receipt(access)

    assert (receipt.phone, receipt.purpose) == (PHONE, "verify")
