"""The store under test: embedded and real, one after the other."""

from collections.abc import Iterator

import pytest

from tests.services.stores import Store, open_embedded, open_real


@pytest.fixture(params=["embedded", "real"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Both stores, empty: what holds on one must hold on the other."""
    if request.param == "embedded":
        yield open_embedded()
        return
    found = open_real(request.getfixturevalue("redis_url"))
    yield found
    found.close()


@pytest.fixture
def real_store(redis_url: str) -> Iterator[Store]:
    """A real server, empty."""
    found = open_real(redis_url)
    yield found
    found.close()
