"""Refresh tokens: opaque to clients, checked without a look at anything stored.

``qcr_``, then 53 bytes in base64url without padding:

=====  =============================================================================
bytes
=====  =============================================================================
1      version, 1
12     the phone's tag, which names the slot in Redis
16     the session's random part
4      counter, big endian: how often the session was refreshed before
16     HMAC-SHA256 of all before it, cut to 128 bits (NIST SP 800-107, 5.3.3)
4      CRC-32 of all before it, big endian
=====  =============================================================================

What is torn or mistyped dies by the checksum, what is made up by the MAC, before Redis
is asked. The prefix is what scanners of code and logs look for.
"""

import hmac
import re
import struct
import zlib

from utils.crypto import Keys, base64url, from_base64url

PREFIX = "qcr_"
_TOKEN = re.compile(rf"{PREFIX}([A-Za-z0-9_-]{{71}})", re.ASCII)
_VERSION = 1
_BODY = struct.Struct(">B28sI")
_MAC_BYTES = 16
_CHECKSUM = struct.Struct(">I")

# 12 bytes are 16 characters; what follows them is 16 bytes in 22.
_TAG_BYTES, _TAG_CHARACTERS = 12, 16


class RefreshTokens:
    """Writes and reads refresh tokens. Safe to share between threads."""

    def __init__(self, keys: Keys) -> None:
        """Make them with the first of ``keys``; accept what any of them made."""
        self._keys = keys

    def write(self, session_id: str, counter: int) -> str:
        """Return the token of a session at one counter: always the same one."""
        body = _BODY.pack(_VERSION, _session_bytes(session_id), counter)
        signed = body + _mac(self._keys[0], body)
        return PREFIX + base64url(signed + _CHECKSUM.pack(zlib.crc32(signed)))

    def read(self, token: str) -> tuple[str, int] | None:
        """Return session id and counter; None if it is none of ours."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            return None
        data = from_base64url(match[1])
        signed, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
        # The last character has bits to spare: one token has one spelling.
        is_canonical = base64url(data) == match[1]
        if not is_canonical or _CHECKSUM.pack(zlib.crc32(signed)) != checksum:
            return None
        body, mac = signed[:-_MAC_BYTES], signed[-_MAC_BYTES:]
        if not any(hmac.compare_digest(_mac(key, body), mac) for key in self._keys):
            return None
        version, session, counter = _BODY.unpack(body)
        if version != _VERSION:
            return None
        tag, random = base64url(session[:_TAG_BYTES]), base64url(session[_TAG_BYTES:])
        return tag + random, counter


def _session_bytes(session_id: str) -> bytes:
    tag, random = session_id[:_TAG_CHARACTERS], session_id[_TAG_CHARACTERS:]
    return from_base64url(tag) + from_base64url(random)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.digest(key, body, "sha256")[:_MAC_BYTES]
