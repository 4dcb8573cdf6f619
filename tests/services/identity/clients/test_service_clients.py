"""Who is a service client, how it proves that by a secret, and how changes arrive."""

import hashlib
from collections.abc import Callable, Iterable

import pytest

from services.errors import InvalidClient, StoreUnavailable
from services.events import ClientChecked, Event
from services.identity.clients.service_clients import (
    CLIENT_ID,
    ClientRefused,
    ServiceClient,
    ServiceClients,
    StoredSecret,
    is_secret,
    new_secret,
)
from tests.fakes import FakeClock
from tests.services.identity.clients.service_clients import CLIENT, SECRET, make_client


class Registry:
    """The clients of a worker, and a store that can be told to be away."""

    def __init__(
        self, *stored: ServiceClient, fixed: Iterable[ServiceClient] = ()
    ) -> None:
        self.clock = FakeClock()
        self.stored = list(stored)
        self.away = False
        self.reads = 0
        self.events: list[Event] = []
        self.clients = ServiceClients(
            self._read, fixed=fixed, clock=self.clock, emit=self.events.append
        )

    def _read(self) -> list[ServiceClient]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable(retry_after=1)
        return list(self.stored)

    def outcome(self) -> str:
        """How the last check ended, as the event says."""
        checks = [it for it in self.events if isinstance(it, ClientChecked)]
        return checks[-1].outcome


def test_a_secret_has_256_random_bits_between_prefix_and_checksum() -> None:
    secret = new_secret()

    assert secret.startswith("qcs_")
    assert len(secret) == 4 + 43 + 6
    assert new_secret() != secret
    assert is_secret(secret)


JUNK: dict[str, Callable[[str], str]] = {
    "too short": lambda it: it[:-1],
    "too long": lambda it: it + "A",
    "another prefix": lambda it: it.replace("qcs_", "qcr_"),
    "mistyped": lambda it: it[:10] + ("A" if it[10] != "A" else "B") + it[11:],
    "another checksum": lambda it: it[:-1] + ("A" if it[-1] != "A" else "B"),
    "a line": lambda it: f"{it}\n",
    "nothing": lambda _: "",
    "other letters": lambda _: "qcs_" + "é" * 49,
}


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_no_secret_before_anything_is_looked_up(junk: str) -> None:
    assert not is_secret(JUNK[junk](SECRET))


def test_of_a_secret_its_digest_and_its_end_are_kept_and_nothing_else() -> None:
    stored = StoredSecret.of(SECRET)

    assert stored.digest == hashlib.sha256(SECRET.encode()).hexdigest()
    assert stored.ending == SECRET[-4:]
    assert SECRET not in repr(make_client())


@pytest.mark.parametrize("text", ["svc-a", "svc-orders-2", "svc-" + "a" * 16])
def test_a_client_id_cannot_be_a_subject(text: str) -> None:
    assert CLIENT_ID.fullmatch(text)
    assert len(text) < 22


@pytest.mark.parametrize(
    "text", ["svc-", "orders", "svc-A", "svc-" + "a" * 17, "svc-a\n", "svc-é", ""]
)
def test_what_cannot_be_a_client_id(text: str) -> None:
    assert not CLIENT_ID.fullmatch(text)


def test_a_client_is_let_in_by_its_secret() -> None:
    registry = Registry(make_client())

    client = registry.clients.check_secret(CLIENT, SECRET)

    assert client.id == CLIENT
    assert registry.events == [ClientChecked(CLIENT, "client_secret_basic", "ok")]


def test_either_of_two_secrets_does() -> None:
    second = new_secret()
    client = make_client().with_secret(StoredSecret.of(second))
    registry = Registry(client)

    for secret in (SECRET, second):
        assert registry.clients.check_secret(CLIENT, secret) == client


@pytest.mark.parametrize(
    ("client_id", "secret", "outcome"),
    [
        (CLIENT, new_secret(), "wrong_secret"),
        (CLIENT, "", "wrong_secret"),
        (CLIENT, StoredSecret.of(SECRET).digest, "wrong_secret"),
        (CLIENT, "\udcff", "wrong_secret"),
        ("svc-other", SECRET, "unknown"),
        ("", "", "unknown"),
    ],
    ids=["another", "none", "the digest", "no Unicode", "a stranger", "nobody"],
)
def test_nobody_else_is_let_in(client_id: str, secret: str, outcome: str) -> None:
    registry = Registry(make_client())

    with pytest.raises(InvalidClient):
        registry.clients.check_secret(client_id, secret)

    assert registry.outcome() == outcome


def test_no_secret_is_that_of_a_client_without_one() -> None:
    registry = Registry(make_client(secrets=()))

    with pytest.raises(InvalidClient):
        registry.clients.check_secret(CLIENT, SECRET)


def test_an_unknown_client_is_no_label_of_a_metric() -> None:
    registry = Registry()

    with pytest.raises(InvalidClient):
        registry.clients.check_secret("svc-made-up", SECRET)

    assert registry.events == [
        ClientChecked("unknown", "client_secret_basic", "unknown")
    ]


def test_a_client_ends() -> None:
    registry = Registry(make_client())
    registry.clock.advance(3600)

    with pytest.raises(InvalidClient):
        registry.clients.check_secret(CLIENT, SECRET)

    assert registry.outcome() == "expired"
    assert registry.clients.find(CLIENT) is None


def test_a_token_from_before_a_client_was_registered_is_a_namesakes() -> None:
    registry = Registry(make_client(registered=100))

    assert registry.clients.find_holder(CLIENT, 100)
    assert registry.clients.find_holder(CLIENT, 99) is None
    registry.clock.advance(3600)
    assert registry.clients.find_holder(CLIENT, 100) is None


def test_a_revoked_secret_is_refused_after_the_next_look() -> None:
    registry = Registry(make_client().with_secret(StoredSecret.of(new_secret())))
    registry.clients.check_secret(CLIENT, SECRET)
    registry.stored = [registry.stored[0].without_secret(SECRET[-4:])]

    registry.clients.reload()

    with pytest.raises(InvalidClient):
        registry.clients.check_secret(CLIENT, SECRET)


def test_clients_are_read_at_first_use_and_then_from_memory() -> None:
    registry = Registry(make_client())

    for _ in range(3):
        registry.clients.find(CLIENT)

    assert registry.reads == 1


def test_without_redis_what_is_known_holds_for_a_minute() -> None:
    registry = Registry(make_client())
    registry.clients.reload()
    registry.away = True

    registry.clock.advance(60)
    assert registry.clients.find(CLIENT)
    registry.clock.advance(1)
    with pytest.raises(StoreUnavailable):
        registry.clients.find(CLIENT)


def test_a_look_that_fails_forgets_nothing() -> None:
    registry = Registry(make_client())
    registry.clients.reload()
    registry.away = True

    with pytest.raises(StoreUnavailable):
        registry.clients.reload()

    assert registry.clients.find(CLIENT)


def test_redis_that_comes_back_is_asked_again() -> None:
    registry = Registry(make_client())
    registry.away = True
    with pytest.raises(StoreUnavailable):
        registry.clients.find(CLIENT)

    registry.away = False

    assert registry.clients.find(CLIENT)


def test_a_client_of_the_file_wins_and_needs_no_redis() -> None:
    fixed = make_client(name="Of the file", source="file")
    registry = Registry(make_client(), fixed=[fixed])
    registry.away = True

    assert registry.clients.find(CLIENT) == fixed


def test_a_third_secret_is_refused() -> None:
    client = make_client().with_secret(StoredSecret.of(new_secret()))

    with pytest.raises(ClientRefused, match="two secrets"):
        client.with_secret(StoredSecret.of(new_secret()))


def test_the_last_secret_stays() -> None:
    with pytest.raises(ClientRefused, match="no other secret"):
        make_client().without_secret(SECRET[-4:])


def test_a_secret_that_is_not_there_cannot_be_dropped() -> None:
    client = make_client(secrets=(StoredSecret("0" * 64, "abcd"),))

    with pytest.raises(ClientRefused, match="ends in efgh"):
        client.without_secret("efgh")
