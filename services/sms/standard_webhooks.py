"""Standard Webhooks, version 1: who sent a receipt, and when.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Mapping

from services.sms.receipts import BadSignature
from services.standard_webhooks import sign
from utils.crypto import same

# How far the two clocks may be apart; what was recorded is of no use after that.
TOLERANCE_SECONDS = 300

# Years to come have eleven digits of seconds.
_MAX_TIMESTAMP_DIGITS = 11


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
