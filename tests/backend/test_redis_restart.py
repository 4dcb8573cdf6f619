"""Redis killed and started again, with what it wrote down: nothing opens by that."""

from collections.abc import Iterator

import pytest

from tests.backend.abuse_desk import AbuseDesk
from tests.backend.api import Api, assert_problem, phones, solution_of
from tests.backend.conftest import MakeApi
from tests.redis_server import RedisServer

ALICE, BOB, CAROL, DAVE, ERIN, FRANK = phones(6)
VICTIM, NEIGHBOUR = "+919123450001", "+919123450002"
ELSEWHERE, FARTHER = "203.0.113.9", "192.0.2.9"

PRICE = 0.5
# Of Alice, Bob, Carol and Dave.
CAP = 4 * PRICE


@pytest.fixture
def lasting_redis() -> Iterator[RedisServer]:
    """A server that has written down what it answers."""
    server = RedisServer("--appendonly", "yes", "--appendfsync", "always")
    yield server
    server.close()


@pytest.fixture
def api(make_api: MakeApi, lasting_redis: RedisServer) -> Api:
    return make_api(
        REDIS_URL=lasting_redis.url,
        SENDS_PER_IP="2/1h",
        PHONES_PER_IP="off",
        SPEND_GLOBAL=f"{CAP}/24h",
        PRICE_UNKNOWN=str(PRICE),
        # One vendor, so that no more is held than is spent.
        FAST2SMS_API_KEY=None,
        FAST2SMS_BASE_URL=None,
    )


def test_limits_blocks_money_and_challenges_come_back_with_redis(
    api: Api, lasting_redis: RedisServer
) -> None:
    desk = AbuseDesk(api)
    api.simulator.add_rule("error", provider="twilio", to=VICTIM, code=30450)
    assert_problem(api.send(VICTIM, peer=ELSEWHERE), 422, "phone_not_supported")
    api.settle()
    api.start(ALICE)
    verification = api.start(BOB)
    code = api.code_of(BOB)
    saved = solution_of(api.send(CAROL))
    used = solution_of(api.send(DAVE))
    api.start(DAVE, challenge_solution=used)
    api.settle()
    before = desk.report()
    assert [it["name"] for it in before["blocks"]] == [VICTIM[:-4]]
    assert [it["spent"] for it in before["spending"]] == [3 * PRICE]
    sent = len(api.simulator.messages())

    lasting_redis.stop()
    for phone in (ALICE, ERIN, NEIGHBOUR):
        assert_problem(api.send(phone), 503, "store_unavailable")
    passing = api.send(CAROL, challenge_solution=saved)
    assert_problem(passing, 503, "store_unavailable")
    assert len(api.simulator.messages()) == sent
    lasting_redis.start()

    after = desk.report()
    assert {**after, "at": 0} == {**before, "at": 0}
    # The phone's own wait, the address's count, the block, and the spent solution:
    waiting = api.send(ALICE, peer=ELSEWHERE)
    assert_problem(waiting, 429, "rate_limited")
    assert waiting.json["limit"] == "resend_cooldown"
    assert_problem(api.send(ERIN), 403, "challenge_required")
    blocked = api.send(NEIGHBOUR, peer=FARTHER)
    assert_problem(blocked, 429, "rate_limited")
    assert blocked.json["limit"] == "prefix_conversion"
    api.clock.advance(31)
    again = api.send(DAVE, challenge_solution=used)
    assert_problem(again, 403, "challenge_required")
    assert "used before" in again.json["detail"]
    assert len(api.simulator.messages()) == sent
    # What was open is open still, and no wider:
    assert api.verify(verification, BOB, code).status_code == 200
    assert api.send(CAROL, challenge_solution=saved).status_code == 202
    api.settle()
    assert_problem(api.send(FRANK, peer=FARTHER), 503, "spend_limit")
