"""AWS Signature Version 4, for a request without a query string.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs, and for which service in which region."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    service: str


def sign(
    credentials: Credentials,
    *,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: float,
) -> dict[str, str]:
    """Return ``headers`` and those that sign them, the path and the body.

    ``headers`` has ``Host``, and all that is to be signed; ``path`` is as it travels.
    AWS refuses what was signed more than five minutes from ``now`` (Unix seconds).
    """
    moment = datetime.fromtimestamp(now, UTC)
    timestamp = moment.strftime("%Y%m%dT%H%M%SZ")
    complete = {**headers, "X-Amz-Date": timestamp}
    lines = {name.lower(): " ".join(it.split()) for name, it in complete.items()}
    signed = ";".join(sorted(lines))
    canonical = "\n".join(
        (
            method,
            path,
            "",
            *(f"{name}:{lines[name]}" for name in sorted(lines)),
            "",
            signed,
            hashlib.sha256(body).hexdigest(),
        )
    )
    day = moment.strftime("%Y%m%d")
    scope = f"{day}/{credentials.region}/{credentials.service}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{digest}"
    signature = _mac(_signing_key(credentials, day), to_sign).hex()
    authorization = (
        f"{_ALGORITHM} Credential={credentials.access_key_id}/{scope},"
        f" SignedHeaders={signed}, Signature={signature}"
    )
    return {**complete, "Authorization": authorization}


def _signing_key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
