"""The mutation corpus against the service's own check of its tokens."""

import pytest

from services.errors import InvalidToken
from services.identity.keys.signing_keys import one_key
from services.identity.tokens import Tokens
from tests.corpus.forge import Forge
from tests.corpus.good import AUDIENCE, ISSUER, good_access, good_receipt, new_key
from tests.corpus.tokens import Case, mutations, service_tokens
from tests.fakes import FakeClock

CLOCK = FakeClock()
NOW = int(CLOCK.now())
PEM = new_key()
TOKENS = Tokens(
    one_key(PEM), issuer=ISSUER, audience=AUDIENCE, ttl_seconds=600, clock=CLOCK
)
KID = TOKENS.jwks()["keys"][0]["kid"]
ACCESS = Forge.of(good_access(PEM, now=NOW), PEM).with_header(kid=KID)
RECEIPT = Forge.of(good_receipt(PEM, now=NOW), PEM).with_header(kid=KID)


def test_what_the_mutations_were_made_of_is_good() -> None:
    assert TOKENS.check_access(ACCESS).subject
    assert TOKENS.check_access(Forge.of(ACCESS, PEM).with_claims()).subject


@pytest.mark.parametrize(
    "case",
    [
        *mutations(ACCESS, PEM, now=NOW),
        *service_tokens(ACCESS, PEM),
        Case("a verification token", RECEIPT),
    ],
    ids=lambda case: case.name,
)
def test_no_mutation_passes(case: Case) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.check_access(case.token)
