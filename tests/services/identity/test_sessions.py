"""Sessions and subjects."""

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.errors import InvalidToken, StoreUnavailable
from services.identity.sessions import Session, SessionDraft, Sessions
from services.identity.subjects import Subjects
from services.otp.codes import phone_tag
from tests.fakes import FakeClock
from tests.redis_server import free_port
from tests.services.stores import Store

PHONE = "+919876543210"


def sessions(client: redis.Redis, key: bytes = bytes(32)) -> Sessions:
    return Sessions(
        client,
        subjects=Subjects(key=b"subject key", admin_phones=["+919999999999"]),
        tag_of=lambda e164: phone_tag(b"tag key", e164),
        key=key,
        ttl_seconds=600,
        clock=FakeClock(),
    )


def stored(store: Store, draft: SessionDraft) -> Session:
    store.client.set(draft.key, draft.value)
    return draft.session


def test_a_stored_session_is_found(store: Store) -> None:
    session = stored(store, sessions(store.client).draft(PHONE))

    assert sessions(store.client).find(session.id) == session
    assert session.phone == PHONE


def test_a_draft_is_no_session_yet(store: Store) -> None:
    draft = sessions(store.client).draft(PHONE)

    with pytest.raises(InvalidToken):
        sessions(store.client).find(draft.session.id)


@pytest.mark.parametrize("session_id", ["", "x", "x" * 38, "x" * 39, "é" * 38])
def test_what_is_no_session_is_not_found(store: Store, session_id: str) -> None:
    with pytest.raises(InvalidToken):
        sessions(store.client).find(session_id)


def test_a_stored_session_shows_no_phone(store: Store) -> None:
    draft = sessions(store.client).draft(PHONE)

    assert PHONE[3:] not in draft.key + draft.value
    assert PHONE[3:] not in repr(draft)


def test_a_session_of_another_secret_is_refused(store: Store) -> None:
    session = stored(store, sessions(store.client).draft(PHONE))

    with pytest.raises(InvalidToken):
        sessions(store.client, key=b"1" * 32).find(session.id)


def test_a_session_copied_to_another_id_is_refused(store: Store) -> None:
    draft = sessions(store.client).draft(PHONE)
    other = sessions(store.client).draft(PHONE)
    store.client.set(other.key, draft.value)

    with pytest.raises(InvalidToken):
        sessions(store.client).find(other.session.id)


def test_without_redis_nobody_is_let_in() -> None:
    client = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 0))

    with pytest.raises(StoreUnavailable):
        sessions(client).find("x" * 38)


def test_a_subject_is_stable_opaque_and_one_per_phone() -> None:
    subjects = Subjects(key=b"key", admin_phones=[])
    others = Subjects(key=b"other", admin_phones=[])

    subject = subjects.subject_of(PHONE)

    assert subject == subjects.subject_of(PHONE)
    assert len(subject) == 22
    assert subject != subjects.subject_of("+919876543211")
    assert subject != others.subject_of(PHONE)


def test_admins_are_those_of_the_settings() -> None:
    subjects = Subjects(key=b"key", admin_phones=["+919999999999"])

    assert subjects.roles_of("+919999999999") == ["customer", "admin"]
    assert subjects.roles_of(PHONE) == ["customer"]
