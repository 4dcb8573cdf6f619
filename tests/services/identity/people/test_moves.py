"""People who move to another number, subject and all."""

import json

import pytest

from services.errors import (
    InvalidGrant,
    InvalidToken,
    NotFound,
    PhoneInUse,
    StoreUnavailable,
    SubjectFrozen,
)
from services.events import PhoneChanged, SessionOpened, SessionsEnded
from services.identity.people.records import Session
from services.scripts import Call, Reply
from tests.services.identity.people.world import (
    ADMIN,
    DAY,
    LIMITS,
    NEW_PHONE,
    PHONE,
    SHOP,
    THIRD_PHONE,
    CutShort,
    DyingScripts,
    World,
    tag_of,
)
from tests.services.stores import Store
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

OLD, NEW, THIRD = tag_of(PHONE), tag_of(NEW_PHONE), tag_of(THIRD_PHONE)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


@pytest.fixture
def session(world: World) -> Session:
    return world.log_in()


def stored(world: World) -> dict[str, bytes]:
    """Every record of people, as it is stored."""
    return {
        key: value
        for key, (value, _) in world.store.dump().items()
        if key.startswith("person:")
    }


def assert_moved(world: World, subject: str) -> None:
    """Find a person at the new number, all of them, and nothing at the old one."""
    assert world.people.locate(subject) == NEW
    assert world.people.look(NEW).subject == subject
    assert world.people.look(OLD).subject == world.subjects.subject_of(OLD, 1)
    assert world.sessions.all_of(OLD) == []
    assert b"coming_from" not in b"".join(stored(world).values())
    assert world.told(PhoneChanged) == [PhoneChanged(subject, OLD, NEW)]


def test_who_moves_stays_who_they_are(world: World, session: Session) -> None:
    moved = world.move(session)

    assert moved.subject == session.subject
    assert (moved.tag, world.sessions.phone_of(moved)) == (NEW, NEW_PHONE)
    assert_moved(world, session.subject)
    assert world.told(SessionsEnded) == [SessionsEnded("moved", OLD, 1)]
    assert world.refresh(world.token(moved)).subject == session.subject
    assert world.log_in(NEW_PHONE).subject == session.subject


def test_the_sessions_at_the_old_number_are_over(
    world: World, session: Session
) -> None:
    token = world.token(session)
    world.move(session)

    with pytest.raises(InvalidToken):
        world.sessions.find(session.id)
    with pytest.raises(InvalidGrant):
        world.refresh(token)


def test_who_has_the_old_number_next_is_somebody_else(
    world: World, session: Session
) -> None:
    world.move(session)

    stranger = world.log_in(PHONE)

    assert stranger.subject not in {session.subject, world.subjects.subject_of(OLD)}
    assert world.people.locate(stranger.subject) == OLD


def test_roles_and_freeze_move_along(world: World, session: Session) -> None:
    world.people.grant(OLD, "admin")
    prize = world.sessions.prize(NEW_PHONE, client_id=SHOP, moving=session)
    record = world.win(prize, NEW_PHONE)
    world.people.freeze(OLD, "fraud")

    with pytest.raises(SubjectFrozen):
        world.sessions.opened(NEW_PHONE, record.won)

    new, old = world.people.look(NEW), world.people.look(OLD)
    assert new.roles == ["customer", "admin"]
    assert (new.granted, old.granted) == (["admin"], [])
    assert new.frozen is not None
    assert old.frozen is None


def test_roles_of_before_are_in_the_session_of_after(
    world: World, session: Session
) -> None:
    world.people.grant(OLD, "admin")

    assert world.move(session).roles == ["customer", "admin"]


@pytest.mark.parametrize("by", ["refresh", "find"])
def test_who_was_frozen_before_a_move_was_finished_gets_nothing(
    store: Store, by: str
) -> None:
    dying = DyingScripts(store)
    world = World(store, scripts=dying)
    session = world.log_in()
    prize = world.sessions.prize(NEW_PHONE, client_id=SHOP, moving=session)
    record = world.win(prize, NEW_PHONE)
    dying.left = 0
    with pytest.raises(CutShort):
        world.sessions.opened(NEW_PHONE, record.won)
    dying.left = 1_000
    world.people.freeze(OLD, "fraud")
    session_id = NEW + prize.argument["id"]

    if by == "refresh":
        with pytest.raises(InvalidGrant) as refusal:
            world.refresh(world.token_at(session_id, 0))
        assert refusal.value.session_lives
    else:
        with pytest.raises(InvalidToken):
            world.sessions.find(session_id)

    assert world.people.look(NEW).frozen is not None


def test_who_moves_to_an_admins_number_is_no_admin(world: World) -> None:
    session = world.log_in()

    moved = world.move(session, ADMIN)

    assert moved.roles == ["customer"]
    assert world.sessions.find(moved.id).roles == ["customer"]
    assert world.people.look(tag_of(ADMIN)).roles == ["customer"]


def test_an_admin_of_the_settings_who_comes_back_is_one_again(world: World) -> None:
    session = world.log_in(ADMIN)
    away = world.move(session, NEW_PHONE)
    world.otp.forget_holder(tag_of(ADMIN), LIMITS)

    back = world.move(away, ADMIN)

    assert (session.roles, away.roles) == (["customer", "admin"], ["customer"])
    assert back.roles == ["customer", "admin"]


@pytest.mark.parametrize("hops", [2, 5])
def test_a_subject_leads_along_every_move(world: World, hops: int) -> None:
    phones = [f"+9198123{number:05}" for number in range(hops + 1)]
    session = world.log_in(phones[0])
    subject = session.subject

    for phone in phones[1:]:
        session = world.move(session, phone)

    assert session.subject == subject
    assert world.people.locate(subject) == tag_of(phones[-1])


def test_who_moves_back_is_found_at_home(world: World, session: Session) -> None:
    moved = world.move(session)
    world.otp.forget_holder(OLD, LIMITS)

    back = world.move(moved, PHONE)

    assert back.subject == session.subject
    assert world.people.locate(session.subject) == OLD
    assert world.people.look(NEW).subject == world.subjects.subject_of(NEW, 1)
    again = world.move(back, THIRD_PHONE)
    assert world.people.locate(again.subject) == THIRD
    assert world.generation(PHONE) == 2


@pytest.mark.parametrize("why", ["login", "session", "roles", "moved in"])
def test_a_number_in_use_is_nobodys_to_take(
    world: World, session: Session, why: str
) -> None:
    if why in {"login", "session"}:
        holder = world.log_in(NEW_PHONE)
        if why == "login":
            world.sessions.end(holder.id, "logout")
        else:
            world.otp.forget_holder(NEW, LIMITS)
    elif why == "roles":
        world.people.grant(NEW, "admin")
    else:
        other = world.move(world.log_in(THIRD_PHONE))
        world.sessions.end(other.id, "logout")
        world.otp.forget_holder(NEW, LIMITS)
    before = stored(world)
    prize = world.sessions.prize(NEW_PHONE, client_id=SHOP, moving=session)
    attempt = world.start(NEW_PHONE)

    record = world.otp.check(attempt, prize=prize)

    with pytest.raises(PhoneInUse):
        world.sessions.opened(NEW_PHONE, record.won)
    assert world.otp.check(attempt, prize=prize).won == {"outcome": "in_use"}
    assert not record.first_login
    assert stored(world) == before
    assert world.sessions.find(session.id) == session
    opened = [it.subject for it in world.told(SessionOpened)]
    assert opened.count(session.subject) == 1


def test_a_frozen_number_is_nobodys_to_take(world: World, session: Session) -> None:
    world.people.freeze(NEW, "fraud")

    with pytest.raises(SubjectFrozen):
        world.move(session)

    assert world.people.locate(session.subject) == OLD


def test_a_number_is_free_90_days_after_its_last_login(world: World) -> None:
    former = world.log_in(NEW_PHONE)
    world.advance(90 * DAY)
    session = world.log_in()

    moved = world.move(session)

    assert moved.subject == session.subject != former.subject
    with pytest.raises(NotFound):
        world.people.locate(former.subject)


def test_a_reassigned_number_that_nobody_used_is_free(
    world: World, session: Session
) -> None:
    world.log_in(NEW_PHONE)
    world.people.reassign(NEW)
    world.otp.forget_holder(NEW, LIMITS)

    assert world.move(session).subject == session.subject
    assert world.generation(NEW_PHONE) == 1


def test_who_is_erased_after_a_move_left_no_trace_at_home(
    world: World, session: Session
) -> None:
    moved = world.move(world.move(session), THIRD_PHONE)

    world.people.erase(moved.tag)

    assert session.subject.encode() not in b"".join(stored(world).values())
    with pytest.raises(NotFound):
        world.people.locate(session.subject)


def test_a_number_given_away_meanwhile_stays_its_new_holders(
    world: World, session: Session
) -> None:
    prize = world.sessions.prize(NEW_PHONE, client_id=SHOP, moving=session)
    record = world.win(prize, NEW_PHONE)
    world.people.reassign(OLD)
    holder = world.log_in(PHONE)

    world.sessions.opened(NEW_PHONE, record.won)

    assert world.sessions.find(holder.id) == holder
    assert world.generation(PHONE) == 1
    assert world.people.locate(session.subject) == NEW


def test_every_script_may_run_twice(store: Store) -> None:
    class Twice(DyingScripts):
        def run(self, call: Call) -> Reply:
            self._runner.run(call)
            return self._runner.run(call)

    world = World(store, scripts=Twice(store))
    session = world.log_in()
    world.people.grant(OLD, "admin")

    moved = world.refresh(world.token(world.move(session)))

    assert moved.subject == session.subject
    assert (moved.counter, moved.roles) == (1, ["customer", "admin"])
    assert len(world.sessions.all_of(NEW)) == 1
    assert world.people.locate(session.subject) == NEW
    assert world.generation(PHONE) == 1
    assert world.people.reassign(NEW) == world.subjects.subject_of(NEW, 1)


# A move is five scripts after the check: look, arrive, leave (look and leave), arrive.
@pytest.mark.parametrize("scripts", range(5))
@pytest.mark.parametrize("by", ["refresh", "find", "login"])
def test_a_move_cut_short_anywhere_is_finished_by_who_comes_next(
    store: Store, scripts: int, by: str
) -> None:
    dying = DyingScripts(store)
    world = World(store, scripts=dying)
    session = world.log_in()
    world.people.grant(OLD, "admin")
    prize = world.sessions.prize(NEW_PHONE, client_id=SHOP, moving=session)
    record = world.win(prize, NEW_PHONE)
    dying.left = scripts
    with pytest.raises(CutShort):
        world.sessions.opened(NEW_PHONE, record.won)
    assert world.told(PhoneChanged) == []

    dying.left = 1_000
    session_id = NEW + prize.argument["id"]
    if by == "refresh":
        assert world.refresh(world.token_at(session_id, 0)).subject == session.subject
    elif by == "find":
        assert world.sessions.find(session_id).subject == session.subject
    else:
        assert world.log_in(NEW_PHONE).subject == session.subject

    assert_moved(world, session.subject)
    assert world.people.look(NEW).granted == ["admin"]


def test_the_session_is_good_while_the_old_number_is_out_of_reach(
    store: Store,
) -> None:
    class OldIsAway(DyingScripts):
        def run(self, call: Call) -> Reply:
            if OLD in call.keys[0] and self.left == 0:
                raise StoreUnavailable
            return self._runner.run(call)

    scripts = OldIsAway(store)
    world = World(store, scripts=scripts)
    session = world.log_in()
    scripts.left = 0

    moved = world.move(session)
    assert world.sessions.find(moved.id) == moved
    assert world.people.look(NEW).subject == session.subject

    scripts.left = 1
    world.sessions.find(moved.id)
    assert_moved(world, session.subject)


def test_a_second_move_finishes_the_first(store: Store) -> None:
    dying = DyingScripts(store)
    world = World(store, scripts=dying)
    session = world.log_in()
    for phone in (NEW_PHONE, THIRD_PHONE):
        prize = world.sessions.prize(phone, client_id=SHOP, moving=session)
        record = world.win(prize, phone)
        dying.left = 0
        with pytest.raises(CutShort):
            world.sessions.opened(phone, record.won)
        dying.left = 1_000
        (session,) = world.sessions.all_of(tag_of(phone))

    world.sessions.find(session.id)

    assert world.people.locate(session.subject) == THIRD
    assert world.generation(NEW_PHONE) == 1
    assert world.generation(PHONE) == 1
    assert world.told(PhoneChanged) == [
        PhoneChanged(session.subject, OLD, NEW),
        PhoneChanged(session.subject, NEW, THIRD),
    ]


@pytest.mark.parametrize("junk", ["zz", "", 5, [], {}, "é" * 16, "x" * 17])
def test_junk_where_a_phone_should_be_stands_in_nobodys_way(
    world: World, session: Session, junk: object
) -> None:
    token = world.token(session)
    record = json.dumps({"coming_from": junk, "moved": {session.subject: junk}})
    world.store.client.set(world.key("person"), record)

    assert world.sessions.find(session.id).subject == session.subject
    assert world.refresh(token).subject == session.subject
    assert world.log_in().subject == session.subject
    assert world.people.locate(session.subject) == OLD
    assert world.move(session).subject == session.subject
    world.people.erase(NEW)


def test_who_moves_to_two_numbers_at_once_is_at_one(real_store: Store) -> None:
    world = World(real_store)
    session = world.log_in()
    phones = (NEW_PHONE, THIRD_PHONE)
    prizes = [world.sessions.prize(it, client_id=SHOP, moving=session) for it in phones]
    records = [world.win(*it) for it in zip(prizes, phones, strict=True)]

    at_once(2, lambda i: world.sessions.opened(phones[i], records[i].won))

    at = world.people.locate(session.subject)
    other = THIRD if at == NEW else NEW
    assert world.people.look(other).subject != session.subject
    assert world.sessions.all_of(other) == []
    assert len(world.sessions.all_of(at)) == 1
    assert world.told(PhoneChanged) == [PhoneChanged(session.subject, OLD, at)]
