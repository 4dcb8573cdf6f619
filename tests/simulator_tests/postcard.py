"""A vendor that nobody has heard of, and the one who hears of its receipts."""

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import requests

from tests.simulator import Simulator
from tests.simulator.inbox import Code, Message
from tests.simulator.vendor import ReceiptCall, State, Submission
from tests.simulator.wire import Request, Response, json_response, read_form
from tests.simulator_tests.clients import PHONE, TIMEOUT_SECONDS

UNREACHABLE_CODE = "gone"


class Postcard:
    """Takes ``id``, ``to``, ``text`` and ``callback``; ``silent`` keeps it from saying
    that a text is on its way.
    """

    name = "postcard"
    success_status = 200
    error_codes: Collection[Code] = (1,)
    receipt_codes: Collection[Code] = (UNREACHABLE_CODE,)

    def serves(self, path: str) -> bool:
        return path == "/postcard"

    def receive(self, request: Request) -> Submission | Response:
        params = read_form(request)
        if not params.get("text"):
            return Submission(
                (params["to"],), "", params, self.refusal(1, params), code=1
            )
        return Submission(
            recipients=tuple(params["to"].split(",")),
            text=params["text"],
            params=params,
            response=json_response(200, {"id": params["id"]}),
            message_id=params["id"],
            receipts_url=params.get("callback"),
        )

    def refusal(self, code: Code, params: Mapping[str, str]) -> Response:
        return json_response(400, {"error": code})

    def outage(self, status: int) -> Response:
        return json_response(status, {})

    def receipt(
        self, message: Message, state: State, code: Code | None, url: str
    ) -> ReceiptCall | None:
        if state == "sent" and "silent" in message.params:
            return None
        document = {"id": message.id, "state": state, "code": code}
        return ReceiptCall(
            "POST", url, json.dumps(document).encode(), (("X-Signature", "signed"),)
        )


@dataclass(frozen=True)
class Heard:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def said(self) -> tuple[str, Code | None]:
        document = json.loads(self.body)
        return document["state"], document["code"]


class Callee:
    """Hears receipts on a local port; answers ``statuses`` in turn, then 204."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.statuses: list[int] = []
        callee = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): it for name, it in self.headers.items()}
                callee.heard.append(Heard(self.command, self.path, headers, body))
                status = callee.statuses.pop(0) if callee.statuses else 204
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hook?of=postcard"

    @property
    def said(self) -> list[tuple[str, Code | None]]:
        return [it.said for it in self.heard]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def send_postcard(simulator: Simulator, **params: str) -> requests.Response:
    fields = {"id": "P1", "to": PHONE, "text": "482913 is your code."} | params
    return requests.post(
        f"{simulator.url}/postcard", data=fields, timeout=TIMEOUT_SECONDS
    )
