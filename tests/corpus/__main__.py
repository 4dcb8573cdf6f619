"""Print the corpus as JSON, for tests in other languages: ``python -m tests.corpus``.

It is made with a key of its own; ``jwks`` is what a verifier of ``issuer`` fetches.
"""

import json
import time
from typing import Any

from tests.corpus.forge import Forge
from tests.corpus.good import AUDIENCE, ISSUER, good_access, good_receipt, new_key
from tests.corpus.tokens import Case, mutations, service_tokens


def document(now: int) -> dict[str, Any]:
    """Return the whole corpus."""
    pem = new_key()
    access, receipt = good_access(pem, now=now), good_receipt(pem, now=now)
    bad = [
        *mutations(access, pem, now=now),
        *service_tokens(access, pem),
        Case("a verification token", receipt),
    ]
    bad_receipts = [*mutations(receipt, pem, now=now), Case("an access token", access)]
    return {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": now,
        "jwks": {"keys": [Forge.of(access, pem).jwk]},
        "access": access,
        "receipt": receipt,
        "bad_access": [it._asdict() for it in bad],
        "bad_receipts": [it._asdict() for it in bad_receipts],
    }


if __name__ == "__main__":
    print(json.dumps(document(int(time.time()))))  # noqa: T201 - that is what it is for
