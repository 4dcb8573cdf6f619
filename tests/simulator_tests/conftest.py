"""A running simulator, and a client for each vendor."""

from collections.abc import Iterator

import pytest

from tests.simulator import Simulator
from tests.simulator_tests.clients import Fast2SmsClient, TwilioClient


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def twilio(simulator: Simulator) -> TwilioClient:
    return TwilioClient(simulator)


@pytest.fixture
def fast2sms(simulator: Simulator) -> Fast2SmsClient:
    return Fast2SmsClient(simulator)
