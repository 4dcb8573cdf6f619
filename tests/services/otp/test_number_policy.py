"""What a policy of countries and kinds of number says of one number."""

import itertools

import pytest

from services.otp.number_policy import NumberPolicy, Treatment
from services.sms.provider import Channel
from services.sms.routes import CHANNELS
from utils.phone import KINDS, MOBILE_KINDS, PhoneNumber

PHONE = PhoneNumber("+919876543210", "IN", 91)
GATEWAY = PhoneNumber("+445631234567", "GB", 44, "voip")
TREATMENTS: tuple[Treatment, ...] = ("allow", "challenge", "block")


def of_kind(kind: str) -> PhoneNumber:
    return PhoneNumber("+919876543210", "IN", 91, kind)


def test_an_allowed_country_is_open_on_every_channel() -> None:
    policy = NumberPolicy.allowing(["AE", "IN"])

    assert policy.serves(PHONE)
    assert policy.open_to(PHONE, CHANNELS) == CHANNELS
    assert policy.wants_challenge(PHONE, CHANNELS) == ""


@pytest.mark.parametrize("countries", [[], ["AE"]])
def test_a_country_that_is_not_named_is_closed(countries: list[str]) -> None:
    policy = NumberPolicy.allowing(countries)

    assert not policy.serves(PHONE)
    assert policy.open_to(PHONE, CHANNELS) == ()


@pytest.mark.parametrize("kind", KINDS)
def test_mobiles_alone_are_served_by_default(kind: str) -> None:
    policy = NumberPolicy.allowing(["IN"])

    assert policy.serves(of_kind(kind)) == (kind in MOBILE_KINDS)


def test_a_kind_may_be_opened_and_mobiles_closed() -> None:
    policy = NumberPolicy(
        {"GB": {"sms": "allow"}, "IN": {"sms": "allow"}},
        {"voip": {"sms": "allow"}, "mobile": {"sms": "block"}},
    )

    assert policy.serves(GATEWAY)
    assert not policy.serves(PHONE)


def test_channels_are_told_in_the_order_in_which_they_are_asked_about() -> None:
    policy = NumberPolicy({"IN": {"voice": "allow", "sms": "challenge"}})

    assert policy.open_to(PHONE, ("voice", "whatsapp", "sms")) == ("voice", "sms")


@pytest.mark.parametrize(
    ("country", "kind"), list(itertools.product(TREATMENTS, TREATMENTS)), ids="-".join
)
def test_the_stricter_of_country_and_kind_counts(
    country: Treatment, kind: Treatment
) -> None:
    policy = NumberPolicy({"IN": {"sms": country}}, {"mobile": {"sms": kind}})
    wanted = {"challenge": "country_policy", "allow": ""}.get(country, "")
    if country == "allow" and kind == "challenge":
        wanted = "number_type"
    blocked = "block" in {country, kind}

    assert policy.serves(PHONE) is not blocked
    assert policy.wants_challenge(PHONE, ["sms"]) == ("" if blocked else wanted)


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [
        (["sms"], ""),
        (["voice"], "number_type"),
        (["whatsapp"], "country_policy"),
        (["sms", "voice"], "number_type"),
        (["voice", "whatsapp"], "country_policy"),
        ([], ""),
    ],
)
def test_one_channel_that_wants_a_challenge_is_enough(
    channels: list[Channel], wanted: str
) -> None:
    policy = NumberPolicy(
        {"IN": {"sms": "allow", "whatsapp": "challenge", "voice": "allow"}},
        {"mobile": {"sms": "allow", "whatsapp": "allow", "voice": "challenge"}},
    )

    assert policy.wants_challenge(PHONE, channels) == wanted


def test_what_was_said_of_one_kind_is_not_said_of_another() -> None:
    policy = NumberPolicy.allowing(["IN"])

    assert [policy.serves(of_kind(it)) for it in ("mobile", "voip", "mobile")] == [
        True,
        False,
        True,
    ]
