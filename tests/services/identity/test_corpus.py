"""The mutation corpus against the service's own check of its tokens."""

from typing import Any

import pytest

from services.errors import InvalidToken
from services.identity.keys.signing_keys import KeySet, SigningKeys, read_signing_key
from services.identity.tokens import Tokens
from tests.corpus.__main__ import document
from tests.corpus.good import ALGORITHMS, AUDIENCE, ISSUER, new_key
from tests.fakes import FakeClock

CLOCK = FakeClock()
PEMS = [new_key(it) for it in ALGORITHMS]
SIGNING = [read_signing_key(it) for it in PEMS]
CORPUS = document(
    int(CLOCK.now()),
    {key.kid: pem for key, pem in zip(SIGNING, PEMS, strict=True)},
)
BY_KEY = pytest.mark.parametrize(
    "corpus", CORPUS["keys"], ids=lambda corpus: corpus["algorithm"]
)


@pytest.fixture
def tokens() -> Tokens:
    """The service's own check, while it verifies by a key of each algorithm."""
    keys = SigningKeys(lambda: KeySet.of(SIGNING[0], SIGNING), emit=lambda _: None)
    return Tokens(keys, issuer=ISSUER, audience=AUDIENCE, ttl_seconds=600, clock=CLOCK)


@BY_KEY
def test_what_the_mutations_were_made_of_is_good(
    tokens: Tokens, corpus: dict[str, Any]
) -> None:
    assert tokens.check_access(corpus["access"]).subject


@BY_KEY
def test_no_mutation_passes(tokens: Tokens, corpus: dict[str, Any]) -> None:
    taken = []
    for case in corpus["bad_access"]:
        try:
            tokens.check_access(case["token"])
        except InvalidToken:
            continue
        taken.append(case["name"])

    assert taken == []
