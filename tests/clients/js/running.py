"""Node, the service and a storefront, as the tests of the JavaScript kit need them."""

import json
import os
import queue
import secrets
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.service import REPOSITORY, Service
from tests.services.identity.clients.service_clients import write_client_file

FOLDER = Path(__file__).parent
NODE_MAJOR = 20
CODE, ADMIN_PHONE = "246802", "+15550100190"
CLIENT_ID = "svc-node"


def run(*command: str, env: Mapping[str, str] | None = None) -> None:
    """Run a command of Node's in this folder; what it prints tells why it failed."""
    done = subprocess.run(
        command,
        cwd=FOLDER,
        env={**os.environ, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Less than what ends a test that hangs: Node would be left behind.
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


def find_node() -> str:
    """Return Node, with the packages of the lock file at hand."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        return _missing(f"node {NODE_MAJOR} or newer and npm are not on PATH")
    done = subprocess.run([found, "--version"], capture_output=True, check=True)
    version = done.stdout.decode().strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_MAJOR:
        return _missing(f"node is {version}, not {NODE_MAJOR} or newer")
    lock = FOLDER / "package-lock.json"
    stamp = FOLDER / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        stamp.touch()
    return found


def _missing(what: str) -> str:
    """In CI what is needed is there, or it is a failure."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def running_service(folder: Path, **more: str) -> Iterator[dict[str, str]]:
    """Run a service; yields the variables that lead a Node test to it."""
    clients = folder / "clients.toml"
    secret = write_client_file(clients, CLIENT_ID, "token:introspect", "admin")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    service = Service(
        folder,
        "--default-env",
        "development",
        variables={
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SERVICE_CLIENTS_FILE": str(clients),
            "TEST_NUMBERS": f"+15550100100-+15550100199:{CODE}",
            "TEST_NUMBERS_UNTIL": str(tomorrow),
            "ADMIN_PHONES": ADMIN_PHONE,
            "SENDS_PER_IP": "off",
            "SENDS_PER_PREFIX": "off",
            "WRONG_CHECKS_PER_IP": "off",
            **more,
        },
    )
    try:
        service.wait_until_ready()
        yield {
            "AUTH_URL": service.url,
            "ISSUER": f"http://localhost:{service.port}",
            "AUDIENCE": "quickcart",
            "CLIENT_ID": CLIENT_ID,
            "CLIENT_SECRET": secret,
            "CODE": CODE,
            "ADMIN_PHONE": ADMIN_PHONE,
        }
    finally:
        service.close()


class Storefront:
    """Serves the kit and its test page, and takes the page's result."""

    def __init__(self) -> None:
        self.results: queue.Queue[Any] = queue.Queue()
        files = partial(_Files, self.results, directory=str(REPOSITORY))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), files)
        self.origin = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Files(SimpleHTTPRequestHandler):
    def __init__(self, results: "queue.Queue[Any]", *args: Any, directory: str) -> None:
        self._results = results
        super().__init__(*args, directory=directory)

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._results.put(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def running_browser(url: str, profile: Path) -> Iterator[None]:
    """Show a page in Chromium, without a window."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        # Node has tested the same; only the browser's own locks and cookies are new.
        pytest.skip("chromium is not on PATH")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
    process = subprocess.Popen(
        [chromium, *flags, f"--user-data-dir={profile}", url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
