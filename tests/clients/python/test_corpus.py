"""The mutation corpus against the kit, with a key of each algorithm."""

from typing import Any

import pytest

from quickcart_auth import InvalidToken, Verifier
from tests.clients.python.kit import NOW, Served, make_verifier
from tests.corpus.__main__ import document
from tests.corpus.forge import read_segment

CORPUS = document(NOW)
BY_KEY = pytest.mark.parametrize(
    "corpus", CORPUS["keys"], ids=lambda corpus: corpus["algorithm"]
)


@pytest.fixture
def served() -> Served:
    served = Served()
    served.jwks = CORPUS["jwks"]["keys"]
    return served


@pytest.fixture
def verifier(served: Served) -> Verifier:
    return make_verifier(served)


@BY_KEY
def test_what_the_mutations_were_made_of_is_good(
    verifier: Verifier, corpus: dict[str, Any]
) -> None:
    assert read_segment(corpus["access"].split(".")[0])["alg"] == corpus["algorithm"]
    assert verifier.verify(corpus["access"]).roles == ("customer",)
    assert verifier.verify_receipt(corpus["receipt"]).purpose == "verify"


@BY_KEY
def test_no_mutation_of_an_access_token_passes(
    verifier: Verifier, corpus: dict[str, Any]
) -> None:
    taken, answers = [], set()
    for case in corpus["bad_access"]:
        try:
            verifier.verify(case["token"])
        except InvalidToken as refused:
            answers.add(str(refused))
        else:
            taken.append(case["name"])

    assert taken == []
    assert answers == {"the token is not valid"}


@BY_KEY
def test_no_mutation_of_a_receipt_passes(
    verifier: Verifier, corpus: dict[str, Any]
) -> None:
    taken = []
    for case in corpus["bad_receipts"]:
        try:
            verifier.verify_receipt(case["token"])
        except InvalidToken:
            continue
        taken.append(case["name"])

    assert taken == []


@BY_KEY
def test_no_mutation_passes_by_a_header_that_was_good_before(
    verifier: Verifier, corpus: dict[str, Any]
) -> None:
    """The key of a known header is not looked for again."""
    verifier.verify(corpus["access"])
    verifier.verify_receipt(corpus["receipt"])

    for case in corpus["bad_access"]:
        with pytest.raises(InvalidToken):
            verifier.verify(case["token"])


@BY_KEY
def test_the_whole_corpus_makes_the_kit_ask_twice_at_most(
    served: Served, verifier: Verifier, corpus: dict[str, Any]
) -> None:
    for case in corpus["bad_access"]:
        with pytest.raises(InvalidToken):
            verifier.verify(case["token"])

    # Once for the keys, once for a key id that nobody knows.
    assert served.count <= 2
