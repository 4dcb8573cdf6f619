"""private_key_jwt: who signs, for whom, until when, and once."""

import base64
import math
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from joserfc.jws import JWSRegistry

from services.errors import InvalidClient, StoreUnavailable
from services.events import ClientChecked
from services.identity.clients.assertions import Assertions
from services.identity.clients.service_clients import ServiceClients
from services.identity.keys.signing_keys import ALGORITHMS, Algorithm
from tests.redis_server import RedisServer
from tests.services.identity.clients.service_clients import (
    CLIENT,
    ISSUER,
    TOKEN_URL,
    Signer,
    make_client,
)
from tests.services.stores import Store, open_real
from tests.services.threads import at_once

OTHER = "svc-other"


class World:
    """A client that signs, another one, and who checks."""

    def __init__(self, store: Store, *, algorithm: Algorithm = "ES256") -> None:
        self.store = store
        self.signer, self.stranger = Signer(algorithm), Signer()
        self.stored = [
            make_client(secrets=(), public_keys=(self.signer.public,)),
            make_client(OTHER, secrets=(), public_keys=(self.stranger.public,)),
        ]
        clients = ServiceClients(
            lambda: self.stored, clock=store.clock, emit=store.events.append
        )
        self.assertions = Assertions(
            clients,
            store.scripts,
            audiences=(ISSUER, TOKEN_URL),
            key=b"k" * 32,
            clock=store.clock,
        )

    def sign(self, **changed: Any) -> str:
        return self.signer.sign(self.signer.claims(self.store.clock, **changed))

    def is_let_in(self, assertion: str) -> bool:
        try:
            client = self.assertions.check(assertion)
        except InvalidClient:
            return False
        assert client.id == CLIENT
        return True

    def told(self) -> ClientChecked:
        """The last event."""
        checks = [it for it in self.store.events if isinstance(it, ClientChecked)]
        return checks[-1]

    def outcome(self) -> str:
        return self.told().outcome


def forge(world: World, header: dict[str, Any]) -> str:
    """Sign by hand what the library would not."""

    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=")

    signed = part(header) + b"." + part(world.signer.claims(world.store.clock))
    algorithm = JWSRegistry.algorithms["ES256"]
    signature = algorithm.sign(signed, world.signer.key.key)
    return (
        f"{signed.decode()}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
    )


@pytest.fixture
def world(real_store: Store) -> World:
    return World(real_store)


@pytest.mark.contract
def test_an_assertion_works_once(store: Store) -> None:
    world = World(store)
    assertion = world.sign()

    assert world.is_let_in(assertion)
    assert not world.is_let_in(assertion)
    assert world.outcome() == "replayed"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_kind_of_key_signs(real_store: Store, algorithm: Algorithm) -> None:
    world = World(real_store, algorithm=algorithm)

    assert world.is_let_in(world.sign())


@pytest.mark.parametrize(
    "audience", [ISSUER, TOKEN_URL, [ISSUER], [TOKEN_URL]], ids=str
)
def test_an_assertion_is_for_the_issuer_or_its_token_endpoint(
    world: World, audience: object
) -> None:
    assert world.is_let_in(world.sign(aud=audience))


def test_another_jti_is_another_assertion(world: World) -> None:
    assert world.is_let_in(world.sign(jti="a"))
    assert world.is_let_in(world.sign(jti="b"))


def test_equal_jtis_of_two_clients_are_two_assertions(world: World) -> None:
    world.assertions.check(world.sign())
    claims = world.stranger.claims(world.store.clock, iss=OTHER, sub=OTHER)

    assert world.assertions.check(world.stranger.sign(claims)).id == OTHER


def test_of_twenty_uses_at_once_one_wins(world: World) -> None:
    assertion = world.sign()

    assert at_once(20, lambda _: world.is_let_in(assertion)).count(True) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": OTHER},
        {"iss": None},
        {"aud": None},
        {"aud": "https://auth.shop.example.evil"},
        {"aud": f"{ISSUER}/"},
        {"aud": [ISSUER, "https://elsewhere.example"]},
        {"aud": []},
        {"aud": {"a": 1}},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "x" * 257},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": "now"},
        {"nbf": [1]},
    ],
    ids=str,
)
def test_a_claim_that_does_not_fit_is_refused_and_told(
    world: World, changed: dict[str, Any]
) -> None:
    assert not world.is_let_in(world.sign(**changed))

    told, claims = world.told(), [*changed]
    assert (told.client, told.outcome) == (CLIENT, "wrong_claims")
    assert [told.claim] == claims


@pytest.mark.parametrize(
    ("claim", "offset", "good"),
    [
        ("exp", -29, True),
        ("exp", -30, False),
        ("exp", 3600, True),
        ("iat", -329, True),
        ("iat", -330, False),
        ("iat", 30, True),
        ("iat", 31, False),
        ("nbf", 30, True),
        ("nbf", 31, False),
    ],
)
def test_an_assertion_has_its_time(
    world: World, claim: str, offset: int, *, good: bool
) -> None:
    at = int(world.store.clock.now()) + offset

    assert world.is_let_in(world.sign(**{claim: at})) is good
    assert world.told().claim == ("" if good else claim)


@pytest.mark.parametrize(("ahead", "good"), [(330, True), (331, False)])
def test_without_its_beginning_an_assertion_must_end_soon(
    world: World, ahead: int, *, good: bool
) -> None:
    end = int(world.store.clock.now()) + ahead

    assert world.is_let_in(world.sign(iat=None, exp=end)) is good


def test_a_life_without_end_is_refused(world: World) -> None:
    assert not world.is_let_in(world.sign(exp=math.inf))
    assert not world.is_let_in(world.sign(exp=math.nan))
    assert not world.is_let_in(world.sign(exp=10**400))


def test_another_clients_key_signs_nothing_for_this_one(world: World) -> None:
    claims = world.signer.claims(world.store.clock)

    assert not world.is_let_in(world.stranger.sign(claims))
    assert not world.is_let_in(world.stranger.sign(claims, kid=world.signer.key.kid))
    assert world.outcome() == "wrong_signature"


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "another"},
        {"kid": ["a"]},
        {"kid": {"a": 1}},
        {"typ": "at+jwt"},
        {"typ": 5},
        {"typ": ["JWT"]},
        {"crit": ["x"], "x": 1},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_is_refused(
    world: World, header: dict[str, Any]
) -> None:
    good = {"alg": "ES256", "kid": world.signer.key.kid}
    assertion = forge(world, {**good, **header})

    assert not world.is_let_in(assertion)


@pytest.mark.parametrize(
    "header",
    [{}, {"typ": "JWT"}, {"typ": "client-authentication+jwt"}],
    ids=str,
)
def test_usual_headers_do(world: World, header: dict[str, Any]) -> None:
    claims = world.signer.claims(world.store.clock)

    assert world.is_let_in(world.signer.sign(claims, **header))


def test_a_key_id_may_be_left_out(world: World) -> None:
    assert world.is_let_in(forge(world, {"alg": "ES256"}))


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": 1}, {}], ids=str
)
def test_the_key_decides_the_algorithm(world: World, header: dict[str, Any]) -> None:
    assert not world.is_let_in(forge(world, header))


JUNK: dict[str, Callable[[str], str]] = {
    "nothing": lambda _: "",
    "one dot": lambda _: ".",
    "two dots": lambda _: "..",
    "no base64": lambda _: "a.b.c",
    "no signature": lambda it: it.rpartition(".")[0] + ".",
    "another signature": lambda it: it[:-5] + ("A" if it[-5] != "A" else "B") * 5,
    "one part more": lambda it: it + ".x",
    "strange characters": lambda it: it.replace(".", "!."),
    "no Unicode": lambda it: f"{it}\udcff",
    "a list of claims": lambda _: "e30.W10.e30",
    "deep": lambda _: "[" * 3000 + "." + "W" * 1000,
}


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_refused(world: World, junk: str) -> None:
    assert not world.is_let_in(JUNK[junk](world.sign()))


def test_an_unknown_client_is_refused(world: World) -> None:
    assert not world.is_let_in(world.sign(iss="svc-made-up", sub="svc-made-up"))
    assert world.outcome() == "unknown"


def test_a_client_that_expired_is_refused(world: World) -> None:
    world.store.clock.advance(3600)

    assert not world.is_let_in(world.sign())
    assert world.outcome() == "expired"


def test_a_client_without_keys_is_refused(world: World) -> None:
    world.stored = [make_client()]

    assert not world.is_let_in(world.sign())


def test_what_was_refused_is_not_used_up(world: World) -> None:
    assert not world.is_let_in(world.sign(aud="elsewhere"))
    assert world.is_let_in(world.sign())


@pytest.mark.contract
def test_a_mark_lasts_as_long_as_the_assertion_could_be_good(store: Store) -> None:
    world = World(store)
    world.assertions.check(world.sign())

    ((key, (_, left)),) = store.dump().items()

    assert key.startswith("jti:")
    assert len(key) == len("jti:") + 22
    assert CLIENT not in key
    assert 89_000 < left <= 90_000


def test_without_redis_nobody_is_let_in() -> None:
    server = RedisServer()
    store = open_real(server.url)
    world = World(store)
    server.close()

    with pytest.raises(StoreUnavailable):
        world.assertions.check(world.sign())
    store.close()
