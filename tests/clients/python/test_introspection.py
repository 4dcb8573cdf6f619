"""Asking the auth service whether a token lives: how often, and what if it is gone."""

import base64
from typing import Any
from urllib.parse import parse_qs

import pytest

from quickcart_auth import (
    Introspection,
    IntrospectionUnavailable,
    InvalidCredentials,
)
from quickcart_auth.http import Document, Endpoint, FetchFailed
from quickcart_auth.introspection import Introspector, Liveness
from tests.fakes import FakeClock

SECRET = "s3cret:with/signs"


class Asked(Endpoint):
    """An introspection endpoint without a network."""

    def __init__(self, **answer: Any) -> None:
        super().__init__("http://127.0.0.1:9/introspect")
        self.answer = answer
        self.failure: str | None = None
        self.status: int | None = None
        self.bodies: list[dict[str, list[str]]] = []
        self.headers: list[dict[str, str]] = []

    def fetch(
        self, method: str = "GET", body: bytes | None = None, headers: Any = None
    ) -> Document:
        assert method == "POST"
        self.bodies.append(parse_qs((body or b"").decode()))
        self.headers.append(headers)
        if self.failure is not None:
            raise FetchFailed(self.failure, self.status)
        return Document(self.answer)


def make(endpoint: Endpoint, clock: FakeClock, **settings: Any) -> Introspector:
    introspection = Introspection("svc-orders", SECRET, **settings)
    return Introspector(introspection, endpoint, monotonic=clock.monotonic)


def test_the_service_is_asked_as_rfc_7662_says(clock: FakeClock) -> None:
    endpoint = Asked(active=True)

    assert make(endpoint, clock).ask("a+b") == Liveness(
        active=True, subject=None, roles=None
    )

    assert endpoint.bodies == [{"token": ["a+b"], "token_type_hint": ["access_token"]}]
    kind, _, pair = endpoint.headers[0]["Authorization"].partition(" ")
    assert kind == "Basic"
    # Form-encoded first: RFC 6749 2.3.1.
    assert base64.b64decode(pair) == b"svc-orders:s3cret%3Awith%2Fsigns"


@pytest.mark.parametrize("active", [True, False])
def test_an_answer_is_kept_for_five_seconds(clock: FakeClock, *, active: bool) -> None:
    endpoint = Asked(active=active)
    introspector = make(endpoint, clock)
    for _ in range(3):
        introspector.ask("token")
    introspector.ask("another")
    assert len(endpoint.bodies) == 2

    clock.advance(5)
    endpoint.answer = {"active": not active}

    assert introspector.ask("token") == Liveness(
        active=not active, subject=None, roles=None
    )


def test_answers_do_not_pile_up(clock: FakeClock) -> None:
    introspector = make(Asked(active=False), clock)

    for number in range(10_050):
        introspector.ask(f"token {number}")

    assert len(introspector._answers) == 10_000


def test_the_roles_of_now_are_told(clock: FakeClock) -> None:
    endpoint = Asked(active=True, sub="person", roles=["customer", "admin"])

    answer = make(endpoint, clock).ask("token")

    assert answer == Liveness(
        active=True, subject="person", roles=("customer", "admin")
    )


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"active": "true"},
        {"active": 1},
        {"active": True, "sub": 1},
        {"active": True, "roles": "admin"},
        {"active": True, "roles": [1]},
    ],
    ids=str,
)
def test_what_is_no_answer_lets_nobody_in(
    clock: FakeClock, answer: dict[str, Any]
) -> None:
    with pytest.raises(IntrospectionUnavailable):
        make(Asked(**answer), clock).ask("token")


def test_a_failure_refuses_unless_told_otherwise(clock: FakeClock) -> None:
    endpoint = Asked(active=True)
    endpoint.failure = "timeout"

    with pytest.raises(IntrospectionUnavailable, match="timeout"):
        make(endpoint, clock).ask("token")
    assert make(endpoint, clock, on_failure="accept_offline").ask("token") is None


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("on_failure", ["refuse", "accept_offline"])
def test_a_refused_client_is_no_outage(
    clock: FakeClock, status: int, on_failure: str, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = Asked(active=True)
    endpoint.failure, endpoint.status = f"status {status}", status
    introspector = make(endpoint, clock, on_failure=on_failure)

    for _ in range(2):
        with pytest.raises(InvalidCredentials):
            introspector.ask("token")
    assert caplog.text.count("refuses the client") == 1
    assert SECRET not in caplog.text

    endpoint.failure = None
    clock.advance(1)
    assert introspector.ask("token")


def test_after_a_failure_others_do_not_wait_for_it_too(clock: FakeClock) -> None:
    endpoint = Asked(active=True)
    endpoint.failure = "timeout"
    introspector = make(endpoint, clock)
    for _ in range(5):
        with pytest.raises(IntrospectionUnavailable):
            introspector.ask("token")
    assert len(endpoint.bodies) == 1

    endpoint.failure = None
    clock.advance(1)

    assert introspector.ask("token") == Liveness(active=True, subject=None, roles=None)


def test_the_secret_is_in_no_repr() -> None:
    assert SECRET not in repr(Introspection("svc-orders", SECRET))
