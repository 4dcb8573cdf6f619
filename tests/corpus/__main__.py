"""Print the corpus as JSON, for tests in other languages: ``python -m tests.corpus``.

It is made with keys of its own, one of each algorithm; ``jwks`` is what a verifier of
``issuer`` fetches.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

from tests.corpus.forge import Forge
from tests.corpus.good import (
    ALGORITHMS,
    AUDIENCE,
    ISSUER,
    good_access,
    good_receipt,
    new_key,
)
from tests.corpus.tokens import Case, mutations, other_kinds, service_tokens


def document(now: int, keys: Mapping[str, bytes] | None = None) -> dict[str, Any]:
    """Return the whole corpus; ``keys`` are other ones than its own, as PEM by id."""
    keys = keys or {f"corpus-{it}": new_key(it) for it in ALGORITHMS}
    tokens = {kid: good_access(pem, now=now, kid=kid) for kid, pem in keys.items()}
    return {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "now": now,
        "jwks": {"keys": [Forge.of(tokens[kid], keys[kid]).jwk for kid in keys]},
        "keys": [_of_one(kid, keys, now) for kid in keys],
    }


def _of_one(kid: str, keys: Mapping[str, bytes], now: int) -> dict[str, Any]:
    """Return the corpus of one of the keys."""
    pem = keys[kid]
    others = {name: it for name, it in keys.items() if name != kid}
    access = good_access(pem, now=now, kid=kid)
    receipt = good_receipt(pem, now=now, kid=kid)
    bad = [
        *mutations(access, pem, now=now),
        *other_kinds(access, pem, others),
        *service_tokens(access, pem),
        Case("a verification token", receipt),
    ]
    bad_receipts = [
        *mutations(receipt, pem, now=now),
        *other_kinds(receipt, pem, others),
        Case("an access token", access),
    ]
    return {
        "algorithm": Forge.of(access, pem).algorithm,
        "access": access,
        "receipt": receipt,
        "bad_access": [it._asdict() for it in bad],
        "bad_receipts": [it._asdict() for it in bad_receipts],
    }


if __name__ == "__main__":
    print(json.dumps(document(int(time.time()))))  # noqa: T201 - that is what it is for
