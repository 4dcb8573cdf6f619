"""The contract of the clients' store, and changes that meet."""

import json
from dataclasses import replace

import pytest

from services.errors import NotFound, StoreUnavailable
from services.identity.clients.service_clients import (
    ClientRefused,
    ServiceClient,
    StoredSecret,
    new_secret,
)
from services.identity.clients.store import ClientStore, Stored
from tests.redis_server import RedisServer
from tests.services.identity.clients.service_clients import (
    CLIENT,
    SECRET,
    Signer,
    make_client,
)
from tests.services.stores import Store, open_real
from tests.services.threads import at_once

pytestmark = pytest.mark.contract


def row(**changed: object) -> bytes:
    """A client as it is stored, some of it changed to what no client has."""
    stored = {
        "name": "Orders",
        "scopes": ["admin"],
        "audiences": [],
        "registered": 1,
        "expires": 2,
        "secrets": [],
        "public_keys": [],
        **changed,
    }
    return json.dumps(stored).encode()


@pytest.fixture
def clients(store: Store) -> ClientStore:
    return ClientStore(store.scripts)


def test_what_is_added_is_read_back(clients: ClientStore) -> None:
    client = make_client(public_keys=(Signer().public,), registered=7)

    assert clients.add(client)

    (found,) = clients.all()
    assert replace(found, public_keys=()) == replace(client, public_keys=())
    assert [it.kid for it in found.public_keys] == [it.kid for it in client.public_keys]


def test_an_id_is_taken_once(clients: ClientStore) -> None:
    clients.add(make_client(name="First"))

    assert not clients.add(make_client(name="Second"))
    assert [it.name for it in clients.all()] == ["First"]


def test_a_change_is_kept(clients: ClientStore) -> None:
    clients.add(make_client())

    changed = clients.change(CLIENT, lambda it: replace(it, expires=5))

    assert clients.all() == [changed]
    assert changed.expires == 5


def test_a_change_that_is_refused_changes_nothing(clients: ClientStore) -> None:
    clients.add(make_client())

    with pytest.raises(ClientRefused):
        clients.change(CLIENT, lambda it: it.without_secret("none"))

    assert clients.all() == [make_client()]


def test_a_removed_client_is_gone(clients: ClientStore) -> None:
    clients.add(make_client())
    clients.add(make_client("svc-other"))

    clients.remove(CLIENT)

    assert [it.id for it in clients.all()] == ["svc-other"]


def test_a_client_that_is_not_there_is_not_found(clients: ClientStore) -> None:
    with pytest.raises(NotFound):
        clients.remove(CLIENT)
    with pytest.raises(NotFound):
        clients.change(CLIENT, lambda it: it)


def test_neither_secret_nor_anything_to_make_it_from_is_stored(
    clients: ClientStore, store: Store
) -> None:
    clients.add(make_client())

    kept = str(store.dump())

    assert SECRET not in kept
    assert SECRET[4:-6] not in kept


@pytest.mark.parametrize(
    ("name", "document"),
    [
        (CLIENT, b"{"),
        (CLIENT, b"{}"),
        (CLIENT, b"[]"),
        (CLIENT, b"\xff\x00"),
        (CLIENT, row(name=7)),
        (CLIENT, row(scopes=[7])),
        (CLIENT, row(scopes="otp:send")),
        (CLIENT, row(expires="soon")),
        (CLIENT, row(expires=10**18)),
        (CLIENT, row(secrets=[{"sha256": "é", "ending": "abcd"}])),
        (CLIENT, row(secrets=[{"sha256": 7, "ending": "abcd"}])),
        (CLIENT, row(public_keys=[7])),
        ("no-client", row()),
        (b"%\xff", row()),
    ],
    ids=str,
)
def test_a_broken_row_shuts_out_nobody_else_and_is_told(
    clients: ClientStore, store: Store, name: str | bytes, document: bytes
) -> None:
    clients.add(make_client("svc-other"))
    store.client.hset("clients", name, document)

    found = clients.read()

    assert [it.id for it in found.clients] == ["svc-other"]
    assert found.broken == ("%25%FF" if name == b"%\xff" else name,)


@pytest.mark.parametrize("document", [b"{", b"{}", b"\xff\x00", row(name=7)], ids=str)
def test_a_broken_row_cannot_be_changed_and_can_be_removed(
    clients: ClientStore, store: Store, document: bytes
) -> None:
    store.client.hset("clients", CLIENT, document)

    with pytest.raises(ClientRefused, match="broken; remove it"):
        clients.change(CLIENT, lambda it: it)
    clients.remove(CLIENT)

    assert clients.read() == Stored((), ())


def test_a_name_may_have_any_letters(clients: ClientStore) -> None:
    clients.add(make_client(name="Küche 50 % – नमस्ते"))

    clients.change(CLIENT, lambda it: replace(it, expires=5))

    assert [it.name for it in clients.all()] == ["Küche 50 % – नमस्ते"]


def test_of_many_who_add_one_id_one_does(clients: ClientStore) -> None:
    added = at_once(8, lambda number: clients.add(make_client(name=str(number))))

    assert added.count(True) == 1


def test_changes_that_meet_are_all_kept(clients: ClientStore) -> None:
    clients.add(make_client(audiences=frozenset()))

    def widen(number: int) -> ServiceClient:
        def change(client: ServiceClient) -> ServiceClient:
            return replace(client, audiences=client.audiences | {str(number)})

        return clients.change(CLIENT, change)

    at_once(4, widen)

    assert clients.all()[0].audiences == {"0", "1", "2", "3"}


def test_of_two_rotations_at_once_one_is_told_of_the_other(
    clients: ClientStore,
) -> None:
    clients.add(make_client())

    def rotate(_: int) -> bool:
        second = StoredSecret.of(new_secret())
        try:
            clients.change(CLIENT, lambda it: it.with_secret(second))
        except ClientRefused:
            return False
        return True

    assert sorted(at_once(2, rotate)) == [False, True]


def test_without_redis_every_method_says_so() -> None:
    server = RedisServer()
    store = open_real(server.url)
    clients = ClientStore(store.scripts)
    server.close()

    for act in (
        clients.all,
        lambda: clients.add(make_client()),
        lambda: clients.change(CLIENT, lambda it: it),
        lambda: clients.remove(CLIENT),
    ):
        with pytest.raises(StoreUnavailable):
            act()
    store.close()
