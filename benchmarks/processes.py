"""The processes of a benchmark: started, counted by CPU time, and stopped."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_ROOT = Path(__file__).parent.parent
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Process:
    """A server of ours on a free port, with all processes it starts itself.

    It sees no setting but those it is given: it runs in an empty folder, where there is
    no ``.env``. What it prints is thrown away, which is a terminal at no cost.
    """

    def __init__(
        self, command: Sequence[str], port: int, settings: Mapping[str, str]
    ) -> None:
        """Start ``command`` and wait until something listens on ``port``."""
        self.port = port
        self._folder = tempfile.TemporaryDirectory(prefix="quickcart-bench-")
        self._process = subprocess.Popen(
            command,
            cwd=self._folder.name,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(_ROOT),
                **settings,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_listens(command)

    def cpu_seconds(self) -> float:
        """Return the CPU time of the whole process tree so far."""
        parents: dict[int, int] = {}
        ticks: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                # What follows the name, which may hold spaces and brackets:
                # state, ppid, ..., utime, stime, cutime, cstime.
                fields = path.read_text().rpartition(")")[2].split()
                pid = int(path.parent.name)
                parents[pid] = int(fields[1])
                ticks[pid] = sum(int(field) for field in fields[11:15])
        tree = {self._process.pid}
        while grown := {pid for pid, it in parents.items() if it in tree} - tree:
            tree |= grown
        return sum(ticks.get(pid, 0) for pid in tree) / _TICKS_PER_SECOND

    def close(self) -> None:
        """Ask it to stop, and see that it does."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _wait_until_it_listens(self, command: Sequence[str]) -> None:
        give_up = time.monotonic() + _START_SECONDS
        while time.monotonic() < give_up and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self.close()
        raise RuntimeError(f"did not start: {' '.join(command)}")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_redis(binary: str) -> Process:
    """Start Redis as the service wants it, without persistence."""
    port = free_port()
    options = {
        "--port": str(port),
        "--bind": "127.0.0.1",
        "--save": "",
        "--appendonly": "no",
    }
    flat = [word for pair in options.items() for word in pair]
    return Process([binary, *flat], port, {})


def start_simulator() -> Process:
    """Start the vendors' simulator, which answers at once until a rule says else."""
    port = free_port()
    return Process(_python("tests.simulator", "--port", str(port)), port, {})


def start_floor(settings: Mapping[str, str]) -> Process:
    """Start the floor, which the service is compared to."""
    port = free_port()
    return Process(_python("benchmarks.floor"), port, {**settings, "PORT": str(port)})


def start_service(settings: Mapping[str, str], *, receipts: bool = False) -> Process:
    """Start the service as ``settings`` say; with ``receipts``, vendors send them."""
    port = free_port()
    if receipts:
        settings = {**settings, "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
    return Process(_python("backend.app"), port, {**settings, "PORT": str(port)})


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]
