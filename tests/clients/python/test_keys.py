"""The kit's key cache: one fetch, no waiting, and keys that outlast an outage."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm

from quickcart_auth import InvalidToken, KeysUnavailable
from quickcart_auth.http import Document
from quickcart_auth.keys import Keys, KeySet, max_age, read_keys
from tests.clients.python.kit import NOW, PEM, Served, make_verifier
from tests.corpus.forge import Forge
from tests.corpus.good import good_access, new_key
from tests.fakes import FakeClock
from tests.services.threads import at_once

REPOSITORY = Path(__file__).parents[3]

FORGE = Forge.of(good_access(PEM, now=NOW), PEM)
NEW_PEM = new_key()
NEW = Forge.of(good_access(NEW_PEM, now=NOW, kid="new"), NEW_PEM)

ALGORITHMS = ("ES256", "EdDSA", "RS256")
DAY = 86_400


class Gated(Served):
    """A key set whose fetches wait until they are let through."""

    def __init__(self) -> None:
        super().__init__(FORGE)
        self.gate = threading.Event()
        self.began = threading.Event()

    def __call__(self) -> Document:
        self.began.set()
        self.gate.wait()
        return super().__call__()


def make_keys(served: Served, clock: FakeClock, wait_seconds: float = 5) -> Keys:
    return Keys(
        served,
        algorithms=ALGORITHMS,
        monotonic=clock.monotonic,
        wait_seconds=wait_seconds,
    )


def ids_of(keys: KeySet) -> set[str]:
    return set(keys.by_id)


def let_fetch_end(keys: Keys) -> None:
    """Return when no fetch is under way."""
    flight = keys._flight
    if flight is not None:
        flight.wait(5)


def nobody_waited(keys: Keys) -> bool:
    """Tell whether a fetch is under way that no request has waited for in vain."""
    return keys._flight is not None and not keys._flight.is_late


@pytest.fixture
def served() -> Served:
    return Served(FORGE)


@pytest.fixture
def gated() -> Iterator[Gated]:
    gated = Gated()
    yield gated
    gated.gate.set()


# One fetch


def test_nothing_is_fetched_before_the_first_token(served: Served) -> None:
    verifier = make_verifier(served)

    assert served.count == 0
    verifier.verify(FORGE.token)
    assert served.count == 1


def test_cached_keys_need_no_network(served: Served) -> None:
    verifier = make_verifier(served)

    for _ in range(100):
        verifier.verify(FORGE.token)

    assert served.count == 1


def test_many_threads_make_one_fetch(served: Served) -> None:
    verifier = make_verifier(served)

    found = at_once(16, lambda _: verifier.verify(FORGE.token).subject)

    assert len(set(found)) == 1
    assert served.count == 1


# Renewal


def test_keys_are_renewed_while_requests_go_on_with_them(
    gated: Gated, clock: FakeClock
) -> None:
    keys = make_keys(gated, clock)
    gated.gate.set()
    assert ids_of(keys.current()) == {"corpus"}
    gated.gate.clear()
    gated.jwks = [NEW.jwk]
    clock.advance(245)  # 80 % of 300 s are over, and the end is not reached.

    # The fetch hangs, and still there is an answer.
    assert ids_of(keys.current()) == {"corpus"}
    assert nobody_waited(keys)
    gated.gate.set()
    let_fetch_end(keys)

    assert ids_of(keys.current()) == {"new"}
    assert gated.count == 2


def test_before_that_nothing_is_asked(served: Served, clock: FakeClock) -> None:
    keys = make_keys(served, clock)
    keys.current()
    clock.advance(239)

    keys.current()

    assert served.count == 1


def test_after_a_silence_a_withdrawn_key_does_not_count(
    served: Served, clock: FakeClock
) -> None:
    keys = make_keys(served, clock)
    keys.current()
    served.jwks = [NEW.jwk]
    clock.advance(301)

    assert ids_of(keys.current()) == {"new"}


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("public, max-age=300", 300),
        ("max-age=120", 120),
        ("s-maxage=9, max-age=120", 120),
        ("max-age=0", 60),
        ("no-store", 300),
        ("", 300),
        ("max-age=999999999", 3_600),
        ("max-age=-1", 300),
    ],
)
def test_the_service_says_how_long_keys_are_kept(
    cache_control: str, seconds: float
) -> None:
    assert max_age(cache_control) == seconds


# Outages


def test_keys_outlast_an_outage_for_a_day(served: Served, clock: FakeClock) -> None:
    keys = make_keys(served, clock)
    keys.current()
    served.failure = "status 503"
    for _ in range(DAY // 600 - 1):
        clock.advance(600)
        assert ids_of(keys.current()) == {"corpus"}
        let_fetch_end(keys)

    clock.advance(1_200)
    let_fetch_end(keys)
    with pytest.raises(KeysUnavailable, match="503"):
        keys.current()


def test_in_an_outage_only_the_first_request_waits(
    gated: Gated, clock: FakeClock
) -> None:
    gated.gate.set()
    keys = make_keys(gated, clock)
    keys.current()
    gated.failure = "timeout"
    clock.advance(301)
    keys.current()
    gated.gate.clear()
    clock.advance(6)  # Time for the next attempt, which hangs.

    assert ids_of(keys.current()) == {"corpus"}
    assert nobody_waited(keys)


def test_after_an_outage_the_keys_are_new(served: Served, clock: FakeClock) -> None:
    keys = make_keys(served, clock)
    keys.current()
    served.failure = "status 503"
    clock.advance(301)
    keys.current()
    served.failure, served.jwks = None, [NEW.jwk]
    clock.advance(6)
    keys.current()
    let_fetch_end(keys)

    assert ids_of(keys.current()) == {"new"}


def test_without_keys_nobody_can_tell(served: Served, clock: FakeClock) -> None:
    keys = make_keys(served, clock)
    served.failure = "ConnectionRefusedError"

    for _ in range(10):
        with pytest.raises(KeysUnavailable, match="ConnectionRefusedError"):
            keys.current()
    assert served.count == 1

    served.failure = None
    clock.advance(1.1)
    assert ids_of(keys.current()) == {"corpus"}


def test_a_slow_fetch_holds_one_request_for_its_bound(
    gated: Gated, clock: FakeClock
) -> None:
    keys = make_keys(gated, clock, wait_seconds=0.05)

    # Nobody opens the gate: that these come back is the proof.
    for _ in range(20):
        with pytest.raises(KeysUnavailable):
            keys.current()

    assert gated.began.is_set()


@pytest.mark.parametrize(
    "document",
    [{}, {"keys": []}, {"keys": "x"}, {"keys": [None, 1, "x", {}]}, {"keys": {}}],
    ids=str,
)
def test_a_document_without_keys_does_not_take_the_old_ones_away(
    served: Served, clock: FakeClock, document: dict[str, Any]
) -> None:
    documents = [Document({"keys": [FORGE.jwk]})]
    keys = Keys(lambda: documents[-1], algorithms=ALGORITHMS, monotonic=clock.monotonic)
    keys.current()
    documents.append(Document(document))
    clock.advance(301)

    assert ids_of(keys.current()) == {"corpus"}


# Keys that are not known


def test_a_new_key_is_seen_at_once(served: Served) -> None:
    verifier = make_verifier(served)
    verifier.verify(FORGE.token)
    served.jwks.append(NEW.jwk)

    assert verifier.verify(NEW.token).subject
    assert verifier.verify(FORGE.token).subject
    assert served.count == 2


def test_unknown_key_ids_make_one_fetch_in_half_a_minute(
    served: Served, clock: FakeClock
) -> None:
    keys = make_keys(served, clock)
    keys.current()

    for _ in range(100):
        keys.renewed()
    assert served.count == 2

    clock.advance(30)
    keys.renewed()
    assert served.count == 3


def test_while_the_service_is_slow_one_unknown_key_id_holds_one_request(
    gated: Gated, clock: FakeClock
) -> None:
    gated.gate.set()
    keys = make_keys(gated, clock)
    keys.current()
    gated.gate.clear()
    gated.began.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(keys.renewed)
        assert gated.began.wait(5)
        gated.jwks.append(NEW.jwk)

        # The gate is shut: that these come back is the proof.
        for _ in range(20):
            assert ids_of(keys.renewed()) == {"corpus"}
        assert not first.done()
        gated.gate.set()

        assert ids_of(first.result(5)) == {"corpus", "new"}


def test_what_is_no_key_id_makes_none(served: Served) -> None:
    verifier = make_verifier(served)
    for kid in ("../../dev/null", "x" * 65, "", 1, None):
        with pytest.raises(InvalidToken):
            verifier.verify(FORGE.with_header(kid=kid))

    assert served.count == 1


def test_a_withdrawn_key_verifies_nothing_more(
    served: Served, clock: FakeClock
) -> None:
    verifier = make_verifier(served)
    verifier._keys = make_keys(served, clock)
    verifier.verify(FORGE.token)
    served.jwks = [NEW.jwk]
    clock.advance(301)

    # Its header was remembered, with the keys of then.
    with pytest.raises(InvalidToken):
        verifier.verify(FORGE.token)


# What is a key


def test_only_public_keys_for_signatures_are_read() -> None:
    good = FORGE.jwk
    assert isinstance(FORGE.key, ec.EllipticCurvePrivateKey)
    private = ECAlgorithm.to_jwk(FORGE.key, as_dict=True)
    weak = rsa.generate_private_key(65_537, 1_024)  # noqa: S505 - it is to be refused
    bad: list[dict[str, object]] = [
        {**good, "kid": "private", "d": private["d"]},
        {**good, "kid": "encrypts", "use": "enc"},
        {**good, "kid": "../x"},
        {**good, "kid": "x" * 65},
        {**good, "kid": 1},
        {**good, "kid": "no-point", "x": "AAAA"},
        {**good, "kid": "other-curve", "crv": "P-384"},
        {**good, "kid": "other-alg", "alg": "HS256"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "future", "kid": "future"},
        {**Forge(FORGE.token, weak).jwk, "kid": "weak"},
    ]

    found = read_keys({"keys": [*bad, good]}, ALGORITHMS)

    assert ids_of(found) == {"corpus"}


def test_of_two_keys_of_one_name_the_first_counts() -> None:
    found = read_keys({"keys": [FORGE.jwk, {**NEW.jwk, "kid": "corpus"}]}, ALGORITHMS)

    first = read_keys({"keys": [FORGE.jwk]}, ALGORITHMS)
    assert found.by_id["corpus"].key == first.by_id["corpus"].key


# Forks

_FORKED = """
import os, sys, threading
from tests.clients.python.kit import Served, make_verifier, NOW, PEM
from tests.corpus.good import good_access
from tests.corpus.forge import Forge

forge = Forge.of(good_access(PEM, now=NOW), PEM)
served = Served(forge)
verifier = make_verifier(served)
if sys.argv[1] == "warm":
    verifier.verify(forge.token)
verifier._keys._lock.acquire()  # As another thread of the parent may have it.
child = os.fork()
if child == 0:
    verifier.verify(forge.token)
    served.jwks.append({**forge.jwk, "kid": "new"})
    verifier.verify(forge.with_header(kid="new"))
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("parent", ["cold", "warm"])
def test_a_forked_child_fetches_for_itself(parent: str) -> None:
    path = f"{REPOSITORY}:{REPOSITORY / 'clients' / 'python'}"

    subprocess.run(
        [sys.executable, "-c", _FORKED, parent],
        env={"PYTHONPATH": path},
        check=True,
        timeout=30,
    )
