"""What the tests of the transport and of its connections share."""

import pytest

from services.sms.provider import ProviderFailure
from services.sms.transport import Reply, Transport
from utils.clock import SystemClock

CLOCK = SystemClock()
FORM = {"To": "+919876543210", "Body": "123456 is your code"}
# The tests wait this long for what never comes; a machine under load may add to it.
WAIT = 0.6
SLACK = 0.6


def make_transport(
    url: str, *, ca_file: str | None = None, wait_seconds: float = WAIT
) -> Transport:
    return Transport(
        url,
        clock=CLOCK,
        connect_seconds=wait_seconds,
        read_seconds=wait_seconds,
        ca_file=ca_file,
    )


def post(transport: Transport, *, seconds: float = 5.0) -> Reply:
    return transport.post("/send", data=FORM, deadline=CLOCK.monotonic() + seconds)


def failure_of(url: str, *, seconds: float = 5.0) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        post(make_transport(url), seconds=seconds)
    return caught.value
