"""What each vendor costs: CPU time of one send through its provider."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.processes import Process
from benchmarks.workload import Phones
from services.sms.provider import Message, Provider
from services.sms.transport import HttpTransport
from tests.services.sms.contract.all import VENDORS
from tests.services.sms.contract.vendor import Vendor
from utils.clock import SystemClock
from utils.phone import PhoneNumber

_CLOCK = SystemClock()
_SEND_SECONDS = 5.0
# Opens the connection, and imports what is imported late.
_WARM_UP = 20


@dataclass(frozen=True, slots=True)
class VendorCost:
    """CPU time of this process per send; the simulator is another process."""

    name: str
    ms: float


def measure_vendors(
    simulator: Process, phones: Phones, *, rounds: int, sends: int
) -> list[VendorCost]:
    """Send by every vendor in turn, round after round, one message at a time.

    Cheapest first. A vendor's number is the median of its rounds.
    """
    providers = [_connect(simulator, vendor) for vendor in VENDORS]
    for provider, vendor in zip(providers, VENDORS, strict=True):
        _send(provider, _messages(vendor, phones, _WARM_UP))
    found: list[list[float]] = [[] for _ in VENDORS]
    for _ in range(rounds):
        for times, provider, vendor in zip(found, providers, VENDORS, strict=True):
            messages = _messages(vendor, phones, sends)
            began = time.process_time()
            _send(provider, messages)
            times.append((time.process_time() - began) / sends * 1000)
    costs = [
        VendorCost(vendor.name, median(times))
        for vendor, times in zip(VENDORS, found, strict=True)
    ]
    return sorted(costs, key=lambda it: it.ms)


def _connect(simulator: Process, vendor: Vendor) -> Provider:
    url = f"http://127.0.0.1:{simulator.port}{vendor.base_path}"
    return vendor.make(HttpTransport(url, clock=_CLOCK))


def _messages(vendor: Vendor, phones: Phones, how_many: int) -> Sequence[Message]:
    return [
        Message(
            phone=PhoneNumber(phone, "IN", 91),
            code="123456",
            text="123456 is your QuickCart code. Valid for 5 minutes.",
            ttl_seconds=300,
            channel=vendor.channel,
            reference=f"{number:012}",
        )
        for number, phone in enumerate(phones.take(how_many))
    ]


def _send(provider: Provider, messages: Sequence[Message]) -> None:
    for message in messages:
        provider.send(message, _CLOCK.monotonic() + _SEND_SECONDS)
