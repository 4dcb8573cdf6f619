"""Device tokens: of one phone, of us, of the last ninety days, and of nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.abuse.devices import DeviceTokens
from services.errors import DeviceTokenInvalid
from tests.fakes import FakeClock

TAG = "tagtagtagtagtagt"
OLD, NEW = b"o" * 32, b"n" * 32
DAY = 86_400


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def tokens(clock: FakeClock) -> DeviceTokens:
    return DeviceTokens((NEW,), clock=clock)


def test_a_token_tells_when_it_was_issued(
    tokens: DeviceTokens, clock: FakeClock
) -> None:
    issued = int(clock.now())
    token = tokens.issue(TAG)
    clock.advance(1_000)

    assert tokens.read(token, TAG) == issued * 1000
    assert tokens.read(tokens.issue(TAG, at=issued - 5), TAG) == (issued - 5) * 1000


@pytest.mark.parametrize(("days", "good"), [(89, True), (91, False)], ids=str)
def test_a_token_means_nothing_after_ninety_days(
    tokens: DeviceTokens, clock: FakeClock, days: int, *, good: bool
) -> None:
    token = tokens.issue(TAG)

    clock.advance(days * DAY)

    assert (tokens.read(token, TAG) is not None) == good


def test_a_token_of_another_phone_is_refused_however_old(
    tokens: DeviceTokens, clock: FakeClock
) -> None:
    token = tokens.issue("another tag 1234")
    clock.advance(91 * DAY)

    with pytest.raises(DeviceTokenInvalid):
        tokens.read(token, TAG)


def test_a_token_of_other_keys_is_refused(clock: FakeClock) -> None:
    token = DeviceTokens((OLD,), clock=clock).issue(TAG)

    with pytest.raises(DeviceTokenInvalid):
        DeviceTokens((NEW,), clock=clock).read(token, TAG)


def test_a_token_outlives_a_change_of_the_secret(clock: FakeClock) -> None:
    token = DeviceTokens((OLD,), clock=clock).issue(TAG)

    changed = DeviceTokens((NEW, OLD), clock=clock)

    assert changed.read(token, TAG)
    assert DeviceTokens((NEW,), clock=clock).read(changed.issue(TAG), TAG)


def test_a_token_cannot_be_altered_at_any_place(tokens: DeviceTokens) -> None:
    token = tokens.issue(TAG)
    for place, char in enumerate(token):
        altered = token[:place] + ("A" if char != "A" else "w") + token[place + 1 :]

        with pytest.raises(DeviceTokenInvalid):
            tokens.read(altered, TAG)


@given(st.text() | st.text().map("qcd_{}".format))
def test_no_other_text_is_one(text: str) -> None:
    tokens = DeviceTokens((NEW,), clock=FakeClock())

    with pytest.raises(DeviceTokenInvalid):
        tokens.read(text, TAG)


def test_tokens_say_nothing_of_whose_they_are(tokens: DeviceTokens) -> None:
    made = {tokens.issue(TAG) for _ in range(100)}

    # Not even that they are the same phone's, of the same second.
    assert len({it[4:20] for it in made}) == 100
    assert not any(TAG in it for it in made)
    # The schema takes as many characters.
    assert max(map(len, made)) < 200
