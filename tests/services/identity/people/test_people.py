"""People: what operators decide about them."""

import pytest

from services.errors import InvalidToken, NotFound
from services.events import SessionsEnded
from services.identity.people.people import Freeze, Person
from services.identity.people.subjects import Subjects
from services.scripts import Call, Reply
from tests.services.identity.people.world import (
    ADMIN,
    NEW_PHONE,
    PHONE,
    DyingScripts,
    World,
    tag_of,
)
from tests.services.stores import Store
from tests.services.threads import at_once

pytestmark = pytest.mark.contract

TAG = tag_of(PHONE)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def test_who_nothing_was_decided_about_has_no_record(world: World) -> None:
    world.log_in()

    assert world.people.look(TAG) == Person(
        tag=TAG,
        subject=world.subjects.subject_of(TAG),
        frozen=None,
        roles=["customer"],
        granted=[],
    )
    assert world.key("person") not in world.store.dump()


def test_a_freeze_has_a_time_and_a_reason_and_the_first_stands(world: World) -> None:
    session = world.log_in()

    assert world.people.freeze(TAG, "fraud")
    first = world.people.look(TAG).frozen
    world.advance(60)
    assert not world.people.freeze(TAG, "again")

    assert first is not None
    assert world.people.look(TAG).frozen == first == Freeze(first.at, "fraud")
    assert first.at - session.created in {0, 1}


def test_a_thaw_leaves_no_record(world: World) -> None:
    world.people.freeze(TAG, "fraud")

    assert world.people.thaw(TAG)
    assert not world.people.thaw(TAG)

    assert world.people.look(TAG).frozen is None
    assert world.store.dump() == {}


def test_roles_are_granted_once_and_taken_once(world: World) -> None:
    assert world.people.grant(TAG, "admin")
    assert not world.people.grant(TAG, "admin")
    assert world.people.grant(TAG, "picker")
    assert world.people.look(TAG).roles == ["customer", "admin", "picker"]

    assert world.people.take(TAG, "admin")
    assert not world.people.take(TAG, "admin")
    assert world.people.look(TAG).granted == ["picker"]

    assert world.people.take(TAG, "picker")
    assert world.store.dump() == {}


def test_the_settings_roles_are_not_taken(world: World) -> None:
    tag = tag_of(ADMIN)

    assert not world.people.take(tag, "admin")

    assert world.people.look(tag).roles == ["customer", "admin"]
    assert world.people.look(tag).granted == []


def test_a_decision_stands_for_ever(world: World) -> None:
    world.people.freeze(TAG, "fraud")

    _, ttl = world.store.dump()[world.key("person")]

    assert ttl == -1


def test_a_reassigned_number_is_somebody_new(world: World) -> None:
    session = world.log_in()
    world.people.grant(TAG, "admin")
    world.people.freeze(TAG, "lost")

    subject = world.people.reassign(TAG)

    assert subject == world.subjects.subject_of(TAG, 1) != session.subject
    assert world.people.look(TAG) == Person(TAG, subject, None, ["customer"], [])
    assert world.generation(PHONE) == 1
    assert world.sessions.all_of(TAG) == []
    assert world.told(SessionsEnded) == [SessionsEnded("reassigned", TAG, 1)]
    with pytest.raises(InvalidToken):
        world.sessions.find(session.id)
    assert world.log_in().subject == subject


def test_a_number_may_change_hands_again_and_again(world: World) -> None:
    subjects = [world.people.reassign(TAG) for _ in range(3)]

    assert subjects == [world.subjects.subject_of(TAG, n) for n in (1, 2, 3)]
    assert world.win(world.sessions.name_only(PHONE)).won["sub"] == subjects[-1]


def test_reassigned_by_two_at_once_a_number_changes_hands(real_store: Store) -> None:
    world = World(real_store)
    world.log_in()

    subjects = at_once(4, lambda _: world.people.reassign(TAG))

    generation = world.generation(PHONE)
    assert 1 <= generation <= 4
    assert world.subjects.subject_of(TAG, generation) in subjects
    assert [it.count for it in world.told(SessionsEnded)] == [1]


def test_a_number_that_changes_hands_twice_meanwhile_never_goes_back(
    store: Store,
) -> None:
    other = World(store)

    class Overtaken(DyingScripts):
        def run(self, call: Call) -> Reply:
            if call.script.name == "leave" and self.left:
                self.left = 0
                other.people.reassign(TAG)
                other.people.reassign(TAG)
            return self._runner.run(call)

    subject = World(store, scripts=Overtaken(store)).people.reassign(TAG)

    assert subject == other.subjects.subject_of(TAG, 3)
    assert other.generation(PHONE) == 3


def test_who_is_erased_is_forgotten_and_never_taken_for_again(world: World) -> None:
    session = world.log_in()
    world.people.grant(TAG, "admin")

    world.people.erase(TAG)

    assert world.sessions.all_of(TAG) == []
    assert world.told(SessionsEnded) == [SessionsEnded("erased", TAG, 1)]
    person = world.people.look(TAG)
    assert (world.generation(PHONE), person.granted) == (1, [])
    with pytest.raises(NotFound):
        world.people.locate(session.subject)
    assert world.log_in().subject == person.subject != session.subject


def test_to_be_erased_is_no_way_out_of_a_freeze(world: World) -> None:
    world.people.freeze(TAG, "fraud")

    world.people.erase(TAG)

    frozen = world.people.look(TAG).frozen
    assert frozen is not None
    assert frozen.reason == "fraud"


def test_a_subject_leads_to_the_phone(world: World) -> None:
    subject = world.log_in().subject

    assert world.people.locate(subject) == TAG
    assert world.people.locate(world.people.reassign(TAG)) == TAG
    with pytest.raises(NotFound):
        world.people.locate(subject)


def test_what_is_nobodys_subject_leads_nowhere(world: World) -> None:
    stranger = Subjects(key=bytes(32)).subject_of(TAG)

    for subject in ("", "svc-orders", stranger, world.subjects.subject_of(TAG, 1)):
        with pytest.raises(NotFound):
            world.people.locate(subject)


def test_what_is_decided_about_one_is_not_about_another(world: World) -> None:
    other = world.log_in(NEW_PHONE)
    world.people.freeze(TAG, "fraud")
    world.people.reassign(TAG)

    assert world.sessions.find(other.id) == other
    assert world.generation(NEW_PHONE) == 0
