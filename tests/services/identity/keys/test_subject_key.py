"""The key that names people is not changed by accident."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.identity.keys.subject_key import PROBLEM, SubjectKeyCheck
from tests.redis_server import free_port
from tests.services.stores import Store
from tests.services.threads import at_once


def check(store: Store, key: bytes, *, may_change: bool = False) -> SubjectKeyCheck:
    """Return a check that has put its key on record, where that is for it to do."""
    made = SubjectKeyCheck(store.client, key=key, may_change=may_change)
    made.record()
    return made


@pytest.fixture
def store(real_store: Store) -> Store:
    return real_store


def test_the_first_key_is_put_on_record_and_stays_right(store: Store) -> None:
    assert check(store, b"key").problem() == ""
    assert check(store, b"key").problem() == ""


def test_to_ask_changes_nothing(store: Store) -> None:
    asking = SubjectKeyCheck(store.client, key=b"key", may_change=True)

    assert asking.problem() == ""
    assert store.dump() == {}


def test_another_key_is_wrong_and_the_record_stays(store: Store) -> None:
    check(store, b"key")

    problem = check(store, b"another").problem()

    assert problem == PROBLEM
    assert problem.startswith("SUBJECT_KEY: ")
    assert "SUBJECT_KEY_CHANGE=true" in problem
    assert check(store, b"key").problem() == ""


def test_another_key_that_may_change_is_on_record_from_then_on(store: Store) -> None:
    check(store, b"key")

    assert check(store, b"another", may_change=True).problem() == ""
    assert check(store, b"another").problem() == ""
    assert check(store, b"key").problem() == PROBLEM


def test_the_record_is_changed_once(store: Store) -> None:
    changing = check(store, b"another", may_change=True)
    check(store, b"third", may_change=True)

    changing.record()

    assert changing.problem() == PROBLEM


def test_of_many_first_keys_at_once_one_is_right(store: Store) -> None:
    problems = at_once(8, lambda i: check(store, bytes([i])).problem())

    assert sorted(problems) == ["", *[PROBLEM] * 7]


def test_the_record_stands_and_does_not_tell_the_key(store: Store) -> None:
    key = b"a key of 32 bytes, as all are!!!"
    check(store, key)

    ((name, (value, ttl)),) = store.dump().items()

    assert (name, ttl) == ("subject_key", -1)
    assert len(value) == 22
    assert key not in value


def test_without_redis_nothing_is_said_and_the_change_is_made_later() -> None:
    client = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))
    changing = SubjectKeyCheck(client, key=b"key", may_change=True)

    for ask in (changing.record, changing.problem):
        with pytest.raises(redis.ConnectionError):
            ask()
    assert changing._may_change
