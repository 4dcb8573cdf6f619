"""What the tests of the transport and of its connections share."""

import atexit
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from services.sms.provider import ProviderFailure
from services.sms.transport import HttpTransport, Reply, form_body
from utils.clock import SystemClock

CLOCK = SystemClock()
FORM = form_body({"To": "+919876543210", "Body": "123456 is your code"})
# The tests wait this long for what never comes; a machine under load may add to it.
WAIT = 0.6
SLACK = 1.5


@cache
def one_authority() -> str:
    """Return a file with one certificate authority: all of them take 15 ms to load."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = (
        Path(DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8").partition(end)
    )
    with NamedTemporaryFile("w", suffix=".pem", delete=False) as file:
        file.write(first + end)
    atexit.register(Path(file.name).unlink)
    return file.name


def make_transport(
    url: str, *, ca_file: str | None = None, wait_seconds: float = WAIT
) -> HttpTransport:
    return HttpTransport(
        url,
        clock=CLOCK,
        connect_seconds=wait_seconds,
        read_seconds=wait_seconds,
        ca_file=ca_file or one_authority(),
    )


def post(transport: HttpTransport, *, seconds: float = 5.0) -> Reply:
    return transport.post("/send", FORM, deadline=CLOCK.monotonic() + seconds)


def failure_of(url: str, *, seconds: float = 5.0) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as caught:
        post(make_transport(url), seconds=seconds)
    return caught.value
