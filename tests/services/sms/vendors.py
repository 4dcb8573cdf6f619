"""What the tests of the vendors share: how to make one, and how to ask it."""

import json
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pytest

from services.sms.provider import Failure, Provider, ProviderFailure
from services.sms.providers import fast2sms, twilio
from services.sms.providers.fast2sms import Fast2SmsProvider
from services.sms.providers.twilio import TwilioProvider
from services.sms.transport import Transport
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.simulator import Simulator
from tests.simulator.fast2sms import Fast2Sms
from tests.simulator.twilio import Twilio
from utils.phone import PhoneNumber

SENDER = "+15005550006"
NOWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Vendor:
    """One vendor: its provider, its table, how it words an error, and the simulator's.

    The simulator's codes were collected apart from the table.
    """

    name: str
    make: Callable[[Transport, Simulator], Provider]
    failures: dict[int, Failure]
    word_error: Callable[[int], dict[str, Any]]
    simulated: Collection[int]


def make_twilio(transport: Transport, simulator: Simulator) -> Provider:
    return TwilioProvider(
        simulator.account_sid, simulator.auth_token, transport=transport, sender=SENDER
    )


def make_fast2sms(transport: Transport, simulator: Simulator) -> Provider:
    return Fast2SmsProvider(simulator.fast2sms_key, transport=transport)


TWILIO = Vendor(
    "twilio",
    make_twilio,
    twilio._FAILURES,
    lambda code: {"code": code, "message": "for +919876543210", "status": 400},
    Twilio.error_codes,
)
FAST2SMS = Vendor(
    "fast2sms",
    make_fast2sms,
    fast2sms._FAILURES,
    lambda code: {"return": False, "status_code": code, "message": ["+919876543210"]},
    Fast2Sms.error_codes,
)
VENDORS = [TWILIO, FAST2SMS]


def send(
    provider: Provider, phone: PhoneNumber = INDIAN, *, ttl_seconds: int = 300
) -> str:
    """Send, and return the vendor's id of the message."""
    message = message_to(phone, ttl_seconds=ttl_seconds)
    return provider.send(message, CLOCK.monotonic() + 5.0).message_id


def failure_of(provider: Provider, phone: PhoneNumber = INDIAN) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        send(provider, phone)
    return caught.value


def failure_from(
    vendor: Vendor, simulator: Simulator, body: object, *, status: str = "200 OK"
) -> ProviderFailure:
    """Have the vendor answer with this, and return what its provider makes of it."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(content, status=status))

    with RawServer(script) as server:
        # The answer comes, however busy the machine is.
        transport = make_transport(server.url, wait_seconds=5.0)
        return failure_of(vendor.make(transport, simulator))


def assert_shows_nothing(failure: ProviderFailure) -> None:
    """Assert that what is logged with the failure holds no number and no text."""
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert "9876543210" not in f"{failure} {vars(failure)}"
    assert "123456" not in f"{failure} {vars(failure)}"
