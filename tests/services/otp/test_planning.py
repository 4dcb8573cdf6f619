"""Which channels a message may take under a policy of numbers."""

from collections.abc import Mapping

import pytest

from services.errors import ChannelNotAvailable, PhoneNotSupported
from services.otp.number_policy import NumberPolicy, Treatments
from services.otp.planning import TEST_WAYS, Planner
from services.sms.provider import Channel
from tests.fakes import FakeClock, RecordingProvider
from tests.services.sms.worlds import make_sms
from utils.phone import PhoneNumber

PHONE = PhoneNumber("+919876543210", "IN", 91)
OPEN: Treatments = {"sms": "allow", "whatsapp": "allow", "voice": "allow"}


def planner(
    country: Treatments,
    kinds: Mapping[str, Treatments] | None = None,
    *,
    whatsapp_first: bool = False,
) -> Planner:
    channels: tuple[Channel, ...] = ("sms", "whatsapp", "voice")
    providers = [RecordingProvider(it, channels=frozenset({it})) for it in channels]
    return Planner(
        make_sms(providers, clock=FakeClock()),
        policy=NumberPolicy({"IN": country}, kinds),
        whatsapp_first=whatsapp_first,
    )


def test_a_blocked_channel_is_no_way() -> None:
    it = planner({**OPEN, "whatsapp": "block"}, whatsapp_first=True)

    ways = it.ways(PHONE, None)

    assert it.channels(PHONE) == ways.channels == ("sms", "voice")
    assert [plan.channel for plan in ways.plans] == ["sms"]
    assert list(ways.orders) == ["sms"]


def test_a_blocked_channel_that_is_asked_for_is_refused_and_the_others_are_named() -> (
    None
):
    with pytest.raises(ChannelNotAvailable) as caught:
        planner({"sms": "allow", "voice": "challenge"}).ways(PHONE, "whatsapp")

    step = caught.value.next_step
    assert step is not None
    assert (step.sms.allowed, step.voice.allowed) == (True, True)
    assert not step.whatsapp.allowed


def test_the_first_open_channel_is_the_usual_one() -> None:
    ways = planner({**OPEN, "sms": "block"}).ways(PHONE, None)

    assert [plan.channel for plan in ways.plans] == ["whatsapp"]


def test_where_every_channel_is_blocked_nobody_serves_the_number() -> None:
    it = planner({"sms": "block"})

    with pytest.raises(PhoneNotSupported):
        it.channels(PHONE)
    with pytest.raises(PhoneNotSupported):
        it.ways(PHONE, None)


def test_a_blocked_channel_does_not_take_what_another_cannot_deliver() -> None:
    it = planner({**OPEN, "sms": "block"})

    ways = it.ways(PHONE, "whatsapp")
    follow_up = it.ways_on(PHONE, "sms")

    assert list(ways.orders) == ["whatsapp"]
    assert follow_up.orders == {"sms": ()}
    assert [plan.providers for plan in follow_up.plans] == [[]]
    assert follow_up.channels == ("whatsapp", "voice")


@pytest.mark.parametrize(
    ("wanted", "why"),
    [(None, ""), ("sms", ""), ("whatsapp", ""), ("voice", "country_policy")],
)
def test_the_channel_that_is_planned_says_whether_a_challenge_is_wanted(
    wanted: Channel | None, why: str
) -> None:
    it = planner({**OPEN, "voice": "challenge"})

    assert it.ways(PHONE, wanted).wants_challenge == why


def test_so_does_the_one_behind_it() -> None:
    it = planner({**OPEN, "sms": "challenge"})

    assert it.ways(PHONE, "whatsapp").wants_challenge == "country_policy"


def test_a_kind_of_number_may_want_a_challenge() -> None:
    it = planner(OPEN, {"mobile": dict.fromkeys(OPEN, "challenge")})

    assert it.ways(PHONE, None).wants_challenge == "number_type"


def test_nobody_is_asked_for_a_challenge_for_a_follow_up_or_a_test_number() -> None:
    it = planner({**OPEN, "sms": "challenge"})

    assert it.ways_on(PHONE, "sms").wants_challenge == ""
    assert TEST_WAYS.wants_challenge == ""
