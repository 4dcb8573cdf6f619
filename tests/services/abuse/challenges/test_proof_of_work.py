"""Proof of work: who solves it gets in once, for one phone, from one network."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.abuse.challenges.challenger import Subject, Unsolved
from services.abuse.challenges.proof_of_work import ProofOfWork, read_payload
from services.abuse.challenges.tickets import Tickets
from services.errors import ChallengeRequired
from tests.fakes import FakeClock
from tests.services.abuse.challenges.world import (
    NETWORK,
    OTHER_NETWORK,
    OTHER_TAG,
    TAG,
    World,
    solve,
)

# Solving takes a core 0.7 s, so what tests only read is solved once.
_SOLVED = World(FakeClock())
_CHALLENGE = _SOLVED.ask()


SUBJECT = Subject(TAG, NETWORK)


def cheap_proof(clock: FakeClock, difficulty: int = 1) -> ProofOfWork:
    """As many tries as ever, each as cheap as can be."""
    keys = (b"a" * 32,)
    tickets = Tickets(keys=keys, clock=clock)
    return ProofOfWork(keys=keys, tickets=tickets, difficulty=difficulty, rounds=1)


@pytest.fixture(scope="session")
def solution() -> str:
    """A solution that every world's clock and keys find good."""
    return solve(_CHALLENGE)


def changed(solution: str, change: Callable[[dict[str, Any]], None]) -> str:
    document = json.loads(base64.b64decode(solution))
    change(document)
    return base64.b64encode(json.dumps(document).encode()).decode()


def refused(world: World, solution: str) -> ChallengeRequired:
    with pytest.raises(ChallengeRequired) as caught:
        world.check(solution)
    return caught.value


def test_the_challenge_is_the_packages_own_document(clock: FakeClock) -> None:
    challenge = World(clock).ask()

    assert challenge["type"] == "altcha"
    assert challenge["expires_in"] == 600
    assert set(challenge) == {"type", "expires_in", "parameters", "signature"}
    parameters = challenge["parameters"]
    assert (parameters["algorithm"], parameters["cost"]) == ("PBKDF2/SHA-256", 5000)
    # A clock of the page's has no say in it.
    assert "expiresAt" not in parameters
    json.dumps(challenge)


def test_a_challenge_names_neither_phone_nor_network(clock: FakeClock) -> None:
    text = json.dumps(World(clock).ask())

    assert TAG not in text
    assert NETWORK not in text


def test_a_solution_is_good_and_fits_a_request(clock: FakeClock, solution: str) -> None:
    world = World(clock)

    key = world.check(solution)

    assert len(key) == 22
    assert len(solution) < 1_200
    assert world.told == [("altcha", "solved", "")]


def test_however_it_is_written_a_solution_has_one_name(
    clock: FakeClock, solution: str
) -> None:
    """Else each spelling would be good for another send."""
    world = World(clock)

    def extend(document: dict[str, Any]) -> None:
        document["more"] = 1
        document["solution"]["time"] = 5
        document["solution"]["counter"] = 1
        document["challenge"]["parameters"] = dict(
            reversed(document["challenge"]["parameters"].items())
        )

    other = changed(solution, extend)

    assert other != solution
    assert world.check(other) == world.check(solution) == world.check(solution + "\n")


def test_two_challenges_have_two_names(clock: FakeClock, solution: str) -> None:
    world = World(clock)

    assert world.check(solve(world.ask())) != world.check(solution)


@pytest.mark.parametrize(
    ("tag", "network"),
    [(OTHER_TAG, NETWORK), (TAG, OTHER_NETWORK), (TAG, f"svc-shop {NETWORK}")],
    ids=["phone", "network", "service"],
)
def test_it_is_good_for_one_phone_from_one_network(
    clock: FakeClock, solution: str, tag: str, network: str
) -> None:
    world = World(clock)

    with pytest.raises(ChallengeRequired) as caught:
        world.challenges.check(solution, tag, network)

    assert world.told == [("altcha", "foreign", "ticket")]
    assert "another phone number or network" in str(caught.value.detail)


def test_it_is_good_for_ten_minutes(clock: FakeClock, solution: str) -> None:
    world = World(clock)

    clock.advance(600)
    world.check(solution)
    clock.advance(1)
    error = refused(world, solution)

    assert world.told[-1] == ("altcha", "late", "")
    assert "too late" in str(error.detail)


def test_a_late_one_is_followed_by_one_as_hard(clock: FakeClock) -> None:
    proof = cheap_proof(clock)
    late = solve(proof.make(SUBJECT, 2))
    clock.advance(601)

    with pytest.raises(Unsolved) as caught:
        proof.check(late, SUBJECT)

    assert (caught.value.outcome, caught.value.difficulty) == ("late", 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["challenge"]["parameters"].update(keyPrefix="00"),
        lambda it: it["challenge"]["parameters"].update(cost=1),
        lambda it: it["challenge"]["parameters"].update(expiresAt=1),
        lambda it: it["challenge"]["parameters"].update(expiresAt=4_000_000_000),
        lambda it: it["challenge"]["parameters"].pop("keySignature"),
        lambda it: it["challenge"]["parameters"].pop("data"),
        lambda it: it["challenge"]["parameters"]["data"].update(difficulty=8),
        lambda it: it["challenge"].update(signature="00" * 32),
        lambda it: it["challenge"].update(signature=7),
        lambda it: it["challenge"].pop("signature"),
        lambda it: it["solution"].update(derivedKey="00" * 32),
        lambda it: it["solution"].update(derivedKey=None),
        lambda it: it["solution"].update(derivedKey=""),
        lambda it: it["challenge"]["parameters"].update(salt="\ud800"),
    ],
    ids=range(14),
)
def test_a_forged_solution_is_refused(
    clock: FakeClock, solution: str, change: Callable[[dict[str, Any]], None]
) -> None:
    world = World(clock)

    error = refused(world, changed(solution, change))

    assert world.told == [("altcha", "forged", "")]
    assert error.challenge["type"] == "altcha"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "{}",
        "null",
        "Zm9v",
        "é",
        "bnVsbA==",
        base64.b64encode(b"[]").decode(),
        base64.b64encode(b'{"challenge": {}, "solution": {}}').decode(),
        base64.b64encode(b'{"challenge": [], "solution": 1}').decode(),
        base64.b64encode(b'{"challenge": "x"}').decode(),
        base64.b64encode(b"[" * 2_000).decode(),
    ],
)
def test_what_is_no_solution_is_refused(clock: FakeClock, text: str) -> None:
    world = World(clock)

    refused(world, text)

    assert world.told == [("altcha", "malformed", "")]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    )
)
def test_no_payload_makes_it_stumble(value: Any) -> None:
    parameters = dict.fromkeys(
        ("algorithm", "nonce", "salt", "cost", "data", "expiresAt"), value
    )
    document = {
        "challenge": {"parameters": parameters, "signature": value or "x"},
        "solution": {"counter": value, "derivedKey": value},
    }
    text = base64.b64encode(json.dumps(document).encode()).decode()

    assert read_payload(text) is not None
    refused(_SOLVED, text)


@given(st.text())
def test_no_text_makes_it_stumble(text: str) -> None:
    refused(_SOLVED, text)


def test_rubbish_buys_no_easier_challenge(clock: FakeClock) -> None:
    world = World(clock)

    assert refused(world, "x").challenge["parameters"]["data"]["difficulty"] == 8


def test_a_used_one_is_answered_with_another(clock: FakeClock, solution: str) -> None:
    world = World(clock)

    error = world.challenges.used(solution, TAG, NETWORK)

    assert world.told == [("altcha", "used", "")]
    assert "used before" in str(error.detail)
    assert error.challenge["signature"] != _CHALLENGE["signature"]


@pytest.mark.parametrize(
    ("setting", "difficulty", "least", "most"),
    [(1, 1, 500, 1_000), (1, 8, 4_000, 8_000), (2, 2, 2_000, 4_000)],
)
def test_difficulty_is_how_many_tries_it_takes(
    clock: FakeClock, setting: int, difficulty: int, least: int, most: int
) -> None:
    proof = cheap_proof(clock, setting)

    for _ in range(5):
        document = json.loads(base64.b64decode(solve(proof.make(SUBJECT, difficulty))))
        assert least <= document["solution"]["counter"] <= most


class TestRotation:
    OLD, NEW = b"a" * 32, b"b" * 32

    def test_challenges_under_way_stay_good(
        self, clock: FakeClock, solution: str
    ) -> None:
        before = World(clock, secret_keys=(self.OLD,))
        world = World(clock, secret_keys=(self.NEW, self.OLD))

        # The name is the same, or it could be spent once more.
        assert world.check(solution) == before.check(solution)

    def test_what_is_new_is_made_with_the_new_secret(self, clock: FakeClock) -> None:
        rotating = World(clock, secret_keys=(self.NEW, self.OLD))

        World(clock, secret_keys=(self.NEW,)).check(solve(rotating.ask()))

    def test_another_services_challenge_is_forged(
        self, clock: FakeClock, solution: str
    ) -> None:
        world = World(clock, secret_keys=(self.NEW,))

        refused(world, solution)

        assert world.told == [("altcha", "forged", "")]
