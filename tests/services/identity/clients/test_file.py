"""The operator's file of service clients: what is in it, and all that is wrong."""

import tomllib
from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.identity.clients.file import ClientFileError, read_client_file
from services.identity.clients.service_clients import StoredSecret
from tests.fakes import FakeClock
from tests.services.identity.clients.service_clients import DAY, SECRET, Signer

NOW = FakeClock().now()
DIGEST = StoredSecret.of(SECRET).digest
FILE = f"""
[[client]]
id = "svc-orders"
name = "Orders"
scopes = ["token:introspect", "otp:send"]
audiences = ["quickcart"]
expires = 2027-03-01
secret_sha256 = ["{DIGEST}"]
"""


def read(*tables: dict[str, Any]) -> Any:
    return read_client_file(tables, now=NOW)


def table(**changed: Any) -> dict[str, Any]:
    """A good table, some of it changed; None leaves a field out."""
    (good,) = tomllib.loads(FILE)["client"]
    return {name: it for name, it in {**good, **changed}.items() if it is not None}


def problems(*tables: dict[str, Any]) -> tuple[str, ...]:
    with pytest.raises(ClientFileError) as caught:
        read(*tables)
    return caught.value.problems


def test_a_client_is_read() -> None:
    (client,) = read(table())

    assert (client.id, client.name, client.source) == ("svc-orders", "Orders", "file")
    assert client.scopes == {"token:introspect", "otp:send"}
    assert client.audiences == {"quickcart"}
    assert client.expires == datetime(2027, 3, 1, tzinfo=UTC).timestamp()
    assert client.has_secret(DIGEST)


def test_a_client_may_have_keys_instead_of_secrets() -> None:
    signer = Signer("EdDSA")

    (client,) = read(table(secret_sha256=None, public_keys=[signer.public.jwk()]))

    assert [it.kid for it in client.public_keys] == [signer.key.kid]


@pytest.mark.parametrize(
    "end",
    [
        datetime(2027, 3, 1, 12, 30),  # noqa: DTZ001 - as TOML has it
        datetime(2027, 3, 1, 12, 30, tzinfo=UTC),
    ],
    ids=["local", "offset"],
)
def test_a_time_without_its_zone_is_utc(end: datetime) -> None:
    (client,) = read(table(expires=end))

    assert client.expires == datetime(2027, 3, 1, 12, 30, tzinfo=UTC).timestamp()


def test_a_client_that_expired_keeps_nobody_from_starting() -> None:
    (client,) = read(table(expires=date(2020, 1, 1)))

    assert client.expires < NOW


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"id": None}, "id must be"),
    "another id": ({"id": "orders"}, "id must be"),
    "an id of 22": ({"id": "svc-" + "a" * 18}, "id must be"),
    "no name": ({"name": None}, "name must be"),
    "two lines": ({"name": "a\nb"}, "name must be"),
    "no scopes": ({"scopes": None}, "scopes must be"),
    "an empty list": ({"scopes": []}, "scopes must be"),
    "another scope": ({"scopes": ["root"]}, "scopes must be"),
    "a text": ({"scopes": "admin"}, "scopes must be"),
    "audiences": ({"audiences": ["two words"]}, "audiences must be"),
    "an audience": ({"audiences": "quickcart"}, "audiences must be"),
    "no end": ({"expires": None}, "expires must be"),
    "a text for an end": ({"expires": "2027-03-01"}, "expires must be"),
    "far away": ({"expires": date.fromtimestamp(NOW + 368 * DAY)}, "366 days"),  # noqa: DTZ012
    "three secrets": ({"secret_sha256": [DIGEST] * 3}, "at most 2"),
    "no digest": ({"secret_sha256": ["x"]}, "SHA-256 in hex"),
    "nothing to prove": ({"secret_sha256": None}, "neither"),
    "no list of keys": ({"public_keys": "x"}, "list of JWKs"),
    "no key": ({"public_keys": [{"kty": "EC"}]}, "public key 1: must be a public"),
    "a symmetric key": ({"public_keys": [{"kty": "oct", "k": "AA"}]}, "must be a pub"),
    "another curve": (
        {"public_keys": [{"kty": "OKP", "crv": "X25519", "x": "A" * 43}]},
        "must be a public key",
    ),
    "what receipts are for": (
        {"audiences": ["quickcart/verification"]},
        "not end with /verification",
    ),
    "unknown fields": ({"secret": SECRET}, "fields that are unknown: 1"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_is_said(bad: str) -> None:
    changed, words = BAD[bad]

    (problem,) = problems(table(**changed))

    assert problem.startswith("client 1: ")
    assert words in problem
    assert SECRET not in problem


def test_a_private_key_is_refused() -> None:
    private = Signer().key.key.as_dict(private=True)

    (problem,) = problems(table(public_keys=[private]))

    assert "is a private key" in problem
    assert str(private["d"]) not in problem


def test_all_is_said_at_once() -> None:
    found = problems(table(id=None, name=None), table(), table(scopes=None))

    assert [it.partition(" must")[0] for it in found] == [
        "client 1: id",
        "client 1: name",
        "client 3: scopes",
    ]


def test_an_id_is_taken_once() -> None:
    assert problems(table(), table(name="Other")) == (
        "client 2: has an id that a client before it has",
    )
