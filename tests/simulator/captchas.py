"""Captcha vendors on a local port: siteverify as the three of them speak it.

Paths: ``/turnstile``, ``/hcaptcha`` and ``/recaptcha``. ``solve`` stands for a person
before the widget. A token is taken once, and only with the secret.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qs

SITE_KEY = "site-key"
SECRET_KEY = "captcha-secret"

Fault = Literal["status", "nonsense", "huge", "mute", "redirect", "internal", "hang_up"]

# Each vendor's words for a token that it took before.
_AGAIN = {
    "turnstile": "timeout-or-duplicate",
    "hcaptcha": "already-seen-response",
    "recaptcha": "timeout-or-duplicate",
}


def _no(code: str) -> bytes:
    return json.dumps({"success": False, "error-codes": [code]}).encode()


_FAULTS: dict[str, tuple[int, bytes]] = {
    "status": (503, b"{}"),
    "nonsense": (200, b"<html>maintenance</html>"),
    "huge": (200, b"[" + b" " * 100_000 + b"]"),
    "redirect": (302, b""),
    "internal": (200, _no("internal-error")),
}


@dataclass
class CaptchaVendors:
    """The vendors, served by threads of their own; a context manager."""

    asked: list[dict[str, str]] = field(default_factory=list)
    fault: Fault | None = None
    _answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    _released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Start."""
        vendors = self

        class Siteverify(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                vendors._serve(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Siteverify)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def url(self, vendor: str) -> str:
        """Return where a vendor checks tokens."""
        return f"http://127.0.0.1:{self._server.server_port}/{vendor}"

    def solve(
        self, challenge: dict[str, Any], *, token: str | None = None, **more: Any
    ) -> str:
        """Return the token of a person who passed; ``more`` changes the answer."""
        vendor = challenge["type"]
        answer: dict[str, Any] = {
            "success": True,
            "challenge_ts": "2027-01-15T08:00:00Z",
            "hostname": "shop.example.com",
        }
        if vendor == "turnstile":
            # Empty where the page gave the widget none.
            answer["action"] = challenge.get("action", "")
            answer["cdata"] = challenge.get("cdata", "")
            answer["error-codes"] = []
        token = token or f"token-{vendor}-{len(self._answers)}"
        answer |= more
        self._answers[token] = {k: it for k, it in answer.items() if it is not None}
        return token

    def release(self) -> None:
        """Let calls end that a mute vendor keeps waiting."""
        self._released.set()

    def _serve(self, call: BaseHTTPRequestHandler) -> None:
        length = int(call.headers["Content-Length"])
        body = call.rfile.read(length).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self.asked.append(form)
        if self.fault == "mute":
            self._released.wait(10)
            return
        if self.fault == "hang_up":
            call.close_connection = True
            return
        status, content = self._answer(call.path.strip("/"), form)
        call.send_response(status)
        if status == 302:
            call.send_header("Location", "/elsewhere")
        call.send_header("Content-Type", "application/json")
        call.send_header("Content-Length", str(len(content)))
        call.end_headers()
        call.wfile.write(content)

    def _answer(self, vendor: str, form: dict[str, str]) -> tuple[int, bytes]:
        if self.fault in _FAULTS:
            return _FAULTS[self.fault]
        if form.get("secret") != SECRET_KEY:
            return 200, _no("invalid-input-secret")
        token = form.get("response", "")
        answer = self._answers.get(token)
        if answer is None:
            return 200, _no("invalid-input-response")
        self._answers[token] = {"success": False, "error-codes": [_AGAIN[vendor]]}
        return 200, json.dumps(answer).encode()
