"""Instances of the service behind a balancer, and the people who use them."""

import itertools
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlencode

import jwt

from tests.backend.api import phones
from tests.end_to_end.service import Answer, Service
from tests.simulator import Simulator

_CODE = re.compile(r"\b\d{6}\b")
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_DRAIN_SECONDS = 10.0
# Each newcomer needs a number of their own, and instances need time to start.
_PAUSE_SECONDS = 0.1


class Fleet:
    """Gives each request to the next instance, and lets them be replaced."""

    def __init__(self, *services: Service) -> None:
        self.services = list(services)
        self._turns = itertools.count()
        self._under_way: dict[Service, int] = {}
        self._changed = threading.Condition()

    def replace(self, old: Service, new: Service) -> None:
        """Take one instance out, once its requests are answered, and put one in."""
        with self._changed:
            self.services[self.services.index(old)] = new
            idle = self._changed.wait_for(
                lambda: not self._under_way.get(old), _DRAIN_SECONDS
            )
        assert idle, "requests that never end"

    def call(self, method: str, path: str, **options: Any) -> Answer:
        with self._turn() as service:
            return service.call(method, path, **options)

    @contextmanager
    def _turn(self) -> Iterator[Service]:
        with self._changed:
            service = self.services[next(self._turns) % len(self.services)]
            self._under_way[service] = self._under_way.get(service, 0) + 1
        try:
            yield service
        finally:
            with self._changed:
                self._under_way[service] -= 1
                self._changed.notify_all()


class Offline(jwt.PyJWKClient):
    """What another service checks tokens with: the keys, asked for through a fleet."""

    def __init__(self, fleet: Fleet) -> None:
        # Keys are activated here before its pause between two questions is over.
        super().__init__(
            "https://auth.shop.example/.well-known/jwks.json", cooldown_duration=0
        )
        self._fleet = fleet

    def fetch_data(self) -> Any:
        return self._fleet.call("GET", "/.well-known/jwks.json").json

    def check(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a good token."""
        key = self.get_signing_key_from_jwt(token)
        found: Mapping[str, Any] = jwt.decode(
            token, key, algorithms=["ES256", "EdDSA", "RS256"], audience="quickcart"
        )
        return found


class Person:
    """Somebody with a phone, and the session that they keep."""

    def __init__(self, fleet: Fleet, simulator: Simulator, phone: str) -> None:
        self._fleet = fleet
        self._simulator = simulator
        self._offline = Offline(fleet)
        self.phone = phone
        self.subject = ""
        self._refresh_token = ""

    def ask_for_code(self, verification: str | None = None) -> str:
        """Ask for a code, or for the same one again; return the verification's id."""
        body = {"phone": self.phone}
        if verification:
            body["verification_id"] = verification
        sent = self._fleet.call("POST", "/api/send-otp", body=body)
        assert sent.status == 202, sent.text
        return str(sent.json["verification_id"])

    def code(self) -> str:
        """Read the last code."""
        found = _CODE.search(self._simulator.messages(to=self.phone)[-1].text)
        assert found
        return found[0]

    def type_code(self, verification: str, code: str) -> None:
        """Log in with a code, and see that it is still the same person."""
        body = {"verification_id": verification, "phone": self.phone, "otp": code}
        won = self._fleet.call("POST", "/api/verify-otp", body=body)
        assert won.status == 200, won.text
        self._take(won)

    def log_in(self) -> None:
        self.type_code(self.ask_for_code(), self.code())

    def refresh(self) -> None:
        """Renew the session, and see that it is still the same person."""
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        renewed = self._fleet.call(
            "POST", "/api/token", body=urlencode(form).encode(), headers=_FORM
        )
        assert renewed.status == 200, renewed.text
        self._take(renewed)

    def _take(self, answer: Answer) -> None:
        token, self._refresh_token = (
            answer.json[name] for name in ("access_token", "refresh_token")
        )
        claims = self._offline.check(token)
        self.subject = self.subject or claims["sub"]
        assert claims["sub"] == self.subject
        bearer = {"Authorization": f"Bearer {token}"}
        me = self._fleet.call("GET", "/api/me", headers=bearer)
        assert me.status == 200, me.text
        assert me.json["user"]["id"] == self.subject


class Traffic:
    """People who log in, and one who stays logged in, in threads until told to stop."""

    def __init__(self, fleet: Fleet, simulator: Simulator) -> None:
        self._fleet = fleet
        self._simulator = simulator
        self._phones = iter(phones(1_000))
        self._stop = threading.Event()
        self._moved = threading.Condition()
        self._failures: list[BaseException] = []
        self.done = {"logins": 0, "refreshes": 0}
        self.keep_another()
        self._threads = [
            threading.Thread(target=self._repeat, args=("logins", self._newcomer)),
            threading.Thread(target=self._repeat, args=("refreshes", self._renew)),
        ]

    def person(self) -> Person:
        """Return somebody whom nobody has seen."""
        return Person(self._fleet, self._simulator, next(self._phones))

    def keep_another(self) -> None:
        """Let somebody who logs in now be the one who stays."""
        keeper = self.person()
        keeper.log_in()
        self._keeper = keeper

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def go_on(self) -> None:
        """Return once everybody has done something more from begin to end."""
        with self._moved:
            # What is under way began before.
            wanted = {name: count + 2 for name, count in self.done.items()}
            self._moved.wait_for(
                lambda: (
                    self._failures
                    or all(self.done[name] >= count for name, count in wanted.items())
                ),
                _DRAIN_SECONDS,
            )
            done = dict(self.done)
        self.assert_no_failure()
        assert all(done[name] >= count for name, count in wanted.items()), done

    def assert_no_failure(self) -> None:
        assert not self._failures, self._failures[0]

    def _renew(self) -> None:
        self._keeper.refresh()

    def _newcomer(self) -> None:
        self.person().log_in()

    def _repeat(self, name: str, action: Callable[[], None]) -> None:
        try:
            while not self._stop.wait(_PAUSE_SECONDS):
                action()
                with self._moved:
                    self.done[name] += 1
                    self._moved.notify_all()
        except BaseException as failure:  # noqa: BLE001 - the test's thread tells it
            with self._moved:
                self._failures.append(failure)
                self._moved.notify_all()
