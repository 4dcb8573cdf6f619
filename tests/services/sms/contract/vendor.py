"""What the contract asks of every vendor, and how its tests ask it."""

import json
import socket
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from services.sms.provider import Channel, Failure, Provider, ProviderFailure
from services.sms.transport import Transport
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.simulator.inbox import Code
from utils.phone import PhoneNumber

NOWHERE = "http://127.0.0.1:1"

# What a vendor words an error as: its HTTP status line and its body.
Wording = tuple[str, Any]


@dataclass(frozen=True)
class Vendor:
    """One vendor: its provider, its table, how it words an error, and the simulator's.

    ``make`` has the credentials that the simulator takes, ``make_stranger`` others.
    ``word_error`` writes an error of one code as this vendor does. ``simulated`` are
    the simulator's codes, collected apart from the table. ``unknown_code`` is one that
    the vendor does not have. ``base_path`` is where the simulator keeps the vendor.
    ``any_yes`` is set where a 2xx is a yes in any words, and ours the message's id.
    """

    name: str
    make: Callable[[Transport], Provider]
    make_stranger: Callable[[Transport], Provider]
    failures: Mapping[Any, Failure]
    word_error: Callable[[Any], Wording]
    simulated: Collection[Code]
    unknown_code: Code | None = None
    base_path: str = ""
    any_yes: bool = False
    channel: Channel = "sms"
    phone: PhoneNumber = INDIAN


def send(
    provider: Provider, phone: PhoneNumber = INDIAN, *, ttl_seconds: int = 300
) -> str:
    """Send, and return the vendor's id of the message."""
    (channel, *_) = provider.channels
    message = message_to(phone, ttl_seconds=ttl_seconds, channel=channel)
    return provider.send(message, CLOCK.monotonic() + 5.0).message_id


def failure_of(provider: Provider, phone: PhoneNumber = INDIAN) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        send(provider, phone)
    return caught.value


@contextmanager
def answering(
    vendor: Vendor, body: object, *, status: str = "200 OK"
) -> Iterator[Provider]:
    """Have the vendor answer with this."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def script(sock: socket.socket) -> None:
        server.read_request(sock)
        sock.sendall(http(content, status=status))

    with RawServer(script) as server:
        # The answer comes, however busy the machine is.
        transport = make_transport(server.url, wait_seconds=5.0)
        yield vendor.make(transport)


def failure_from(
    vendor: Vendor, body: object, *, status: str = "200 OK"
) -> ProviderFailure:
    """Have the vendor answer with this, and return what its provider makes of it."""
    with answering(vendor, body, status=status) as provider:
        return failure_of(provider, vendor.phone)


def assert_shows_nothing(failure: ProviderFailure) -> None:
    """Assert that what is logged with the failure holds no number and no text."""
    assert failure.__cause__ is None
    assert failure.__context__ is None
    assert "9876543210" not in f"{failure} {vars(failure)}"
    assert "123456" not in f"{failure} {vars(failure)}"
