"""The Redis user that the documentation gives the service can do all it needs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from backend.openapi.abuse_operations import ON_ABUSE
from backend.openapi.admin_operations import ON_PEOPLE
from tests.backend.abuse_desk import BODIES as ABUSE_BODIES
from tests.backend.abuse_desk import AbuseDesk
from tests.backend.api import OTHER_PHONE, solution_of
from tests.backend.conftest import MakeApi
from tests.backend.desk import BODIES, Desk
from tests.redis_server import RedisServer
from tests.services.otp.world import PHONE

NEIGHBOUR = "+919811111111"
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
    api = make_api(
        REDIS_URL=user_url,
        PUBLIC_BASE_URL="https://auth.shop.example",
        SPEND_GLOBAL="5/1h",
        SENDS_PER_IP="2/1h",
    )
    login = api.login(PHONE)
    api.settle()
    # A day in which the defence has something to do.
    challenged = api.send(OTHER_PHONE)
    while challenged.status_code == 202:
        api.clock.advance(60)
        challenged = api.send(OTHER_PHONE)
    sent = api.send(OTHER_PHONE, challenge_solution=solution_of(challenged))
    assert sent.status_code == 202, sent.text
    wrong = api.wrong_code_of(OTHER_PHONE)
    api.verify(sent.json["verification_id"], OTHER_PHONE, wrong)
    api.simulator.add_rule("error", provider="twilio", code=30450, to=NEIGHBOUR)
    api.send(NEIGHBOUR, peer="203.0.113.1")
    api.settle()
    identity = api.services.identity
    identity.sessions.refresh(login["refresh_token"], client_id=None)
    identity.people.freeze(identity.people.locate(login["user"]["id"]), "a test")
    desk = Desk(api)
    for operation in ON_PEOPLE:
        desk.ask(operation, phone=PHONE, **BODIES.get(operation, {}))
        api.settle()
    desk.audit()
    defence = AbuseDesk(api, "svc-defence")
    for operation in ON_ABUSE:
        defence.ask(operation, **ABUSE_BODIES[operation])
    defence.report()

    for task in api.chores.rounds.values():
        task()

    assert api.call("GET", "/readyz").status_code == 200
    told = api.log.getvalue().decode()
    assert "NoPermission" not in told
    assert "script_ran" not in told
