"""The whole service with verbs, its vendors simulated and its clock in our hands."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any, cast

from altcha import Challenge, Payload, solve_challenge
from flask import Flask
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.composition.chores import Chores
from backend.composition.store import Store, open_redis
from backend.errors import PROBLEM_TYPE
from backend.telemetry import Telemetry
from backend.wiring import Services, build_services
from config.config import Settings, load_settings
from config.logging import configure_logging
from services.events import Emit
from services.sms.transport import HttpTransport
from tests.fakes import Backlog, FakeClock
from tests.simulator import Simulator

PHONE = "+919876543210"
OTHER_PHONE = "+919812345678"
# From a documentation block, RFC 5737.
PEER = "198.51.100.7"

# RULE_MODES of tests about refusals: what would ask for a challenge refuses.
REFUSING = "sends_per_ip=block, sends_per_prefix=block, phones_per_ip=off"
# And of those in which nobody types a code, and nobody is to be suspected for that.
UNSUSPECTED = "prefix_conversion=off, country_conversion=off"

TWILIO_SENDER = "+15005550006"

_CODE = re.compile(r"\b[0-9]{6}\b")


def production(simulator: Simulator, redis_url: str) -> dict[str, str]:
    """The environment of production, with Redis and both vendors at hand."""
    return {
        "FLASK_ENV": "production",
        "SECRET_KEY": "7sXo2mQp9vLw4kTz8bYc1nRf6hJd3gAe",
        "SUBJECT_KEY": "Vf0aYw3rT9kQe5uZx7LmC1oHs8dJb2NgP4iRtUyKqXE",
        "REDIS_URL": redis_url,
        "TOKEN_ISSUER": "https://auth.shop.example",
        **vendors(simulator),
    }


def vendors(simulator: Simulator) -> dict[str, str]:
    """Both vendors' settings, pointed at the simulator."""
    return {
        "TWILIO_ACCOUNT_SID": simulator.account_sid,
        "TWILIO_AUTH_TOKEN": simulator.auth_token,
        "TWILIO_PHONE_NUMBER": TWILIO_SENDER,
        "TWILIO_BASE_URL": simulator.url,
        "FAST2SMS_API_KEY": simulator.fast2sms_key,
        "FAST2SMS_BASE_URL": simulator.url,
    }


def phones(count: int) -> list[str]:
    """Return numbers so far apart that no limit on a block of them binds."""
    return [f"+91987{number:03}3210" for number in range(count)]


class Answer(TestResponse):
    """What comes back. Its body is taken for JSON, which the tests then look into."""

    @property
    def json(self) -> Any:
        return self.get_json()


class Api:
    """Calls the service as its callers do."""

    def __init__(
        self, variables: Mapping[str, str], *, simulator: Simulator, clock: FakeClock
    ) -> None:
        self.simulator = simulator
        self.clock = clock
        self.log = BytesIO()
        self._transports: list[HttpTransport] = []
        self.settings = load_settings(environ=variables, env_file=None)
        self.telemetry = Telemetry(configure_logging("info", output=self.log))
        self.notes, self.sends = Backlog(), Backlog()
        self.chores = Chores(
            emit=self.telemetry.emit,
            notes=self.notes,
            sends=self.sends,
            reports=self.sends,
        )
        self.services = build_services(
            self.settings,
            emit=self.telemetry.emit,
            clock=clock,
            offset_seconds=lambda: clock.offset,
            open_transport=self._open_transport,
            open_store=self._open_store,
            chores=self.chores,
        )
        self.app = self._serve(self.services)
        self.client = self.app.test_client()

    def _open_transport(self, base_url: str) -> HttpTransport:
        transport = HttpTransport(base_url, clock=self.clock)
        self._transports.append(transport)
        return transport

    def _open_store(self, settings: Settings, emit: Emit) -> Store:
        self._redis, scripts = open_redis(settings, emit)
        return self._redis, scripts

    def _serve(self, services: Services) -> Flask:
        return create_app(self.settings, services, self.telemetry)

    def close(self) -> None:
        """Let go of every connection; in the service they end with the process."""
        self._redis.close()
        for transport in self._transports:
            transport._adapter.close()

    def settle(self) -> None:
        """Let what follows the answers happen: receipts, follow-ups, reports."""
        while self.notes.tasks or self.sends.tasks:
            self.notes.run()
            self.sends.run()

    def break_with(self, error: Exception) -> None:
        """Make the look at the store raise what nobody expects."""

        def fail() -> Any:
            raise error

        self.client = self._serve(
            replace(self.services, check_store=fail)
        ).test_client()

    def call(
        self,
        method: str,
        path: str,
        *,
        peer: str = PEER,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """Send any request, from ``peer`` and for the storefront ``origin``."""
        given = dict(headers or {})
        if origin is not None:
            given["Origin"] = origin
        answer = self.client.open(
            path,
            method=method,
            headers=given,
            environ_base={"REMOTE_ADDR": peer},
            **options,
        )
        return cast("Answer", answer)

    def send(
        self,
        phone: object = PHONE,
        *,
        peer: str = PEER,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: object,
    ) -> Answer:
        """Ask for a code; with ``verification_id`` for the same one again."""
        return self.call(
            "POST",
            "/api/send-otp",
            json={"phone": phone, **fields},
            peer=peer,
            origin=origin,
            headers=headers,
        )

    def verify(
        self,
        verification_id: object,
        phone: object,
        code: object,
        *,
        peer: str = PEER,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: object,
    ) -> Answer:
        """Submit a code."""
        return self.call(
            "POST",
            "/api/verify-otp",
            json={
                "verification_id": verification_id,
                "phone": phone,
                "otp": code,
                **fields,
            },
            peer=peer,
            origin=origin,
            headers=headers,
        )

    def status(self, verification_id: str) -> Answer:
        """Ask how a verification stands."""
        return self.call("GET", f"/api/otp-status/{verification_id}")

    def me(self, token: str) -> Answer:
        """Ask who the bearer of a token is."""
        return self.call("GET", "/api/me", headers={"Authorization": f"Bearer {token}"})

    def bearing(self, token: object, method: str, path: str, **options: Any) -> Answer:
        """Ask anything with a token."""
        headers = {
            "Authorization": f"Bearer {token}",
            **options.pop("headers", {}),
        }
        return self.call(method, path, headers=headers, **options)

    def sessions(self, token: str) -> Answer:
        """List the sessions of the bearer of a token."""
        return self.bearing(token, "GET", "/api/sessions")

    def refresh(self, refresh_token: object, **options: Any) -> Answer:
        """Renew a session."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.call("POST", "/api/token", data=form, **options)

    def change_phone(
        self,
        login: Mapping[str, Any],
        verification_id: str,
        phone: str,
        code: str,
        **options: Any,
    ) -> Answer:
        """Move an account to another number, by both tokens of its ``login``."""
        body = {"verification_id": verification_id, "phone": phone, "otp": code}
        if "refresh_token" in login:
            body["refresh_token"] = login["refresh_token"]
        return self.bearing(
            login["access_token"], "POST", "/api/me/phone", json=body, **options
        )

    def post(self, path: str, body: object) -> Answer:
        """Post a body as JSON, whatever Python can write as such."""
        return self.call(
            "POST", path, data=json.dumps(body), content_type="application/json"
        )

    def start(self, phone: str = PHONE, **options: Any) -> str:
        """Have a code sent and return the verification's id."""
        answer = self.send(phone, **options)
        assert answer.status_code == 202, answer.text
        return str(answer.json["verification_id"])

    def login(
        self,
        phone: str = PHONE,
        *,
        origin: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: Any,
    ) -> Any:
        """Log in and return the answer's body; ``fields`` are those of the check."""
        verification = self.start(phone, origin=origin)
        answer = self.verify(
            verification,
            phone,
            self.code_of(phone),
            origin=origin,
            headers=headers,
            **fields,
        )
        assert answer.status_code == 200, answer.text
        return answer.json

    def code_of(self, phone: str = PHONE) -> str:
        """Read the code out of the last message to a phone."""
        text = self.simulator.messages(to=phone)[-1].text
        found = _CODE.search(text)
        assert found, text
        return found[0]

    def wrong_code_of(self, phone: str = PHONE) -> str:
        """Return a code that the last message to a phone does not hold."""
        return f"{(int(self.code_of(phone)) + 1) % 10**6:06}"

    def providers_of(self, phone: str = PHONE) -> list[str]:
        """Name the vendors that took a message to a phone, in order."""
        return [
            it.provider
            for it in self.simulator.messages(to=phone)
            if it.outcome == "accepted"
        ]


def without_request_id(answer: Answer) -> Any:
    """Return a body less the one field that always differs."""
    return {name: it for name, it in answer.json.items() if name != "request_id"}


def assert_problem(answer: Answer, status: int, code: str) -> None:
    """Find a problem document of this status and code."""
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.text
    assert answer.content_type == PROBLEM_TYPE


def solution_of(answer: TestResponse) -> str:
    """Solve the challenge that a send was answered with, as the package does."""
    challenge = Challenge.from_dict(dict((answer.json or {})["challenge"]))
    solution = solve_challenge(challenge)
    assert solution is not None
    return Payload(challenge, solution).to_base64()


def fields_of(answer: Answer) -> list[str]:
    """Name the fields that were found at fault."""
    return [it["field"] for it in answer.json["errors"]]
