"""The fleet's signing keys: published ahead, active, verifying, retired."""

import json

import pytest

from services.events import SigningKeyChanged
from services.identity.keys.signing_keys import derived_signing_key, read_signing_key
from services.identity.keys.store import DONE_AFTER_SECONDS, SEEN_AFTER_SECONDS
from tests.services.identity.keys.key_rings import NEW, OLD, Fleet, seal_keys
from tests.services.stores import Store
from tests.services.threads import at_once
from utils.crypto import seal

pytestmark = pytest.mark.contract


@pytest.fixture
def fleet(store: Store) -> Fleet:
    return Fleet(store)


def test_the_built_in_key_signs_while_no_other_does(fleet: Fleet) -> None:
    assert fleet.signs() == fleet.built_in.kid
    assert fleet.shown() == {fleet.built_in.kid}


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_published_key_is_shown_before_it_signs(fleet: Fleet, algorithm: str) -> None:
    key = fleet.publish(algorithm)

    assert fleet.shown() == {fleet.built_in.kid, key.kid}
    assert fleet.signs() == fleet.built_in.kid
    found = fleet.signing.find(key.kid)
    assert found
    assert found.algorithm == algorithm


def test_it_may_sign_once_all_verifiers_can_know_it(fleet: Fleet, store: Store) -> None:
    key = fleet.publish()
    store.clock.advance(60)

    outcome, wait = fleet.activate(key.kid, at_once=False)
    early = fleet.signs()
    store.clock.advance(wait)
    after = fleet.activate(key.kid, at_once=False)

    assert outcome == "too_soon"
    # Redis counts whole seconds.
    assert SEEN_AFTER_SECONDS - 61 <= wait <= SEEN_AFTER_SECONDS - 59
    assert early == fleet.built_in.kid
    assert after == ("active", 0)
    assert fleet.signs() == key.kid


def test_one_key_signs_and_the_ones_before_it_verify(fleet: Fleet) -> None:
    first, second = fleet.publish(), fleet.publish()

    fleet.activate(first.kid)
    fleet.activate(second.kid)

    assert fleet.signs() == second.kid
    assert fleet.shown() == {fleet.built_in.kid, first.kid, second.kid}
    assert fleet.states() == {
        fleet.built_in.kid: "verifying",
        first.kid: "verifying",
        second.kid: "active",
    }


def test_to_activate_a_key_twice_changes_nothing(fleet: Fleet, store: Store) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    before = fleet.keys.read()
    store.clock.advance(100)

    assert fleet.activate(key.kid) == ("active", 0)
    assert fleet.keys.read() == before


def test_a_key_that_signed_before_may_sign_again_at_once(fleet: Fleet) -> None:
    first, second = fleet.publish(), fleet.publish()
    fleet.activate(first.kid)
    fleet.activate(second.kid)

    assert fleet.activate(first.kid, at_once=False) == ("active", 0)
    assert fleet.states()[second.kid] == "verifying"


def test_the_built_in_key_can_sign_again(fleet: Fleet) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)

    assert fleet.activate(fleet.built_in.kid, at_once=False) == ("active", 0)
    assert fleet.signs() == fleet.built_in.kid
    assert fleet.states() == {key.kid: "verifying"}


def test_a_key_is_retired_once_its_tokens_have_expired(
    fleet: Fleet, store: Store
) -> None:
    first, second = fleet.publish(), fleet.publish()
    fleet.activate(first.kid)
    fleet.activate(second.kid)
    store.clock.advance(3600)

    outcome, wait = fleet.retire(first.kid, at_once=False)
    early = fleet.shown()
    store.clock.advance(wait)
    after = fleet.retire(first.kid, at_once=False)

    assert outcome == "too_soon"
    assert 0 < wait <= DONE_AFTER_SECONDS - 3599
    assert first.kid in early
    assert after == ("retired", 0)
    assert first.kid not in fleet.shown()
    assert fleet.signing.find(first.kid) is None


def test_the_key_that_signs_is_not_retired(fleet: Fleet) -> None:
    key = fleet.publish()
    built_in = fleet.retire(fleet.built_in.kid)
    fleet.activate(key.kid)

    assert built_in == ("active", 0)
    assert fleet.retire(key.kid) == ("active", 0)
    assert fleet.shown() == {fleet.built_in.kid, key.kid}


def test_the_built_in_key_is_retired_by_a_row(fleet: Fleet, store: Store) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)

    outcome, _ = fleet.retire(fleet.built_in.kid, at_once=False)
    store.clock.advance(DONE_AFTER_SECONDS)
    fleet.retire(fleet.built_in.kid, at_once=False)

    assert outcome == "too_soon"
    assert fleet.shown() == {key.kid}
    assert fleet.states()[fleet.built_in.kid] == "retired"


def test_a_built_in_key_of_other_settings_waits_as_long(
    fleet: Fleet, store: Store
) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    other = Fleet(store, NEW, OLD)

    outcome, wait = other.retire(other.built_in.kid, at_once=False)

    assert (outcome, wait > DONE_AFTER_SECONDS - 2) == ("too_soon", True)


def test_a_retired_key_is_forgotten_and_never_signs_again(fleet: Fleet) -> None:
    key = fleet.publish()
    fleet.retire(key.kid)

    assert fleet.activate(key.kid) == ("retired", 0)
    assert fleet.keys.read()[key.kid].sealed is None
    assert fleet.retire(key.kid) == ("retired", 0)


def test_a_key_that_never_signed_is_retired_at_once(fleet: Fleet) -> None:
    key = fleet.publish()

    assert fleet.retire(key.kid, at_once=False) == ("retired", 0)


def test_an_unknown_key_changes_nothing(fleet: Fleet) -> None:
    assert fleet.activate("unknown") == ("unknown", 0)
    assert fleet.retire("unknown") == ("unknown", 0)
    assert fleet.states() == {}


def test_a_key_is_added_once(fleet: Fleet) -> None:
    pem = derived_signing_key(b"another")
    kid = read_signing_key(pem).kid

    first = fleet.keys.add(pem)
    fleet.activate(kid)
    second = fleet.keys.add(pem)

    assert (first.outcome, second.outcome) == ("published", "known")
    assert fleet.states()[kid] == "active"


def test_the_built_in_key_can_be_kept_in_the_store(fleet: Fleet, store: Store) -> None:
    fleet.keys.add(derived_signing_key(OLD))
    fleet.activate(fleet.built_in.kid)
    other = Fleet(store, NEW, OLD)

    assert fleet.states() == {fleet.built_in.kid: "active"}
    assert other.signs() == fleet.built_in.kid


def test_two_operators_at_once_leave_one_active_key(fleet: Fleet) -> None:
    keys = [fleet.publish() for _ in range(4)]

    outcomes = at_once(4, lambda index: fleet.activate(keys[index].kid))

    states = [fleet.states()[it.kid] for it in keys]
    assert outcomes == [("active", 0)] * 4
    assert sorted(states) == ["active", *["verifying"] * 3]


def test_a_standing_record_that_holds_no_private_key_in_clear(
    fleet: Fleet, store: Store
) -> None:
    key = fleet.publish()

    (name, (rows, ttl)), *others = store.dump().items()

    assert (name, ttl, others) == ("keys", -1, [])
    assert list(rows) == [key.kid.encode()]
    row = json.loads(rows[key.kid.encode()])
    assert sorted(row) == ["alg", "sealed", "since", "state"]
    assert "PRIVATE" not in row["sealed"]


def test_a_worker_tells_of_each_change_once(fleet: Fleet, store: Store) -> None:
    fleet.shown()
    key = fleet.publish()
    fleet.shown()
    fleet.shown()
    fleet.activate(key.kid)
    fleet.shown()
    fleet.shown()

    told = [it for it in store.events if isinstance(it, SigningKeyChanged)]
    assert told[0] == SigningKeyChanged(key.kid, "published")
    assert sorted((it.kid, it.state) for it in told[1:]) == sorted(
        [(key.kid, "active"), (fleet.built_in.kid, "verifying")]
    )


def test_the_built_in_keys_return_is_told(fleet: Fleet, store: Store) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    fleet.shown()

    fleet.activate(fleet.built_in.kid)
    fleet.shown()

    told = [it for it in store.events if isinstance(it, SigningKeyChanged)]
    assert SigningKeyChanged(fleet.built_in.kid, "active") in told
    assert SigningKeyChanged(key.kid, "verifying") in told


def test_keys_of_an_earlier_secret_are_sealed_again_by_the_operator(
    store: Store,
) -> None:
    key = Fleet(store, OLD).publish()
    between = Fleet(store, NEW, OLD)

    assert key.kid in between.shown()
    assert key.kid not in Fleet(store, NEW).shown()
    assert between.keys.seal_again(between.keys.read()[key.kid])
    assert not between.keys.seal_again(between.keys.read()[key.kid])

    assert key.kid in between.shown()
    assert key.kid in Fleet(store, NEW).shown()
    assert key.kid not in Fleet(store, OLD).shown()


def test_workers_leave_the_seals_alone(store: Store) -> None:
    one, other = Fleet(store, OLD, NEW), Fleet(store, NEW, OLD)
    one.publish()
    before = store.dump()

    for _ in range(2):
        one.shown()
        other.shown()

    assert store.dump() == before


def test_fleets_of_both_orders_of_secrets_read_each_others_keys(store: Store) -> None:
    one, other = Fleet(store, OLD, NEW), Fleet(store, NEW, OLD)
    key = one.publish()
    one.activate(key.kid)

    for _ in range(3):
        assert one.signs() == key.kid
        assert other.signs() == key.kid
    assert one.shown() == other.shown()


def test_a_key_that_nobody_can_open_does_not_stop_the_service(store: Store) -> None:
    key = Fleet(store, OLD).publish()
    Fleet(store, OLD).activate(key.kid)
    stranger = Fleet(store, NEW)

    assert stranger.signs() == stranger.built_in.kid
    assert stranger.shown() == {stranger.built_in.kid}
    assert stranger.keys.open(stranger.keys.read()[key.kid]) is None


GOOD = {"state": "verifying", "alg": "ES256", "since": 1_795_000_000, "sealed": "c2Vh"}
MALFORMED = [
    b"",
    b"{no JSON",
    b"[]",
    b"null",
    b"\xff\xfe",
    *(
        json.dumps({**GOOD, **wrong}).encode()
        for wrong in (
            {"state": "on holiday"},
            {"state": "unreadable"},
            {"state": None},
            {"state": ["active"]},
            {"alg": None},
            {"alg": "\x00"},
            {"since": "yesterday"},
            {"since": -1},
            {"since": 1e300},
            {"since": 1.5},
            {"sealed": 5},
            {"sealed": None},
            {"sealed": "not base64"},
        )
    ),
    b'{"state":"active","alg":"ES256","since":1e999,"sealed":"c2Vh"}',
    b'{"state":"active","alg":"ES256","since":1,"sealed":"\xff"}',
    b"[" * 2_000,
]


@pytest.mark.parametrize("row", MALFORMED)
def test_a_row_that_cannot_be_read_counts_as_none(
    fleet: Fleet, store: Store, row: bytes
) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    store.client.hset("keys", "x" * 43, row)

    assert fleet.signs() == key.kid
    assert fleet.shown() == {fleet.built_in.kid, key.kid}
    assert fleet.states()["x" * 43] == "unreadable"
    assert fleet.activate("x" * 43) == ("unknown", 0)
    another = fleet.publish()
    assert fleet.activate(another.kid) == ("active", 0)
    assert store.client.hget("keys", "x" * 43) == row


def test_other_fields_of_a_row_are_left_out(real_store: Store) -> None:
    fleet, client = Fleet(real_store), real_store.client
    key = fleet.publish()
    row = json.loads(client.hget("keys", key.kid) or b"")
    # Redis takes bytes that are no text for JSON, and Python does not.
    spoilt = json.dumps({**row, "note": "?"}).encode().replace(b"?", b"\xff")
    client.hset("keys", key.kid, spoilt)

    assert fleet.shown() == {fleet.built_in.kid, key.kid}


@pytest.mark.parametrize("row", [b"?", json.dumps(GOOD).encode()])
@pytest.mark.parametrize("name", [b"", b"\xff\x00", b"a b"])
def test_a_row_of_no_keys_name_stops_nothing(
    fleet: Fleet, store: Store, name: bytes, row: bytes
) -> None:
    store.client.hset("keys", name, row)

    assert fleet.signs() == fleet.built_in.kid
    assert list(fleet.states().values()) == ["unreadable"]


def test_an_opened_row_that_is_no_key_stops_nothing(store: Store) -> None:
    fleet, kid = Fleet(store), "x" * 43
    sealed = seal(seal_keys([OLD]), "no PEM", context=kid)
    row = {**GOOD, "state": "active", "sealed": sealed}
    store.client.hset("keys", kid, json.dumps(row))

    assert fleet.signs() == fleet.built_in.kid
    assert fleet.shown() == {fleet.built_in.kid}


def test_an_unreadable_row_is_repaired_or_forgotten(fleet: Fleet, store: Store) -> None:
    pem = derived_signing_key(b"another")
    kid = read_signing_key(pem).kid
    for name in (kid, "x" * 43):
        store.client.hset("keys", name, b"?")

    assert fleet.keys.add(pem).outcome == "published"
    assert fleet.retire("x" * 43, at_once=False) == ("retired", 0)

    assert fleet.states() == {kid: "published"}
    assert kid in fleet.shown()


def test_an_active_key_that_cannot_be_opened_is_trouble(store: Store) -> None:
    other = Fleet(store, NEW)
    other.activate(other.publish().kid)
    fleet = Fleet(store, OLD)

    assert fleet.signs() == fleet.built_in.kid
    assert "cannot be read" in fleet.signing.trouble()
    assert other.shown()
    assert other.signing.trouble() == ""
    assert fleet.signing.can_sign()


def test_keys_that_redis_lost_are_told_and_are_trouble_until_they_are_back(
    fleet: Fleet, store: Store
) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    fleet.retire(fleet.built_in.kid)
    fleet.shown()
    rows = store.client.hgetall("keys")
    store.client.flushall()

    fleet.shown()
    fleet.shown()

    told = [it for it in store.events if it == SigningKeyChanged(key.kid, "lost")]
    assert len(told) == 1
    assert "were lost from Redis" in fleet.signing.trouble()
    assert fleet.signing.can_sign()
    for kid, row in rows.items():
        store.client.hset("keys", kid, row)
    fleet.shown()
    assert fleet.signing.trouble() == ""


def test_nothing_is_lost_when_the_built_in_key_signs_again(
    fleet: Fleet, store: Store
) -> None:
    key = fleet.publish()
    fleet.activate(key.kid)
    fleet.shown()
    fleet.activate(fleet.built_in.kid)

    fleet.shown()

    assert fleet.signing.trouble() == ""
    assert "lost" not in [it.state for it in store.events if hasattr(it, "state")]


def test_a_key_of_the_settings_stays_the_same_object_when_it_is_stored(
    fleet: Fleet,
) -> None:
    before = fleet.signing.find(fleet.built_in.kid)

    fleet.keys.add(derived_signing_key(OLD))
    fleet.signing.follow()

    assert fleet.signing.find(fleet.built_in.kid) is before


def test_what_is_unreadable_is_told_once_from_the_start(store: Store) -> None:
    sealed_by_another = Fleet(store, NEW).publish().kid
    store.client.hset("keys", "x" * 43, b"?")
    fleet = Fleet(store, OLD)

    fleet.shown()
    fleet.shown()

    told = [it for it in store.events if isinstance(it, SigningKeyChanged)]
    assert sorted((it.kid, it.state) for it in told) == sorted(
        [(sealed_by_another, "unreadable"), ("x" * 43, "unreadable")]
    )
