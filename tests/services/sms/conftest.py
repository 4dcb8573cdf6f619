"""The vendors' simulator, one for all tests of a module and empty for each."""

from collections.abc import Iterator

import pytest

from tests.simulator import Simulator


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(running_simulator: Simulator) -> Simulator:
    running_simulator.clear()
    return running_simulator
