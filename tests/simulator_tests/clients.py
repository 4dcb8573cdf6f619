"""Clients that send as ours do, and let a test say one thing differently."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from tests.simulator import Simulator

PHONE = "+919876543210"
NATIONAL = "9876543210"
SENDER = "+15005550006"
TIMEOUT_SECONDS = 5.0


class TwilioClient:
    """Sends a good text, save for what a test changes; "" leaves a field out."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.timeout_seconds = TIMEOUT_SECONDS

    def send(
        self,
        *,
        method: str = "POST",
        account_sid: str | None = None,
        auth_token: str | None = None,
        **params: str,
    ) -> requests.Response:
        sid = account_sid or self._simulator.account_sid
        fields = {"To": PHONE, "From": SENDER, "Body": "482913 is your code."} | params
        return requests.request(
            method,
            f"{self._simulator.url}/2010-04-01/Accounts/{sid}/Messages.json",
            data={name: value for name, value in fields.items() if value},
            auth=(
                self._simulator.account_sid,
                auth_token or self._simulator.auth_token,
            ),
            timeout=self.timeout_seconds,
            allow_redirects=False,
        )


class Fast2SmsClient:
    """Sends a good code, save for what a test changes; "" leaves a field out."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.as_json = False

    def send(self, *, key: str | None = None, **params: str) -> requests.Response:
        code = {"route": "otp", "variables_values": "482913", "numbers": NATIONAL}
        fields = {name: value for name, value in (code | params).items() if value}
        return self.post("/dev/bulkV2", key=key, fields=fields)

    def post(
        self,
        path: str,
        *,
        key: str | None = None,
        fields: dict[str, str] | None = None,
    ) -> requests.Response:
        return requests.post(
            f"{self._simulator.url}{path}",
            data=None if self.as_json else fields,
            json=fields if self.as_json else None,
            headers={"authorization": key or self._simulator.fast2sms_key},
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )


@contextmanager
def connected(simulator: Simulator) -> Iterator[socket.socket]:
    host, port = simulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), TIMEOUT_SECONDS) as connection:
        yield connection
