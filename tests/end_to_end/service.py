"""The service as a process of its own, as an operator starts it."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from tests.redis_server import free_port

REPOSITORY = Path(__file__).parents[2]

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_FOLLOW_SECONDS = 10.0


class Answer(NamedTuple):
    """One answer, its body read as JSON where it is JSON."""

    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Pipe:
    """What a process writes, readable while it still runs."""

    def __init__(self, source: IO[bytes]) -> None:
        self._text = ""
        self._grown = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(source,), daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        with self._grown:
            return self._text

    def wait_for(self, pattern: str, seconds: float = _START_SECONDS) -> re.Match[str]:
        """Return the first match, once it is there."""

        def find() -> re.Match[str] | None:
            return re.search(pattern, self._text)

        with self._grown:
            found = self._grown.wait_for(find, seconds)
        assert found, f"no {pattern!r} in {self.text}"
        return found

    def _read(self, source: IO[bytes]) -> None:
        with source:
            for line in source:
                with self._grown:
                    self._text += line.decode()
                    self._grown.notify_all()

    def join(self) -> None:
        """Read to the end."""
        self._thread.join(_STOP_SECONDS)


class Service:
    """``python -m backend.app`` in an empty folder, with these variables alone."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        variables: Mapping[str, str],
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "backend.app", *arguments],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PYTHONPATH": str(REPOSITORY),
                "PORT": str(self.port),
                **variables,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # So that its workers go with it, whatever happens.
            start_new_session=True,
        )
        assert self._process.stdout
        assert self._process.stderr
        self.stdout = Pipe(self._process.stdout)
        self.stderr = Pipe(self._process.stderr)

    def wait_until_ready(self) -> None:
        """Return when it answers."""
        pause = threading.Event()
        for _ in range(int(_START_SECONDS / 0.1)):
            try:
                if self.call("GET", "/readyz").status == 200:
                    return
            except OSError:
                assert self._process.poll() is None, self.stderr.text
            pause.wait(0.1)
        raise AssertionError(self.stderr.text)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request over a connection of its own; ``bytes`` go as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        given = dict(headers or {})
        data = body if isinstance(body, bytes) else None
        if body is not None and data is None:
            given["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        try:
            connection.request(method, path, data, given)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        return Answer(response.status, response.headers, text)

    def send(self, phone: str, **fields: object) -> Answer:
        return self.call("POST", "/api/send-otp", {"phone": phone, **fields})

    def verify(self, verification_id: str, phone: str, code: str) -> Answer:
        body = {"verification_id": verification_id, "phone": phone, "otp": code}
        return self.call("POST", "/api/verify-otp", body)

    def follow(self, verification_id: str, wanted: Mapping[str, object]) -> list[Any]:
        """Ask how a message fares until it is ``wanted``; return what was answered."""
        pause = threading.Event()
        seen: list[Any] = []
        for _ in range(int(_FOLLOW_SECONDS / 0.02)):
            answer = self.call("GET", f"/api/otp-status/{verification_id}")
            delivery = answer.json["delivery"]
            if delivery not in seen[-1:]:
                seen.append(delivery)
            if delivery == wanted:
                return seen
            pause.wait(0.02)
        raise AssertionError(seen)

    def kill_workers(self) -> None:
        """Kill every worker, whatever it is doing; the service starts others."""
        master = self._process.pid
        children = Path(f"/proc/{master}/task/{master}/children").read_text()
        assert children, "no workers"
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)

    def wait(self) -> int:
        """Return the exit code, once it ended by itself."""
        code = self._process.wait(_START_SECONDS)
        self.stdout.join()
        self.stderr.join()
        return code

    def terminate(self) -> int:
        """Ask it to end, as a process manager does; return the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """Leave nothing running."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self.stdout.join()
        self.stderr.join()
