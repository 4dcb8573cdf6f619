"""A verifier on keys of our own, with no service behind it."""

from collections.abc import Callable

from quickcart_auth import Introspection, Verifier
from quickcart_auth.http import Document, FetchFailed
from tests.corpus.forge import Forge
from tests.corpus.good import AUDIENCE, ISSUER, new_key

NOW = 1_800_000_000
PEM = new_key()


class Served:
    """A key set that is fetched without a network, and counts how often."""

    def __init__(self, *tokens: Forge, cache_control: str = "max-age=300") -> None:
        self.jwks: list[dict[str, object]] = [it.jwk for it in tokens]
        self.cache_control = cache_control
        self.failure: str | None = None
        self.count = 0

    def __call__(self) -> Document:
        self.count += 1
        if self.failure is not None:
            raise FetchFailed(self.failure)
        return Document({"keys": list(self.jwks)}, self.cache_control)


def make_verifier(
    fetch: Callable[[], Document],
    *,
    now: float = NOW,
    introspection: Introspection | None = None,
) -> Verifier:
    """Return a verifier whose clock stands still."""
    return Verifier(
        ISSUER, AUDIENCE, clock=lambda: now, fetch=fetch, introspection=introspection
    )
