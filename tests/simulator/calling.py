"""Call back over HTTP/1.1, from the loop that serves."""

import asyncio
from urllib.parse import urlsplit

from tests.simulator.vendor import ReceiptCall

_TIMEOUT_SECONDS = 5.0
_CHUNK_BYTES = 64 * 1024


class NoAnswer(Exception):
    """No status came back; the message says why."""


def check_url(url: str) -> None:
    """Take only what can be called.

    Raises:
        ValueError: it is not an http URL with a host.
    """
    parts = urlsplit(url)
    _ = parts.port
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError("the simulator calls http URLs only")


async def call(receipt: ReceiptCall) -> int:
    """Send ``receipt`` on a connection of its own, and return the HTTP status.

    Raises:
        NoAnswer: there was none within 5 s.
    """
    try:
        check_url(receipt.url)
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await _exchange(receipt)
    except TimeoutError:
        raise NoAnswer("timeout") from None
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error


async def _exchange(receipt: ReceiptCall) -> int:
    parts = urlsplit(receipt.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        writer.write(_encode(receipt))
        head = await reader.readuntil(b"\r\n\r\n")
        # All of it, or closing would reset what the other side is still writing.
        while await reader.read(_CHUNK_BYTES):
            pass
    finally:
        writer.close()
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError("the answer is not HTTP/1")
    return int(rest[:3])


def _encode(receipt: ReceiptCall) -> bytes:
    parts = urlsplit(receipt.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = (
        ("Host", parts.netloc.rpartition("@")[2]),
        *receipt.headers,
        ("Content-Length", str(len(receipt.body))),
        ("Connection", "close"),
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"{receipt.method} {target} HTTP/1.1\r\n{lines}\r\n"
    return head.encode("latin-1") + receipt.body
