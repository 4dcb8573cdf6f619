"""Attacks that make us send: bombing (A06) and pumping (A07), at the vendors' end.

Every challenge is solved at once and for nothing: what is shown holds against farms.
``make attack`` has the same among a day of honest people, with figures.
"""

from collections.abc import Iterator

import pytest

from tests.backend.api import Api
from tests.backend.attacks import (
    DAY,
    HOUR,
    MINUTE,
    Attacker,
    address,
    farmed,
    neighbour,
    spread,
    stranger,
)
from tests.backend.conftest import MakeApi
from tests.backend.oauth import Service
from tests.simulator.captchas import CaptchaVendors

VICTIM = "+919876543210"
CUSTOMER = "+917012345678"

# What one message costs by both vendors of these tests, of whom no price is known.
PRICE = 0.1


@pytest.fixture
def farm() -> Iterator[CaptchaVendors]:
    with CaptchaVendors() as farm:
        yield farm


@pytest.fixture
def api(make_api: MakeApi, farm: CaptchaVendors) -> Api:
    return make_api(**farmed(farm))


@pytest.fixture
def attacker(api: Api, farm: CaptchaVendors) -> Attacker:
    return Attacker(api, farm)


def sent(api: Api) -> int:
    return len(api.simulator.messages())


def test_a06_of_1000_sends_a_victim_gets_3_in_ten_minutes_and_10_in_a_day(
    api: Api, attacker: Attacker
) -> None:
    """500 addresses and 5 service clients ask, half of all within ten minutes."""
    services = [Service(api, f"svc-{it}", scopes=("otp:send",)) for it in range(5)]
    tokens: dict[int, tuple[str, float]] = {}

    def ask(number: int) -> None:
        peer, turn = address(number % 500), number % 6
        if turn == 5:
            attacker.send(VICTIM, peer=peer)
            return
        token, got_at = tokens.get(turn, ("", 0.0))
        if api.clock.now() > got_at + 5 * MINUTE:
            token = services[turn].token()
            tokens[turn] = token, api.clock.now()
        headers = {"Authorization": f"Bearer {token}"}
        attacker.send(VICTIM, peer=peer, headers=headers, end_user_ip=peer)

    spread(500, 10 * MINUTE, api, ask)
    spread(500, DAY - 10 * MINUTE, api, lambda it: ask(it + 500))

    assert len(api.simulator.messages(to=VICTIM)) == len(attacker.sent_at)
    assert attacker.most_within(10 * MINUTE) == 3
    assert attacker.most_within(DAY) == 10


@pytest.mark.slow
def test_a07_of_2000_sends_over_one_block_few_reach_the_vendor(
    api: Api, attacker: Attacker
) -> None:
    """Nobody types. The count of the block holds until codes are old enough to judge.

    What passes is what the windows leave, however often somebody asks in that hour:
    5,000 times gave the same. 20 holds without a farm, as the next test shows.
    """
    spread(2_000, HOUR, api, lambda it: attacker.send(neighbour(it)))

    assert sent(api) <= 50
    # Blocked once codes were old enough to judge; what passes then are single probes.
    late = [it for it in attacker.sent_at if it > attacker.sent_at[0] + 20 * MINUTE]
    assert len(late) <= 4
    assert attacker.refusals["prefix_conversion"] > 1_500
    # The rest of the country does not notice.
    assert api.send(CUSTOMER).status_code == 202


def test_a07_without_a_farm_a_block_gets_what_its_count_gives(api: Api) -> None:
    spread(500, HOUR, api, lambda it: api.send(neighbour(it), peer=address(it)))

    assert sent(api) <= 20


def test_a07_who_types_every_tenth_code_gets_no_further(
    api: Api, attacker: Attacker
) -> None:
    def ask(number: int) -> None:
        if number % 10:
            attacker.send(neighbour(number))
        else:
            attacker.send_and_type(neighbour(number))

    spread(1_500, HOUR, api, ask)

    # Three times what the count gives in an hour; what was typed is given back. How
    # many those are depends on which sends pass, and so on when the hour begins.
    assert sent(api) - attacker.typed <= 45
    assert 3 <= attacker.typed <= 9


def test_a07_a_slow_pump_is_found_within_the_day(api: Api, attacker: Attacker) -> None:
    """One in five minutes is below every count of a block."""
    spread(288, DAY, api, lambda it: attacker.send(neighbour(it)))

    assert sent(api) <= 40
    assert attacker.refusals["prefix_conversion"] > 200


def test_a07_a_pump_over_a_thousand_blocks_spends_no_more_than_the_cap(
    make_api: MakeApi, farm: CaptchaVendors
) -> None:
    """No block sees enough to be judged, and all of it is too fast to be."""
    api = make_api(**farmed(farm), SPEND_GLOBAL="5/1h", PRICE_UNKNOWN=str(PRICE))
    api.login(CUSTOMER)
    api.settle()
    api.clock.advance(HOUR + 6 * MINUTE)
    api.simulator.clear()
    attacker = Attacker(api, farm)

    spread(1_000, 4 * MINUTE, api, lambda it: attacker.send(stranger(it)))

    spent = sent(api) * PRICE
    assert 4.5 <= spent <= 5
    assert attacker.refusals["spend_limit"] >= 900
    # Who logged in before is served, up to twice the cap.
    assert api.send(CUSTOMER).status_code == 202


def test_a07_what_a_vendor_calls_fraud_is_blocked_with_its_block(
    api: Api, attacker: Attacker
) -> None:
    api.simulator.add_rule("error", provider="twilio", code=30450)
    attacker.send(neighbour(0))
    api.settle()
    api.simulator.clear()

    spread(50, MINUTE, api, lambda it: attacker.send(neighbour(1 + it)))

    assert sent(api) == 0
    assert attacker.refusals["prefix_conversion"] == 50


def test_a07_countries_that_are_not_open_cost_nothing(
    api: Api, attacker: Attacker
) -> None:
    for phone in ("+6281234567890", "+94712345678", "+447911123456", "+2348021234567"):
        assert attacker.send(phone).json["code"] == "phone_not_supported"

    # Nor premium and toll-free numbers of one that is.
    for phone in ("+911860123456", "+911800123456"):
        assert attacker.send(phone).status_code == 422
    assert sent(api) == 0
