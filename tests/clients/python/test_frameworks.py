"""The kit in Flask and FastAPI: who is let in, and what everybody else is told."""

import threading
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from flask import Flask, g

from quickcart_auth import Identity, Introspection, Verifier
from quickcart_auth.demands import Demand, Denied
from quickcart_auth.fastapi import answer_problems, login_required
from quickcart_auth.flask import require_login
from tests.clients.python.asking import ask
from tests.clients.python.kit import NOW, PEM, Served, make_verifier
from tests.corpus.forge import Forge
from tests.corpus.good import PHONE, good_access, good_receipt

ACCESS = good_access(PEM, now=NOW)
ADMIN = good_access(PEM, now=NOW, roles=["customer", "admin"], scope="phone orders")
RECEIPT = good_receipt(PEM, now=NOW)
FORGE = Forge.of(ACCESS, PEM)

DEMANDS: dict[str, dict[str, Any]] = {
    "/person": {},
    "/admin": {"role": "admin"},
    "/orders": {"scope": "orders"},
}

# Status, headers and JSON for a path and the header Authorization.
Call = Callable[[str, str | None], tuple[int, Any, Any]]


@pytest.fixture(scope="module")
def served() -> Served:
    return Served(FORGE)


def call_flask(verifier: Verifier) -> Call:
    app = Flask("service")
    for path, asked in DEMANDS.items():

        @app.get(path, endpoint=path)
        @require_login(verifier, **asked)
        def view() -> dict[str, str]:
            return {"subject": g.identity.subject}

    client = app.test_client()

    def call(path: str, authorization: str | None) -> tuple[int, Any, Any]:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.headers, answer.get_json()

    return call


def call_fastapi(verifier: Verifier) -> Call:
    app = FastAPI()
    answer_problems(app)
    for path, asked in DEMANDS.items():
        identity_of = login_required(verifier, **asked)

        @app.get(path)
        def view(person: Annotated[Identity, Depends(identity_of)]) -> dict[str, str]:
            return {"subject": person.subject}

    def call(path: str, authorization: str | None) -> tuple[int, Any, Any]:
        headers = {} if authorization is None else {"Authorization": authorization}
        answer = ask(app, path, **headers)
        return answer.status_code, answer.headers, answer.json()

    return call


@pytest.fixture(params=[call_flask, call_fastapi], ids=["flask", "fastapi"])
def make_call(request: pytest.FixtureRequest) -> Callable[[Verifier], Call]:
    made: Callable[[Verifier], Call] = request.param
    return made


@pytest.fixture
def call(make_call: Callable[[Verifier], Call], served: Served) -> Call:
    return make_call(make_verifier(served))


def assert_denied(
    found: tuple[int, Any, Any], status: int, code: str, challenge: str | None
) -> None:
    assert (found[0], found[2]["status"], found[2]["code"]) == (status, status, code)
    assert found[1]["Content-Type"] == "application/problem+json"
    assert found[1].get("WWW-Authenticate") == challenge


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_who_is_logged_in_gets_in(call: Call, scheme: str) -> None:
    status, _, body = call("/person", f"{scheme} {ACCESS}")

    assert (status, body) == (200, {"subject": FORGE.claims["sub"]})


@pytest.mark.parametrize("authorization", [None, "", "Basic eDp5", "Token x"])
def test_without_a_token_a_login_is_asked_for(
    call: Call, authorization: str | None
) -> None:
    # RFC 6750 3.1: no error where nothing was tried.
    found = call("/person", authorization)

    assert_denied(found, 401, "invalid_token", "Bearer")


@pytest.mark.parametrize("token", ["", "x", "a.b.c", RECEIPT, f"{ACCESS} {ACCESS}"])
def test_a_bad_token_is_refused(call: Call, token: str) -> None:
    found = call("/person", f"Bearer {token}")

    assert_denied(found, 401, "invalid_token", 'Bearer error="invalid_token"')


def test_all_bad_tokens_get_one_answer(call: Call) -> None:
    expired = FORGE.with_claims(exp=NOW - 31)

    assert call("/person", f"Bearer {expired}")[2] == call("/person", "Bearer x")[2]


def test_a_role_is_asked_for(call: Call) -> None:
    assert call("/admin", f"Bearer {ADMIN}")[0] == 200

    found = call("/admin", f"Bearer {ACCESS}")

    expected = 'Bearer error="insufficient_scope"'
    assert_denied(found, 403, "insufficient_role", expected)


def test_a_scope_is_asked_for(call: Call) -> None:
    assert call("/orders", f"Bearer {ADMIN}")[0] == 200

    found = call("/orders", f"Bearer {ACCESS}")

    expected = 'Bearer error="insufficient_scope", scope="orders"'
    assert_denied(found, 403, "insufficient_scope", expected)


def test_without_keys_it_says_so(make_call: Callable[[Verifier], Call]) -> None:
    served = Served(FORGE)
    served.failure = "status 503"

    found = make_call(make_verifier(served))("/person", f"Bearer {ACCESS}")

    assert_denied(found, 503, "auth_unavailable", None)
    assert found[1]["Retry-After"] == "1"
    assert "503" not in found[2]["title"]


@pytest.mark.parametrize(("age", "good"), [(300, True), (301, False)])
def test_a_fresh_login_can_be_asked_for(
    served: Served, age: int, *, good: bool
) -> None:
    verifier = make_verifier(served, now=NOW + age)
    demand = Demand(verifier, max_age_seconds=300)

    if good:
        assert demand.check(f"Bearer {ACCESS}").auth_time == NOW
        return
    with pytest.raises(Denied) as denied:
        demand.check(f"Bearer {ACCESS}")
    # RFC 9470 3.
    assert denied.value.status == 401
    assert denied.value.problem["code"] == "fresh_login_required"
    challenge = denied.value.headers["WWW-Authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'max_age="300"' in challenge


@pytest.mark.parametrize("guard", [require_login, login_required])
def test_live_without_somebody_to_ask_is_seen_at_the_start(
    guard: Callable[..., object], served: Served
) -> None:
    with pytest.raises(ValueError, match="introspection"):
        guard(make_verifier(served), live=True)


def test_live_with_somebody_to_ask_is_taken(served: Served) -> None:
    introspection = Introspection("svc-orders", "secret")
    verifier = make_verifier(served, introspection=introspection)

    assert callable(login_required(verifier, live=True))


def test_fastapi_checks_off_the_event_loop(served: Served) -> None:
    threads: list[str] = []
    verifier = make_verifier(served)
    app = FastAPI()
    identity_of = login_required(verifier)

    def watched(person: Annotated[Identity, Depends(identity_of)]) -> Identity:
        threads.append(threading.current_thread().name)
        return person

    @app.get("/")
    async def view(person: Annotated[Identity, Depends(watched)]) -> None:
        threads.append(threading.current_thread().name)

    ask(app, "/", ACCESS)

    assert threads[0] != threads[1]


def test_fastapi_documents_the_login(served: Served) -> None:
    app = FastAPI()

    @app.get("/")
    def view(
        person: Annotated[Identity, Depends(login_required(make_verifier(served)))],
    ) -> None: ...

    document = app.openapi()

    assert document["paths"]["/"]["get"]["security"] == [{"HTTPBearer": []}]
    schemes = document["components"]["securitySchemes"]
    assert schemes["HTTPBearer"]["scheme"] == "bearer"


def test_fastapi_answers_in_its_own_form_too(served: Served) -> None:
    app = FastAPI()

    @app.get("/")
    def view(
        person: Annotated[Identity, Depends(login_required(make_verifier(served)))],
    ) -> None: ...

    answer = ask(app, "/")

    assert (answer.status_code, answer.json()) == (401, {"detail": "A login is needed"})
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_flask_view_keeps_its_name(served: Served) -> None:
    app = Flask("service")

    @app.get("/")
    @require_login(make_verifier(served))
    def orders() -> str:
        """Say whose."""
        return str(g.identity.subject)

    assert (orders.__name__, orders.__doc__) == ("orders", "Say whose.")
    headers = {"Authorization": f"Bearer {ACCESS}"}
    assert app.test_client().get("/", headers=headers).text == FORGE.claims["sub"]


def test_what_is_let_in_shows_no_phone(served: Served) -> None:
    phone: dict[str, Any] = {"phone_number": PHONE, "phone_number_verified": True}
    token = good_access(PEM, now=NOW, scope="phone", **phone)
    found: list[Identity] = []
    app = Flask("service")

    @app.get("/")
    @require_login(make_verifier(served))
    def view() -> str:
        found.append(g.identity)
        return repr(g.identity)

    headers = {"Authorization": f"Bearer {token}"}
    text = app.test_client().get("/", headers=headers).text

    assert found[0].phone == PHONE
    assert PHONE not in text
