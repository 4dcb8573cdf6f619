"""HTTP/1.1 as bytes: cut requests off a buffer, write responses."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024

_JSON_TYPES = ("application/json", "application/x-amz-json")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class UnreadableRequest(Exception):
    """What arrived is not a request this server takes; ``status`` says why."""

    def __init__(self, status: int) -> None:
        """Keep the HTTP status to answer with before hanging up."""
        super().__init__(phrase_of(status))
        self.status = status


@dataclass(frozen=True, slots=True)
class Request:
    """One request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Response:
    """One response, before the headers that only concern the connection."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def phrase_of(status: int) -> str:
    """Return the reason phrase; statuses nobody registered have one as well."""
    return _PHRASES.get(status, "Unknown")


def take_request(buffer: bytearray) -> Request | None:
    """Cut the next request off the front of ``buffer``; None until it is complete.

    Raises:
        UnreadableRequest: it never will be one.
    """
    head_length = buffer.find(b"\r\n\r\n")
    if head_length > MAX_HEAD_BYTES or (
        head_length < 0 and len(buffer) > MAX_HEAD_BYTES
    ):
        raise UnreadableRequest(431)
    if head_length < 0:
        return None
    request_line, *header_lines = buffer[:head_length].decode("latin-1").split("\r\n")
    method, target, version = _split_request_line(request_line)
    headers = _split_headers(header_lines)
    body_start = head_length + 4
    body_end = body_start + _body_length(headers)
    if len(buffer) < body_end:
        return None
    body = bytes(buffer[body_start:body_end])
    del buffer[:body_end]
    path, _, query = target.partition("?")
    return Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        body=body,
        # An answer to HEAD would need its body cut; hanging up is as correct.
        keep_alive=version == "HTTP/1.1"
        and method != "HEAD"
        and headers.get("connection", "").lower() != "close",
    )


def _split_request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[2] not in {"HTTP/1.1", "HTTP/1.0"}:
        raise UnreadableRequest(400)
    return parts[0], parts[1], parts[2]


def _split_headers(lines: list[str]) -> dict[str, str]:
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise UnreadableRequest(400)
        headers[name.lower()] = value.strip()
    return headers


def _body_length(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise UnreadableRequest(411)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        raise UnreadableRequest(400)
    if len(length) > len(str(MAX_BODY_BYTES)) or int(length) > MAX_BODY_BYTES:
        raise UnreadableRequest(413)
    return int(length)


def encode_response(response: Response, *, keep_alive: bool) -> bytes:
    """Write ``response`` out as the bytes that travel."""
    extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers)
    head = (
        f"HTTP/1.1 {response.status} {phrase_of(response.status)}\r\n"
        f"Content-Type: {response.content_type}\r\n"
        f"Content-Length: {len(response.body)}\r\n"
        f"{extra}"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    return head.encode("latin-1") + response.body


def json_response(status: int, document: object, *headers: tuple[str, str]) -> Response:
    """Answer ``status`` with ``document`` as JSON."""
    return Response(status, json.dumps(document).encode(), headers=headers)


def read_form(request: Request) -> dict[str, str]:
    """Read a form-encoded body; the first value of a repeated field counts."""
    if not request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        return {}
    fields = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(reversed(fields))


def read_json(request: Request) -> object:
    """Read a JSON body.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        document: object = json.loads(request.body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return document


def flatten_json(request: Request) -> dict[str, str]:
    """Read a JSON body as a form has it: ``messages.0.text`` is a name.

    What cannot be read has no fields.
    """
    if not request.headers.get("content-type", "").startswith(_JSON_TYPES):
        return {}
    try:
        return dict(_flatten("", read_json(request)))
    except (ValueError, RecursionError):
        return {}


def _flatten(path: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        children = [(str(key), child) for key, child in value.items()]
    elif isinstance(value, list):
        children = [(str(index), child) for index, child in enumerate(value)]
    else:
        return [(path, str(value))]
    return [
        pair
        for key, child in children
        for pair in _flatten(f"{path}.{key}" if path else key, child)
    ]
