"""Sessions: made by a won check, found, and ended."""

from dataclasses import replace

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.errors import InvalidToken, StoreUnavailable, SubjectFrozen
from services.events import ScriptRan, SessionOpened, SessionsEnded
from services.identity.people.records import SessionRules
from services.scripts import HeldConnections, ScriptRunner
from tests.redis_server import free_port
from tests.services.identity.people.world import (
    ADMIN,
    DAY,
    NEW_PHONE,
    PHONE,
    SHOP,
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


def test_a_won_check_opens_a_session(world: World) -> None:
    opened = world.log_in(device="My phone", scope="phone")

    found = world.sessions.find(opened.id, opened.subject)

    assert found == opened
    assert opened.subject == world.subjects.subject_of(tag_of(PHONE))
    assert (found.client_id, found.device, found.scope) == (SHOP, "My phone", "phone")
    assert (found.amr, found.roles, found.counter) == ("sms", ["customer"], 0)
    assert (found.tag, found.id[:16]) == (tag_of(PHONE), tag_of(PHONE))
    assert world.sessions.phone_of(found) == PHONE
    assert world.told(SessionOpened) == [
        SessionOpened(tag_of(PHONE), opened.subject, fingerprint(opened.id), SHOP)
    ]


def test_a_session_says_when_it_was_made_and_when_it_ends(world: World) -> None:
    opened = world.log_in()
    world.advance(3_600)

    found = world.sessions.find(opened.id)

    assert found.created == found.used == opened.created
    assert found.ends == opened.created + 14 * DAY
    assert found.age in {3_600, 3_601}
    assert found.expires_in in {14 * DAY - 3_600, 14 * DAY - 3_601}


@pytest.mark.parametrize("guess", ["wrong", "gone"])
def test_without_a_won_check_there_is_no_session(world: World, guess: str) -> None:
    prize = world.sessions.prize(PHONE, client_id=SHOP)
    attempt = world.start()
    if guess == "wrong":
        record = world.otp.check(attempt, prize=None)
    else:
        record = world.otp.check(replace(attempt, storefront="x"), prize=prize)

    assert (record.outcome, record.won) == (guess, {})
    assert world.sessions.all_of(tag_of(PHONE)) == []
    assert world.key("ses") not in world.store.dump()


def test_a_check_run_twice_makes_one_session(world: World) -> None:
    prize = world.sessions.prize(PHONE, client_id=SHOP)
    attempt = world.start()

    first, again = (world.otp.check(attempt, prize=prize) for _ in range(2))

    assert first.won["id"] == again.won["id"]
    assert first.won["session"] == again.won["session"]
    assert len(world.sessions.all_of(tag_of(PHONE))) == 1
    assert first.first_login
    assert again.first_login


def test_of_20_right_codes_at_once_one_session_comes(real_store: Store) -> None:
    world = World(real_store)
    attempt = world.start()
    prizes = [world.sessions.prize(PHONE, client_id=SHOP) for _ in range(20)]

    records = at_once(
        20,
        lambda i: world.otp.check(replace(attempt, op=f"try-{i}"), prize=prizes[i]),
    )

    won = [it.won["id"] for it in records if it.outcome == "verified"]
    assert [it.id[16:] for it in world.sessions.all_of(tag_of(PHONE))] == won


@pytest.mark.parametrize(
    ("channel", "amr"), [("sms", "sms"), ("voice", "tel"), ("whatsapp", "otp")]
)
def test_a_session_tells_how_the_code_came(
    world: World, channel: str, amr: str
) -> None:
    opened = world.log_in(channel=channel)  # type: ignore[arg-type]

    assert opened.amr == world.sessions.find(opened.id).amr == amr


def test_a_verified_phone_has_a_holder_and_no_session(world: World) -> None:
    prize = world.sessions.name_only(PHONE)

    record = world.win(prize, channel="voice")

    holder = world.sessions.holder(record.won)
    assert holder.subject == world.subjects.subject_of(tag_of(PHONE))
    assert holder.amr == "tel"
    assert not record.first_login
    assert world.key("ses") not in world.store.dump()


def test_roles_are_those_of_this_moment(world: World) -> None:
    opened = world.log_in()
    world.people.grant(opened.tag, "picker")
    granted = world.sessions.find(opened.id).roles
    world.people.take(opened.tag, "picker")

    assert opened.roles == ["customer"]
    assert granted == ["customer", "picker"]
    assert world.sessions.find(opened.id).roles == ["customer"]
    assert world.log_in(ADMIN).roles == ["customer", "admin"]


def test_another_subjects_session_is_not_found(world: World) -> None:
    opened, other = world.log_in(), world.log_in(NEW_PHONE)

    with pytest.raises(InvalidToken):
        world.sessions.find(opened.id, other.subject)


@pytest.mark.parametrize("session_id", ["", "x", "x" * 38, "x" * 39, "é" * 38])
def test_what_is_no_session_is_not_found(world: World, session_id: str) -> None:
    with pytest.raises(InvalidToken):
        world.sessions.find(session_id)
    assert not world.sessions.end(session_id, "logout")


def test_an_eleventh_session_ends_the_first(world: World) -> None:
    opened = []
    for _ in range(11):
        opened.append(world.log_in())
        world.advance(1)

    live = world.sessions.all_of(tag_of(PHONE))

    assert [it.id for it in live] == [it.id for it in opened[1:]]
    assert world.told(SessionsEnded) == [SessionsEnded("evicted", tag_of(PHONE), 1)]


def test_the_new_session_stays_though_redis_has_gone_back_in_time(
    world: World,
) -> None:
    for _ in range(10):
        world.log_in()
    world.advance(-60)

    newest = world.log_in()

    assert world.sessions.find(newest.id) == newest


def test_fewer_sessions_allowed_end_all_that_are_too_many(store: Store) -> None:
    for _ in range(4):
        World(store).log_in()
        store.clock.advance(1)

    strict = World(store, rules=SessionRules(most=2))
    last = strict.log_in()

    live = strict.sessions.all_of(tag_of(PHONE))
    assert len(live) == 2
    assert live[-1].id == last.id
    assert strict.told(SessionsEnded)[0].count == 3


def test_one_session_ends_and_the_others_stay(world: World) -> None:
    first, second = world.log_in(), world.log_in()

    assert world.sessions.end(first.id, "logout")
    assert not world.sessions.end(first.id, "logout")

    with pytest.raises(InvalidToken):
        world.sessions.find(first.id)
    assert world.sessions.find(second.id) == second
    assert world.told(SessionsEnded) == [SessionsEnded("logout", first.tag, 1)]


def test_all_sessions_end_at_once(world: World) -> None:
    opened = [world.log_in() for _ in range(3)]
    other = world.log_in(NEW_PHONE)

    assert world.sessions.end_all(tag_of(PHONE), "logout_all") == 3
    assert world.sessions.end_all(tag_of(PHONE), "logout_all") == 0

    for session in opened:
        with pytest.raises(InvalidToken):
            world.sessions.find(session.id)
    assert world.sessions.find(other.id) == other
    assert world.key("ses") not in world.store.dump()


def test_who_is_frozen_gets_no_session_and_uses_the_code_up(world: World) -> None:
    world.people.freeze(tag_of(PHONE), "fraud")
    prize = world.sessions.prize(PHONE, client_id=SHOP)
    attempt = world.start()

    record = world.otp.check(attempt, prize=prize)

    with pytest.raises(SubjectFrozen):
        world.sessions.opened(PHONE, record.won)
    again = world.otp.check(replace(attempt, op="another"), prize=prize)
    assert again.outcome == "gone"
    assert not record.first_login
    assert world.key("ses") not in world.store.dump()
    assert world.told(SessionOpened) == []


def test_a_frozen_persons_session_is_not_found_until_they_are_thawed(
    world: World,
) -> None:
    opened = world.log_in()
    world.people.freeze(opened.tag, "fraud")

    with pytest.raises(InvalidToken):
        world.sessions.find(opened.id)
    assert [it.id for it in world.sessions.all_of(opened.tag)] == [opened.id]

    world.people.thaw(opened.tag)
    assert world.sessions.find(opened.id) == opened


def test_what_is_stored_shows_no_phone_and_has_an_end(world: World) -> None:
    opened = world.log_in()

    value, ttl = world.store.dump()[world.key("ses")]

    assert PHONE[3:].encode() not in value
    assert PHONE[3:] not in repr(opened)
    assert 14 * DAY * 1000 - 5_000 < ttl <= 14 * DAY * 1000


def test_the_key_lives_as_long_as_the_last_session(world: World) -> None:
    world.log_in()
    world.advance(5 * DAY)
    world.log_in()

    _, ttl = world.store.dump()[world.key("ses")]

    assert 14 * DAY * 1000 - 5_000 < ttl <= 14 * DAY * 1000


def test_a_phone_sealed_for_another_session_does_not_open(world: World) -> None:
    first, second = world.log_in(), world.log_in()

    with pytest.raises(InvalidToken):
        world.sessions.phone_of(replace(first, sealed_phone=second.sealed_phone))


def test_a_phone_sealed_with_the_secret_before_opens(store: Store) -> None:
    old, new = bytes(32), b"n" * 32
    session = World(store, phone_keys=(old,)).log_in()

    both = World(store, phone_keys=(new, old)).sessions
    only_new = World(store, phone_keys=(new,)).sessions

    assert both.phone_of(both.find(session.id)) == PHONE
    with pytest.raises(InvalidToken):
        only_new.phone_of(session)


def test_finding_refreshing_and_logging_in_take_a_round_trip_each(
    world: World,
) -> None:
    prize = world.sessions.prize(PHONE, client_id=SHOP)
    attempt = world.start()
    world.store.events.clear()

    session = world.sessions.opened(PHONE, world.otp.check(attempt, prize=prize).won)
    world.sessions.find(session.id)
    world.refresh(world.token(session))

    ran = [it.script for it in world.store.events if isinstance(it, ScriptRan)]
    assert ran == ["check", "find", "refresh"]


def test_a_login_long_forgotten_by_its_session_is_no_first_one(world: World) -> None:
    world.log_in()
    world.advance(30 * DAY)
    prize = world.sessions.prize(PHONE, client_id=SHOP)

    record = world.win(prize)

    assert not record.first_login
    assert len(world.sessions.all_of(tag_of(PHONE))) == 1


def test_without_redis_nobody_is_let_in(store: Store) -> None:
    pool = redis.ConnectionPool(port=free_port(), retry=Retry(NoBackoff(), 0))
    dead = ScriptRunner(HeldConnections(pool), emit=store.events.append)
    world = World(store, scripts=dead)

    with pytest.raises(StoreUnavailable):
        world.sessions.find("x" * 38)
    with pytest.raises(StoreUnavailable):
        world.people.look(tag_of(PHONE))


def test_a_session_is_small(real_store: Store) -> None:
    world = World(real_store)
    session = world.log_in(
        channel="voice", device="Chrome on Android 16", scope="phone"
    )
    world.refresh(world.token(session))

    taken = real_store.client.memory_usage(world.key("ses"))

    # Beside it the server keeps some 100 bytes for the key and its end.
    assert taken is not None
    assert taken <= 500
