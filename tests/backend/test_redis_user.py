"""The Redis user that the documentation gives the service can do all it needs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from backend.openapi.admin_operations import ON_PEOPLE
from tests.backend.conftest import MakeApi
from tests.backend.desk import BODIES, Desk
from tests.redis_server import RedisServer
from tests.services.otp.world import PHONE

DOCUMENT = Path(__file__).parents[2] / "docs" / "production.md"


@pytest.fixture
def user_url(redis_server: RedisServer) -> Iterator[str]:
    """The server's address for a user that may do what is documented, and no more."""
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    match = re.search(
        r"A user for the service needs `([^`]+)` and the commands `([^`]+)`", text
    )
    assert match
    with redis.Redis.from_url(redis_server.url) as client:
        client.execute_command(
            "ACL",
            "SETUSER",
            "auth",
            "reset",
            "on",
            ">secret",
            *match[1].split(),
            *(f"+{name}" for name in match[2].split()),
        )
        yield redis_server.url.replace("//", "//auth:secret@")
        client.execute_command("ACL", "DELUSER", "auth")


def test_the_documented_redis_user_can_do_all_that_is_done(
    make_api: MakeApi, user_url: str
) -> None:
    api = make_api(REDIS_URL=user_url, PUBLIC_BASE_URL="https://auth.shop.example")
    login = api.login(PHONE)
    api.settle()
    identity = api.services.identity
    identity.sessions.refresh(login["refresh_token"], client_id=None)
    identity.people.freeze(identity.people.locate(login["user"]["id"]), "a test")
    desk = Desk(api)
    for operation in ON_PEOPLE:
        desk.ask(operation, phone=PHONE, **BODIES.get(operation, {}))
        api.settle()
    desk.audit()

    for task in api.chores.rounds.values():
        task()

    assert api.call("GET", "/readyz").status_code == 200
    told = api.log.getvalue().decode()
    assert "NoPermission" not in told
    assert "script_ran" not in told
