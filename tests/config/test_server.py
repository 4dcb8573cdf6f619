import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.config import SettingsError, load_settings
from config.server import ServerOptions, server_options, try_to_listen

ROOT = Path(__file__).parents[2]
APPLICATION = """
import json, os
from prometheus_client.values import ValueClass

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/json")])
    shared = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return [json.dumps([os.getpid(), ValueClass.__name__, shared]).encode()]
"""
MAIN = """
import sys
import prometheus_client
from config.server import ServerOptions, serve

if __name__ == "__main__":
    port, workers = map(int, sys.argv[1:])
    serve("application:app", ServerOptions(
        host="127.0.0.1", port=port, workers=workers, threads=4, stop_seconds=3))
"""


def options(environ: dict[str, str]) -> ServerOptions:
    return server_options(
        load_settings(default_environment="development", env_file=None, environ=environ)
    )


def test_options_come_from_the_settings() -> None:
    chosen = options(
        {
            "HOST": "::1",
            "PORT": "8000",
            "WORKERS": "3",
            "THREADS": "64",
            "SMS_DEADLINE_SECONDS": "4.5",
            "REDIS_URL": "redis://redis",
            "SECRET_KEY": "given",
        }
    )

    assert chosen == ServerOptions(
        host="::1", port=8000, workers=3, threads=64, stop_seconds=7
    )


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"SECRET_KEY": "given"}, id="embedded store"),
        pytest.param({"REDIS_URL": "redis://redis"}, id="secret of this process"),
    ],
)
def test_what_one_process_keeps_to_itself_allows_one_worker(
    environ: dict[str, str],
) -> None:
    assert options({**environ, "WORKERS": "4"}).workers == 1


def test_a_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        taken = options({"PORT": str(port)})

        with pytest.raises(SettingsError, match=f"PORT: .*{port}"):
            try_to_listen(taken)


@contextmanager
def running(
    folder: Path, workers: int
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    (folder / "application.py").write_text(APPLICATION)
    (folder / "main.py").write_text(MAIN)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PROMETHEUS")}
    server = subprocess.Popen(
        [sys.executable, "main.py", str(port), str(workers)],
        cwd=folder,
        env={**environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"},
    )
    try:
        yield f"http://127.0.0.1:{port}/", server
    finally:
        server.kill()
        server.wait()


def ask(url: str) -> tuple[int, str, str | None]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                pid, kind, shared = json.load(answer)
                return pid, kind, shared
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.slow
def test_several_workers_share_their_metrics_and_stop_when_told(tmp_path: Path) -> None:
    with running(tmp_path, workers=2) as (url, server):
        _, kind, shared = ask(url)
        assert kind == "MmapedValue"
        assert shared is not None
        assert Path(shared).is_dir()

        server.send_signal(signal.SIGTERM)

        assert server.wait(timeout=10) == 0
        assert not Path(shared).exists()


@pytest.mark.slow
def test_a_single_worker_keeps_its_metrics_to_itself(tmp_path: Path) -> None:
    with running(tmp_path, workers=1) as (url, _):
        assert ask(url)[1:] == ("MutexValue", None)


@pytest.mark.slow
def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with running(tmp_path, workers=1) as (url, _):
        first = ask(url)[0]
        # granian takes a death within 5.5 s of a start for a crash loop.
        time.sleep(6)

        os.kill(first, signal.SIGKILL)

        assert ask(url)[0] != first
