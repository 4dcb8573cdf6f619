"""``python -m backend.cli clients``, beside a service that runs."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from tests.backend.conftest import MakeApi, Run
from tests.backend.oauth import basic
from tests.fakes import FakeClock
from tests.redis_server import free_port
from tests.services.identity.clients.service_clients import Signer

ADD = (
    *("add", "svc-orders", "--name", "Orders"),
    *("--scope", "token:introspect", "--audience", "quickcart"),
)


@pytest.fixture
def run(run: Run) -> Run:
    """Run a ``clients`` command."""
    return partial(run, "clients")


@pytest.fixture
def takes(make_api: MakeApi, clock: FakeClock) -> Callable[..., bool]:
    """Ask a worker, which follows the store, whether a secret is a client's."""
    # The commands go by the machine's clock.
    clock.advance(time.time() - clock.now())
    api = make_api()

    def ask(secret: str, client_id: str = "svc-orders") -> bool:
        api.chores.rounds["service clients"]()
        answer = api.call(
            "POST",
            "/api/token",
            data={"grant_type": "client_credentials"},
            headers=basic(client_id, secret),
        )
        return answer.status_code == 200

    return ask


def secret_in(said: str) -> str:
    """Read the one secret that a command printed."""
    (found,) = re.findall(r"^qcs_\S{49}$", said, re.MULTILINE)
    return str(found)


def test_a_client_is_added_and_let_in(run: Run, takes: Callable[..., bool]) -> None:
    code, said, _ = run(*ADD)

    assert code == 0
    assert "svc-orders is registered until" in said
    assert takes(secret_in(said))
    assert not takes(secret_in(said), "svc-other")


def test_an_id_is_taken_once(run: Run) -> None:
    run(*ADD)

    code, said, complaint = run(*ADD)

    assert (code, said) == (65, "")
    assert complaint.endswith("svc-orders is registered already.\n")


def test_rotation_leaves_nobody_out(run: Run, takes: Callable[..., bool]) -> None:
    old = secret_in(run(*ADD)[1])
    new = secret_in(run("rotate", "svc-orders")[1])
    assert takes(old)
    assert takes(new)

    assert run("rotate", "svc-orders")[0] == 65
    assert run("drop-secret", "svc-orders", "--", old[-4:])[0] == 0

    assert not takes(old)
    assert takes(new)
    assert run("drop-secret", "svc-orders", "--", new[-4:])[0] == 65


def test_a_removed_client_is_refused(run: Run, takes: Callable[..., bool]) -> None:
    secret = secret_in(run(*ADD)[1])
    assert takes(secret)

    assert run("remove", "svc-orders")[0] == 0

    assert not takes(secret)


def test_what_a_client_may_do_can_be_said_anew(run: Run) -> None:
    run(*ADD)

    def told() -> list[str]:
        return run("list")[1].splitlines()[1].split()[2:4]

    assert run("set", "svc-orders", "--audience", "shop")[0] == 0
    assert told() == ["token:introspect", "shop"]
    assert run("set", "svc-orders", "--scope", "admin")[1] == (
        "Within 5 s svc-orders has admin for shop.\n"
    )
    assert told() == ["admin", "shop"]


def test_what_a_client_may_do_must_go_together(run: Run) -> None:
    run("add", "svc-orders", "--name", "Orders", "--scope", "admin")

    for arguments, words in (
        ((), "say --scope, --audience or both"),
        (("--scope", "token:introspect"), "token:introspect needs --audience"),
        (("--audience", "two words"), "--audience must be"),
    ):
        code, _, complaint = run("set", "svc-orders", *arguments)
        assert code == 65
        assert words in complaint
    assert run("list")[1].splitlines()[1].split()[2:4] == ["admin", "-"]


@pytest.mark.parametrize("command", ["rotate", "renew", "remove"])
def test_a_client_that_is_not_there_is_not_found(run: Run, command: str) -> None:
    code, _, complaint = run(command, "svc-made-up")

    assert code == 65
    assert complaint.endswith("There is no client svc-made-up.\n")


def test_a_client_ends_when_it_is_said(run: Run) -> None:
    def told() -> str:
        return run("list")[1].splitlines()[1]

    def day(days: int) -> str:
        return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()

    run(*ADD)
    assert day(90) in told()
    run("renew", "svc-orders", "--days", "366")
    assert day(366) in told()


@pytest.mark.parametrize("days", ["0", "367", "-1", "x", "1.5"])
def test_no_client_is_for_ever(run: Run, days: str) -> None:
    with pytest.raises(SystemExit) as ended:
        run(*ADD, f"--days={days}")

    assert ended.value.code == 2


def test_the_list_shows_what_there_is_and_no_secret(run: Run, tmp_path: Path) -> None:
    secret = secret_in(run(*ADD)[1])
    file = tmp_path / "clients.toml"
    file.write_text(
        """
        [[client]]
        id = "svc-gateway"
        name = "Gateway"
        scopes = ["admin"]
        expires = 2020-01-01
        secret_sha256 = ["{}"]
        """.format("ab" * 32)
    )

    code, said, _ = run("list", SERVICE_CLIENTS_FILE=str(file))

    assert code == 0
    heading, gateway, orders = said.splitlines()
    assert heading.split() == [
        *("CLIENT", "NAME", "SCOPES", "AUDIENCES", "EXPIRES"),
        *("SECRETS", "KEYS", "FROM"),
    ]
    assert gateway.split() == [
        *("svc-gateway", "Gateway", "admin", "-", "2020-01-01", "(over)"),
        *("abab", "-", "file"),
    ]
    assert orders.split()[:4] == [
        *("svc-orders", "Orders", "token:introspect", "quickcart")
    ]
    assert orders.split()[5:] == [secret[-4:], "-", "store"]
    assert secret not in said


def test_a_broken_row_is_shown_and_can_be_removed(run: Run, store: redis.Redis) -> None:
    run(*ADD)
    store.hset("clients", "svc-broken", b"{")

    code, said, _ = run("list")

    assert code == 0
    _, orders, broken = said.splitlines()
    assert orders.startswith("svc-orders")
    assert broken.startswith("svc-broken  (broken: nobody takes it; remove it")
    for command in ("rotate", "renew"):
        code, _, complaint = run(command, "svc-broken")
        assert code == 65
        assert "svc-broken: what is stored of it is broken" in complaint
    assert run("remove", "svc-broken")[0] == 0
    assert "svc-broken" not in run("list")[1]


def test_a_client_is_registered_once(run: Run, store: redis.Redis) -> None:
    def registered() -> int:
        row: Any = store.hget("clients", "svc-orders")
        return int(orjson.loads(row)["registered"])

    begun = int(time.time())
    run(*ADD)
    at = registered()
    run("rotate", "svc-orders")
    run("renew", "svc-orders")

    # Tokens from before were those of another one by that id.
    assert begun <= at <= time.time()
    assert registered() == at


def test_a_client_of_the_file_is_changed_there(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "clients.toml"
    file.write_text(
        """
        [[client]]
        id = "svc-orders"
        name = "Orders"
        scopes = ["admin"]
        expires = 2020-01-01
        secret_sha256 = ["{}"]
        """.format("ab" * 32)
    )

    for command in (ADD, ("rotate", "svc-orders"), ("remove", "svc-orders")):
        code, _, complaint = run(*command, SERVICE_CLIENTS_FILE=str(file))

        assert code == 65
        assert "is in SERVICE_CLIENTS_FILE" in complaint


def test_a_file_that_is_wrong_is_refused_at_the_start(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "clients.toml"
    file.write_text("[[client]]\nname = 'Orders'")

    code, _, complaint = run("list", SERVICE_CLIENTS_FILE=str(file))

    assert code == 78
    for problem in ("id must be", "scopes must be", "expires must be", "has neither"):
        assert f"SERVICE_CLIENTS_FILE: client 1: {problem}" in complaint


@pytest.mark.parametrize("kind", ["pem", "jwk"])
def test_a_client_may_have_a_key_and_then_has_no_secret(
    run: Run, tmp_path: Path, kind: str
) -> None:
    signer, file = Signer(), tmp_path / "key"
    key = signer.public.key
    file.write_bytes(key.as_pem(private=False) if kind == "pem" else signer.as_json())

    code, said, _ = run(*ADD, "--public-key", str(file))

    assert code == 0
    assert "qcs_" not in said
    assert signer.key.kid[:8] in run("list")[1]


BAD_KEYS: dict[str, Callable[[], bytes]] = {
    "a private key": lambda: Signer().key.key.as_pem(private=True),
    "a private JWK": lambda: orjson.dumps(Signer().key.key.as_dict(private=True)),
    "nothing": lambda: b"",
    "bytes": lambda: b"\xff{",
    "no key": lambda: b"{}",
}


@pytest.mark.parametrize("bad", BAD_KEYS)
def test_what_is_no_public_key_is_refused(run: Run, tmp_path: Path, bad: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(BAD_KEYS[bad]())

    code, _, complaint = run(*ADD, "--public-key", str(file))

    assert code == 65
    assert "must be a public key" in complaint
    assert run(*ADD, "--public-key", str(tmp_path / "none"))[0] == 65


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "orders", "--name", "x", "--scope", "admin"), "ID must be"),
        (("add", "svc-a", "--name", "a\nb", "--scope", "admin"), "--name must be"),
        ((*ADD, "--audience", "two words"), "--audience must be"),
        (ADD[:-2], "token:introspect needs --audience"),
        ((*ADD, "--audience", "shop/verification"), "not end with /verification"),
    ],
    ids=["id", "name", "audience", "no audience", "what receipts are for"],
)
def test_what_is_wrong_is_said(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    code, _, complaint = run(*arguments)

    assert code == 65
    assert words in complaint


def test_a_secret_for_the_file_is_let_in_by_it(
    run: Run, make_api: MakeApi, clock: FakeClock, tmp_path: Path
) -> None:
    said = run("secret")[1]
    file = tmp_path / "clients.toml"
    file.write_text(
        """
        [[client]]
        id = "svc-gateway"
        name = "Gateway"
        scopes = ["otp:send"]
        expires = 2027-02-01
        """
        + said.splitlines()[-1]
    )
    api = make_api(SERVICE_CLIENTS_FILE=str(file))

    answer = api.call(
        "POST",
        "/api/token",
        data={"grant_type": "client_credentials"},
        headers=basic("svc-gateway", secret_in(said)),
    )

    assert answer.status_code == 200


def test_every_change_is_in_the_audit(run: Run, redis_url: str) -> None:
    secret = secret_in(run(*ADD)[1])
    run("rotate", "svc-orders")
    run("drop-secret", "svc-orders", "--", secret[-4:])
    run("renew", "svc-orders")
    run("set", "svc-orders", "--scope", "admin")
    run("remove", "svc-orders")

    with redis.Redis.from_url(redis_url, decode_responses=True) as store:
        entries = [fields for _, fields in store.xrange("audit")]

    assert [it["action"] for it in entries] == [
        *("client-add", "client-rotate", "client-drop-secret"),
        *("client-renew", "client-set", "client-remove"),
    ]
    assert {it["detail"] for it in entries} == {"svc-orders"}


def test_without_a_redis_of_others_there_is_nothing_to_do(run: Run) -> None:
    assert run("list", REDIS_URL="", FLASK_ENV="development")[0] == 78
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    assert run("list", REDIS_URL=nowhere)[0] == 69
    assert run(*ADD, REDIS_URL=nowhere)[0] == 69
