"""Standard Webhooks, version 1: who sent a request, and when.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac
from collections.abc import Mapping

from services.sms.receipts import BadSignature
from utils.crypto import same

# How far the two clocks may be apart; what was recorded is of no use after that.
TOLERANCE_SECONDS = 300

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with
# Years to come have eleven digits of seconds.
_MAX_TIMESTAMP_DIGITS = 11


def read_secret(text: str) -> bytes:
    """Return the key that ``text`` stands for.

    Raises:
        ValueError: it is not base64.
    """
    return base64.b64decode(text.removeprefix(_SECRET_PREFIX), validate=True)


def sign(key: bytes, *, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature of what is sent at ``timestamp`` (Unix seconds)."""
    content = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.digest(key, content, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"


def sign_headers(
    key: bytes, *, message_id: str, now: float, body: bytes
) -> dict[str, str]:
    """Return the headers of a request; ``message_id`` stays when it is repeated."""
    timestamp = str(int(now))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(
            key, message_id=message_id, timestamp=timestamp, body=body
        ),
    }


def check_signature(
    key: bytes, headers: Mapping[str, str], body: bytes, *, now: float
) -> None:
    """See that the other holder of ``key`` sent this, and lately.

    The sender may give several signatures, while it changes its key.

    Raises:
        BadSignature: it did not.
    """
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not (message_id and timestamp.isascii() and timestamp.isdecimal()):
        raise BadSignature
    if len(timestamp) > _MAX_TIMESTAMP_DIGITS:
        raise BadSignature
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature
    expected = sign(key, message_id=message_id, timestamp=timestamp, body=body)
    given = headers.get("webhook-signature", "").split()
    if not any(same(it, expected) for it in given):
        raise BadSignature
