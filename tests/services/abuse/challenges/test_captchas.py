"""Captchas: what a vendor's answer is held to, and what happens without one."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from services.errors import ChallengeRequired
from tests.fakes import FakeClock
from tests.services.abuse.challenges.world import (
    NETWORK,
    OTHER_NETWORK,
    OTHER_TAG,
    TAG,
    World,
    solve,
)
from tests.simulator.captchas import SECRET_KEY, SITE_KEY, CaptchaVendors, Fault

VENDORS = ("turnstile", "hcaptcha", "recaptcha")


@pytest.fixture
def vendors() -> Iterator[CaptchaVendors]:
    with CaptchaVendors() as vendors:
        yield vendors


class Make:
    """Builds worlds whose connections end with the test."""

    def __init__(self, clock: FakeClock, vendors: CaptchaVendors) -> None:
        self._clock = clock
        self._vendors = vendors
        self.made: list[World] = []

    def __call__(self, vendor: str, **variables: Any) -> World:
        world = World(self._clock, self._vendors, CHALLENGE=vendor, **variables)
        self.made.append(world)
        return world


@pytest.fixture
def make(clock: FakeClock, vendors: CaptchaVendors) -> Iterator[Make]:
    make = Make(clock, vendors)
    yield make
    for world in make.made:
        world.close()


def refused(world: World, solution: str) -> ChallengeRequired:
    with pytest.raises(ChallengeRequired) as caught:
        world.check(solution)
    return caught.value


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_learns_what_the_widget_needs(make: Make, vendor: str) -> None:
    challenge = make(vendor).ask()

    assert challenge["type"] == vendor
    assert challenge["site_key"] == SITE_KEY
    assert ("action" in challenge) is (vendor != "hcaptcha")
    assert ("cdata" in challenge) is (vendor == "turnstile")
    # What Turnstile allows in its cData and action.
    ticket = challenge.get("cdata", "")
    assert len(ticket) <= 255
    assert ticket.replace("-", "").replace("_", "").isalnum() or not ticket


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_token_is_good_once(make: Make, vendors: CaptchaVendors, vendor: str) -> None:
    world = make(vendor)
    token = vendors.solve(world.ask())

    key = world.check(token)
    error = refused(world, token)

    assert len(key) == 22
    assert error.challenge["type"] == vendor
    assert [it[:2] for it in world.told] == [
        (vendor, "solved"),
        # Two of them do not tell late from used.
        (vendor, "used" if vendor == "hcaptcha" else "late"),
    ]


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_vendor_learns_no_phone(
    make: Make, vendors: CaptchaVendors, vendor: str
) -> None:
    world = make(vendor)
    challenge = dict(world.challenges.ask(TAG, "8.8.8.8"))
    token = vendors.solve(challenge)

    world.challenges.check(token, TAG, "8.8.8.8")

    expected = {"secret": SECRET_KEY, "response": token, "remoteip": "8.8.8.8"}
    if vendor == "hcaptcha":
        expected["sitekey"] = SITE_KEY
    assert vendors.asked == [expected]


@pytest.mark.parametrize(
    ("network", "told"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("svc-shop 8.8.8.8", "8.8.8.8"),
        ("10.0.0.1", None),
        ("2a00:1450:4001::/64", None),
        ("unknown", None),
    ],
)
def test_only_one_public_address_is_told(
    make: Make, vendors: CaptchaVendors, network: str, told: str | None
) -> None:
    world = make("recaptcha")

    world.challenges.check(vendors.solve(world.ask()), TAG, network)

    assert vendors.asked[0].get("remoteip") == told


@pytest.mark.parametrize(
    ("tag", "network"), [(OTHER_TAG, NETWORK), (TAG, OTHER_NETWORK)]
)
def test_turnstile_binds_a_token_to_phone_and_network(
    make: Make, vendors: CaptchaVendors, tag: str, network: str
) -> None:
    world = make("turnstile")
    token = vendors.solve(world.ask())

    with pytest.raises(ChallengeRequired):
        world.challenges.check(token, tag, network)

    assert world.told == [("turnstile", "foreign", "ticket")]


def test_turnstile_binds_a_token_to_ten_minutes(
    make: Make, vendors: CaptchaVendors, clock: FakeClock
) -> None:
    world = make("turnstile")
    token = vendors.solve(world.ask())
    clock.advance(601)

    refused(world, token)

    assert world.told == [("turnstile", "late", "")]


@pytest.mark.parametrize(
    ("vendor", "answer", "outcome"),
    [
        ("turnstile", {"action": "newsletter"}, ("refused", "action")),
        ("turnstile", {"action": None}, ("refused", "action")),
        ("turnstile", {"cdata": None}, ("foreign", "ticket")),
        ("turnstile", {"cdata": 7}, ("foreign", "ticket")),
        ("turnstile", {"hostname": "evil.example"}, ("refused", "hostname")),
        ("hcaptcha", {"hostname": "evil.example"}, ("refused", "hostname")),
        ("hcaptcha", {"hostname": None}, ("refused", "hostname")),
        ("recaptcha", {"hostname": "evil.example"}, ("refused", "hostname")),
        ("recaptcha", {"score": 0.4, "action": "send_otp"}, ("refused", "score")),
        ("recaptcha", {"score": "1", "action": "send_otp"}, ("refused", "score")),
        ("recaptcha", {"score": 0.9, "action": "login"}, ("refused", "action")),
    ],
)
def test_a_token_made_for_something_else_is_refused(
    make: Make,
    vendors: CaptchaVendors,
    vendor: str,
    answer: dict[str, Any],
    outcome: tuple[str, str],
) -> None:
    world = make(vendor)

    error = refused(world, vendors.solve(world.ask(), **answer))

    assert world.told == [(vendor, *outcome)]
    assert error.challenge["type"] == vendor


@pytest.mark.parametrize(
    ("setting", "score", "passes"),
    [("", 0.5, True), ("", 0.49, False), ("0.9", 0.8, False), ("0", 0.0, True)],
)
def test_version_3_asks_for_a_score(
    make: Make, vendors: CaptchaVendors, setting: str, score: float, *, passes: bool
) -> None:
    world = make("recaptcha", CHALLENGE_MIN_SCORE=setting)
    token = vendors.solve(world.ask(), score=score, action="send_otp")

    if passes:
        world.check(token)
    else:
        refused(world, token)


@pytest.mark.parametrize(
    ("variables", "passes"),
    [
        ({"STOREFRONT_ORIGINS": "*"}, True),
        ({"STOREFRONT_ORIGINS": "https://other.example.com"}, False),
        ({"CHALLENGE_HOSTNAMES": "app.example.com, shop.example.com"}, True),
        ({"CHALLENGE_HOSTNAMES": "app.example.com"}, False),
    ],
    ids=range(4),
)
def test_the_page_must_be_one_of_ours(
    make: Make, vendors: CaptchaVendors, variables: dict[str, Any], *, passes: bool
) -> None:
    world = make("hcaptcha", **variables)
    token = vendors.solve(world.ask())

    if passes:
        world.check(token)
    else:
        refused(world, token)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("invalid-input-response", "forged"),
        ("bad-request", "malformed"),
        ("expired-input-response", "late"),
        ("sitekey-secret-mismatch", "forged"),
        ("browser-error", "refused"),
        ("something-new", "refused"),
    ],
)
def test_no_token_makes_the_vendor_seem_away(
    make: Make, vendors: CaptchaVendors, code: str, outcome: str
) -> None:
    world = make("hcaptcha")
    answer: dict[str, Any] = {"success": False, "error-codes": [code, 7]}

    for _ in range(6):
        error = refused(world, vendors.solve(world.ask(), **answer))
        assert error.challenge["type"] == "hcaptcha"

    assert {it[1] for it in world.told} == {outcome}


@pytest.mark.parametrize("text", ["é", "a b", "a\nb", "\x00", "\ud800"])
def test_no_vendor_is_asked_about_what_is_no_token(
    make: Make, vendors: CaptchaVendors, text: str
) -> None:
    world = make("turnstile")

    refused(world, text)

    assert vendors.asked == []
    assert world.told == [("turnstile", "malformed", "")]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("status", "status 503"),
        ("nonsense", "status 200"),
        ("huge", "too_large"),
        ("redirect", "status 302"),
        ("internal", "internal-error"),
        ("hang_up", "reset"),
    ],
)
@pytest.mark.parametrize("vendor", VENDORS)
def test_without_an_answer_a_proof_of_work_takes_its_place(
    make: Make, vendors: CaptchaVendors, vendor: str, fault: Fault, reason: str
) -> None:
    world = make(vendor)
    token = vendors.solve(world.ask())
    vendors.fault = fault

    error = refused(world, token)

    assert world.told == [(vendor, "unavailable", reason)]
    assert error.challenge["type"] == "altcha"
    assert "instead" in str(error.detail)
    # Nobody was sent elsewhere with the secret.
    assert len(vendors.asked) == 1


def test_the_proof_in_its_place_is_good_whatever_the_vendor_does(
    make: Make, vendors: CaptchaVendors
) -> None:
    world = make("turnstile")
    vendors.fault = "status"
    error = refused(world, vendors.solve(world.ask()))
    vendors.fault = None
    asked = len(vendors.asked)

    world.check(solve(error.challenge))

    assert len(vendors.asked) == asked
    assert world.told[-1] == ("altcha", "solved", "")


def test_a_wrong_secret_is_our_trouble(make: Make, vendors: CaptchaVendors) -> None:
    world = make("turnstile", CHALLENGE_SECRET_KEY="mistyped")

    error = refused(world, vendors.solve(world.ask()))

    assert world.told == [("turnstile", "unavailable", "invalid-input-secret")]
    assert error.challenge["type"] == "altcha"


def test_a_vendor_that_fails_is_left_alone_for_a_while(
    make: Make, vendors: CaptchaVendors, clock: FakeClock
) -> None:
    world = make("turnstile")
    token = vendors.solve(world.ask())
    vendors.fault = "status"
    for _ in range(5):
        refused(world, token)

    # Nobody is sent to a widget whose token nobody can check.
    assert world.ask()["type"] == "altcha"
    refused(world, token)
    assert len(vendors.asked) == 5
    assert world.told[-1] == ("turnstile", "unavailable", "closed")

    clock.advance(30)
    vendors.fault = None
    assert world.ask()["type"] == "turnstile"
    world.check(vendors.solve(world.ask()))
    vendors.fault = "status"
    refused(world, vendors.solve(world.ask()))
    assert world.ask()["type"] == "turnstile"


def test_a_vendor_that_is_still_away_is_left_alone_again(
    make: Make, vendors: CaptchaVendors, clock: FakeClock
) -> None:
    world = make("turnstile")
    token = vendors.solve(world.ask())
    vendors.fault = "status"
    for _ in range(5):
        refused(world, token)
    clock.advance(30)

    refused(world, token)

    assert world.ask()["type"] == "altcha"


def test_a_storm_of_tokens_makes_no_captcha_easier(
    make: Make, vendors: CaptchaVendors
) -> None:
    """Whoever comes while so many are asked about meets the captcha again."""
    world = make("turnstile")
    token = vendors.solve(world.ask())
    captcha = world.challenges._captcha
    assert captcha is not None

    with ExitStack() as storm:
        for _ in range(16):
            storm.enter_context(captcha._gate.call())
        errors = [refused(world, token) for _ in range(8)]

    assert {it.challenge["type"] for it in errors} == {"turnstile"}
    assert all("try again" in str(it.detail) for it in errors)
    assert world.told == [("turnstile", "busy", "")] * 8
    assert vendors.asked == []
    assert world.ask()["type"] == "turnstile"
    world.check(token)
