"""The mutation corpus against the kit."""

import pytest

from quickcart_auth import InvalidToken, Verifier
from tests.clients.python.kit import NOW, PEM, Served, make_verifier
from tests.corpus.forge import Forge
from tests.corpus.good import good_access, good_receipt
from tests.corpus.tokens import Case, mutations, service_tokens

ACCESS, RECEIPT = good_access(PEM, now=NOW), good_receipt(PEM, now=NOW)
BAD_ACCESS = [
    *mutations(ACCESS, PEM, now=NOW),
    *service_tokens(ACCESS, PEM),
    Case("a verification token", RECEIPT),
]
BAD_RECEIPTS = [*mutations(RECEIPT, PEM, now=NOW), Case("an access token", ACCESS)]


@pytest.fixture(scope="module")
def served() -> Served:
    return Served(Forge.of(ACCESS, PEM))


@pytest.fixture(scope="module")
def verifier(served: Served) -> Verifier:
    return make_verifier(served)


def test_what_the_mutations_were_made_of_is_good(verifier: Verifier) -> None:
    assert verifier.verify(ACCESS).roles == ("customer",)
    assert verifier.verify_receipt(RECEIPT).purpose == "verify"


def test_a_token_that_was_signed_again_unchanged_is_good(verifier: Verifier) -> None:
    assert verifier.verify(Forge.of(ACCESS, PEM).with_claims()).subject
    assert verifier.verify_receipt(Forge.of(RECEIPT, PEM).with_header()).subject


@pytest.mark.parametrize("case", BAD_ACCESS, ids=lambda case: case.name)
def test_no_mutation_of_an_access_token_passes(verifier: Verifier, case: Case) -> None:
    with pytest.raises(InvalidToken) as refused:
        verifier.verify(case.token)

    assert str(refused.value) == "the token is not valid"


@pytest.mark.parametrize("case", BAD_RECEIPTS, ids=lambda case: case.name)
def test_no_mutation_of_a_receipt_passes(verifier: Verifier, case: Case) -> None:
    with pytest.raises(InvalidToken):
        verifier.verify_receipt(case.token)


def test_the_whole_corpus_makes_the_kit_ask_twice_at_most() -> None:
    served = Served(Forge.of(ACCESS, PEM))
    verifier = make_verifier(served)

    for case in BAD_ACCESS:
        with pytest.raises(InvalidToken):
            verifier.verify(case.token)

    # Once for the keys, once for a key id that nobody knows.
    assert served.count <= 2
