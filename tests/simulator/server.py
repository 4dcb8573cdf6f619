"""Serve HTTP/1.1 on one event loop, well or as badly as a reply asks for."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar, cast

from tests.simulator.wire import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Request,
    Response,
    UnreadableRequest,
    encode_response,
    json_response,
    take_request,
)

_CHUNK_BYTES = 64 * 1024
_READ_AHEAD_BYTES = MAX_HEAD_BYTES + MAX_BODY_BYTES
_DRIP_INTERVAL_SECONDS = 1.0
# on, for 0 seconds: close() then sends RST instead of FIN.
_LINGER_NOT = struct.pack("ii", 1, 0)

_T = TypeVar("_T")

Manner = Literal["whole", "drip", "reset", "silence"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a connection does about one request.

    ``reset`` and ``silence`` send nothing, so they need no response.
    """

    response: Response
    delay_seconds: float = 0.0
    manner: Manner = "whole"


class Connection(asyncio.Protocol):
    """One client connection: answers its requests in order, one at a time."""

    def __init__(
        self,
        answer: Callable[[Request], Reply],
        open_transports: set[asyncio.Transport],
    ) -> None:
        """Ask ``answer`` for replies; stand in ``open_transports`` while open."""
        self._answer = answer
        self._open_transports = open_transports
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._unsent: memoryview | bytes = b""
        self._busy = False
        self._clogged = False
        self._keep_alive = True
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._open_transports.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop what was still to be said."""
        self._open_transports.discard(self._transport)
        self._busy = True
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete now."""
        self._buffer += data
        if not self._busy:
            self._answer_next()
        elif len(self._buffer) > _READ_AHEAD_BYTES:
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """Stop sending: the client reads more slowly than we write."""
        self._clogged = True

    def resume_writing(self) -> None:
        """Go on sending."""
        self._clogged = False
        if self._unsent:
            self._send(self._unsent)
            self._answer_next()

    def _answer_next(self) -> None:
        while not self._busy:
            try:
                request = take_request(self._buffer)
            except UnreadableRequest as error:
                self._keep_alive = False
                self._busy = True
                self._perform(Reply(json_response(error.status, {"error": str(error)})))
                return
            if request is None:
                self._transport.resume_reading()
                return
            self._busy = True
            self._keep_alive = request.keep_alive
            reply = self._answer(request)
            if reply.delay_seconds > 0:
                self._after(reply.delay_seconds, self._perform, reply)
                return
            self._perform(reply)

    def _after(self, seconds: float, step: Callable[[_T], None], argument: _T) -> None:
        def take_step() -> None:
            step(argument)
            self._answer_next()

        self._timer = asyncio.get_running_loop().call_later(seconds, take_step)

    def _perform(self, reply: Reply) -> None:
        match reply.manner:
            case "whole":
                self._send(self._encode(reply))
            case "drip":
                self._drip(memoryview(self._encode(reply)))
            case "reset":
                self._reset()
            case "silence":
                # Stays busy: nothing more is answered on this connection.
                pass

    def _encode(self, reply: Reply) -> bytes:
        return encode_response(reply.response, keep_alive=self._keep_alive)

    def _send(self, payload: memoryview | bytes) -> None:
        if len(payload) <= _CHUNK_BYTES and not self._clogged:
            self._transport.write(payload)
            self._finish()
            return
        # In chunks, so that a slow reader of a huge body costs no second copy.
        view = memoryview(payload)
        while view and not self._clogged:
            self._transport.write(view[:_CHUNK_BYTES])
            view = view[_CHUNK_BYTES:]
        self._unsent = view
        if not view:
            self._finish()

    def _drip(self, payload: memoryview) -> None:
        self._transport.write(payload[:1])
        rest = payload[1:]
        if rest:
            self._after(_DRIP_INTERVAL_SECONDS, self._drip, rest)
        else:
            self._finish()

    def _finish(self) -> None:
        if self._keep_alive:
            self._busy = False
        else:
            self._transport.close()

    def _reset(self) -> None:
        peer: socket.socket = self._transport.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()
