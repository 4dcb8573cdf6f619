"""Refreshing: one chain of tokens, which dies when two hold it."""

from dataclasses import replace

import pytest

from services.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidToken,
    StoreUnavailable,
)
from services.events import SessionRefreshed, SessionsEnded
from services.identity.people.records import Session, SessionRules
from services.scripts import Call, Reply
from tests.services.identity.people.world import (
    DAY,
    PHONE,
    SHOP,
    DyingScripts,
    World,
    tag_of,
)
from tests.services.stores import Store
from tests.services.threads import at_once
from utils.crypto import fingerprint

pytestmark = pytest.mark.contract


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def session(world: World) -> Session:
    return world.log_in()


def outcomes(world: World) -> list[str]:
    return [it.outcome for it in world.told(SessionRefreshed)]


def test_a_refresh_gives_another_token_for_the_same_session(
    world: World, session: Session
) -> None:
    token = world.token(session)
    world.advance(DAY)

    refreshed = world.refresh(token)

    assert world.token(refreshed) != token
    assert (refreshed.id, refreshed.counter) == (session.id, 1)
    assert refreshed.created == session.created
    assert refreshed.used - session.used in {DAY, DAY + 1}
    assert refreshed.ends == refreshed.used + 14 * DAY
    assert world.told(SessionRefreshed) == [
        SessionRefreshed("rotated", session.tag, fingerprint(session.id))
    ]


def test_a_refresh_token_is_read_without_the_store(
    world: World, session: Session
) -> None:
    token = world.token(session)

    assert world.sessions.read_token(token) == (session.id, 0)
    assert world.sessions.read_token(token[:-1]) is None


def test_the_newest_token_of_a_session_is_one(world: World, session: Session) -> None:
    other = world.log_in()
    first = world.token(session)
    assert world.sessions.is_newest(first, session)

    session = world.refresh(first)

    newest = world.token(session)
    # Redis may have lost its last second, and with it the count of one refresh.
    newer = world.token_at(session.id, 2)
    tokens = [newest, newer, first, world.token(other), "", "x"]
    assert [world.sessions.is_newest(it, session) for it in tokens] == [
        *[True] * 2,
        *[False] * 4,
    ]


@pytest.mark.parametrize("seconds", [0, 9])
def test_a_lost_answer_is_given_again(
    world: World, session: Session, seconds: int
) -> None:
    token = world.token(session)
    lost = world.token(world.refresh(token))
    world.advance(seconds)

    again = world.token(world.refresh(token))

    assert again == lost
    assert outcomes(world) == ["rotated", "again"]
    assert world.refresh(again).counter == 2


def test_a_token_used_again_too_late_ends_the_session(
    world: World, session: Session
) -> None:
    token = world.token(session)
    successor = world.token(world.refresh(token))
    world.advance(10)

    with pytest.raises(InvalidGrant):
        world.refresh(token)
    with pytest.raises(InvalidGrant):
        world.refresh(successor)

    with pytest.raises(InvalidToken):
        world.sessions.find(session.id)
    assert outcomes(world) == ["rotated", "reused", "gone"]
    assert world.told(SessionsEnded) == [SessionsEnded("reused", session.tag, 1)]


def test_a_token_two_steps_behind_ends_the_session_at_once(
    world: World, session: Session
) -> None:
    token = world.token(session)
    world.refresh(world.token(world.refresh(token)))

    with pytest.raises(InvalidGrant):
        world.refresh(token)

    assert outcomes(world)[-1] == "reused"


@pytest.mark.parametrize("first", ["thief", "owner"])
def test_when_thief_and_owner_both_use_it_the_family_dies(
    world: World, session: Session, first: str
) -> None:
    other = world.log_in()
    stolen = world.token(session)
    held = {first: world.token(world.refresh(stolen))}
    world.advance(3_600)
    second = "owner" if first == "thief" else "thief"

    with pytest.raises(InvalidGrant):
        world.refresh(stolen)
    with pytest.raises(InvalidGrant):
        world.refresh(held[first])

    assert second not in held
    assert [it.id for it in world.sessions.all_of(session.tag)] == [other.id]


def test_when_the_thief_is_within_the_seconds_the_family_dies_at_the_next_use(
    world: World, session: Session
) -> None:
    stolen = world.token(session)
    owners, thiefs = (world.token(world.refresh(stolen)) for _ in range(2))
    world.advance(600)
    world.refresh(owners)
    world.advance(600)

    with pytest.raises(InvalidGrant):
        world.refresh(thiefs)

    assert world.sessions.all_of(session.tag) == []


def test_20_refreshes_at_once_make_one_chain(real_store: Store) -> None:
    world = World(real_store)
    token = world.token(world.log_in())

    successors = at_once(20, lambda _: world.token(world.refresh(token)))

    assert len(set(successors)) == 1
    assert sorted(outcomes(world)) == ["again"] * 19 + ["rotated"]
    assert world.refresh(successors[0]).counter == 2


def test_a_counter_that_redis_forgot_is_taken_up(
    world: World, session: Session
) -> None:
    before = world.store.client.get(world.key("ses"))
    newest = world.token(world.refresh(world.token(session)))
    assert before is not None
    world.store.client.set(world.key("ses"), before)

    refreshed = world.refresh(newest)

    assert refreshed.counter == 2
    assert world.token(world.refresh(newest)) == world.token(refreshed)


def test_an_idle_session_ends(world: World, session: Session) -> None:
    token = world.token(session)
    world.advance(14 * DAY - 1)
    token = world.token(world.refresh(token))
    world.advance(14 * DAY)

    with pytest.raises(InvalidGrant):
        world.refresh(token)
    with pytest.raises(InvalidToken):
        world.sessions.find(session.id)
    assert world.sessions.all_of(session.tag) == []


def test_a_session_in_daily_use_ends_after_30_days(
    world: World, session: Session
) -> None:
    token = world.token(session)
    for _ in range(29):
        world.advance(DAY)
        token = world.token(world.refresh(token))
    world.advance(DAY - 5)
    last = world.refresh(token)
    world.advance(5)

    assert last.expires_in in {4, 5}
    with pytest.raises(InvalidGrant):
        world.refresh(world.token(last))


def test_shorter_rules_hold_for_sessions_that_are_there(
    store: Store, world: World, session: Session
) -> None:
    strict = World(store, rules=SessionRules(idle_days=1, max_days=2))
    world.advance(DAY)

    with pytest.raises(InvalidGrant):
        strict.refresh(world.token(session))


def test_who_is_frozen_cannot_refresh(world: World, session: Session) -> None:
    token = world.token(session)
    world.people.freeze(session.tag, "fraud")

    with pytest.raises(InvalidGrant):
        world.refresh(token)
    assert outcomes(world) == ["frozen"]

    world.people.thaw(session.tag)
    assert world.refresh(token).counter == 1


def test_another_storefront_cannot_use_the_token(
    world: World, session: Session
) -> None:
    token = world.token(session)

    with pytest.raises(InvalidGrant) as refusal:
        world.sessions.refresh(token, client_id="https://evil.example")
    assert refusal.value.session_lives

    assert outcomes(world) == ["foreign"]
    assert world.sessions.refresh(token, client_id=None).counter == 1


def test_a_service_clients_session_takes_the_service_client(world: World) -> None:
    prize = world.sessions.prize(PHONE, client_id="svc-orders")
    session = world.sessions.opened(PHONE, world.win(prize).won)
    token = world.token(session)

    with pytest.raises(InvalidClient):
        world.sessions.refresh(token, client_id=None)
    with pytest.raises(InvalidGrant):
        world.sessions.refresh(token, client_id=SHOP)

    assert outcomes(world) == ["unproven", "foreign"]
    assert world.sessions.refresh(token, client_id="svc-orders").counter == 1


@pytest.mark.parametrize("scopes", [["phone", "admin"], ["admin"], ["phon"], ["hone"]])
def test_to_ask_for_too_much_does_not_use_up_the_token(
    world: World, scopes: list[str]
) -> None:
    session = world.log_in(scope="phone")
    token = world.token(session)

    with pytest.raises(InvalidScope):
        world.sessions.refresh(token, scopes=scopes)

    assert outcomes(world) == ["denied"]
    world.advance(60)
    assert world.sessions.refresh(token, scopes=["phone"]).counter == 1


def test_a_used_token_ends_the_session_whatever_is_asked_for(
    world: World, session: Session
) -> None:
    token = world.token(session)
    world.refresh(token)
    world.advance(60)

    with pytest.raises(InvalidGrant):
        world.sessions.refresh(token, scopes=["phone"])

    assert world.sessions.all_of(session.tag) == []


def test_a_refresh_that_nobody_waits_for_uses_up_no_token(store: Store) -> None:
    class Stalled(DyingScripts):
        """Redis runs what it was sent only when the caller has given up."""

        def run(self, call: Call) -> Reply:
            if call.timely and self.left == 0:
                late = {**call.arguments, "not_after_ms": 1}
                return self._runner.run(replace(call, arguments=late, timely=False))
            return self._runner.run(call)

    scripts = Stalled(store)
    world = World(store, scripts=scripts)
    session = world.log_in()
    token = world.token(session)
    scripts.left = 0
    with pytest.raises(StoreUnavailable):
        world.refresh(token)
    scripts.left = 1
    world.advance(60)

    assert world.refresh(token).counter == 1


def test_a_refresh_keeps_what_the_login_said(world: World) -> None:
    session = world.log_in(channel="voice", device="My phone", scope="phone")

    refreshed = world.refresh(world.token(session))

    assert (refreshed.amr, refreshed.device, refreshed.scope, refreshed.client_id) == (
        "tel",
        "My phone",
        "phone",
        SHOP,
    )
    assert world.sessions.phone_of(refreshed) == PHONE


def test_a_session_that_was_never_made_cannot_be_refreshed(world: World) -> None:
    prize = world.sessions.prize(PHONE, client_id=SHOP)
    session_id = tag_of(PHONE) + prize.argument["id"]
    made = world.log_in()
    token = world.token_at(session_id, 0)

    with pytest.raises(InvalidGrant):
        world.refresh(token)

    assert [it.id for it in world.sessions.all_of(tag_of(PHONE))] == [made.id]


def test_a_token_of_the_secret_before_is_exchanged_for_a_new_one(
    store: Store,
) -> None:
    old = World(store, token_keys=(b"old",))
    token = old.token(old.log_in())

    both = World(store, token_keys=(b"new", b"old"))
    successor = both.token(both.refresh(token))

    only_new = World(store, token_keys=(b"new",))
    assert only_new.refresh(successor).counter == 2
    with pytest.raises(InvalidGrant):
        only_new.refresh(token)
