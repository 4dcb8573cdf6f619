"""Standard Webhooks, version 1: the signature of what is sent.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hmac

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with


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
