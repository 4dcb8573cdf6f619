"""Check AWS's Signature Version 4, the other way round than a client makes it."""

import calendar
import hashlib
import hmac
import re
import time

from tests.simulator.inbox import Code
from tests.simulator.wire import Request

_MAX_SKEW_SECONDS = 300
_MUST_BE_SIGNED = frozenset({"host", "x-amz-date", "x-amz-target", "content-type"})
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>[^,]+), *"
    r"SignedHeaders=(?P<names>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)


class Signatures:
    """What one access key signs for one region."""

    def __init__(self, access_key_id: str, secret_access_key: str, region: str) -> None:
        """Accept this key and no other."""
        self._access_key_id = access_key_id
        self._secret = secret_access_key
        self._region = region

    def error_of(self, request: Request) -> Code | None:
        """Say what is wrong with the signature of ``request``, None if nothing."""
        header = request.headers.get("authorization")
        if not header:
            return "MissingAuthenticationTokenException"
        found = _AUTHORIZATION.fullmatch(header)
        if found is None or not _MUST_BE_SIGNED.issubset(found["names"].split(";")):
            return "IncompleteSignatureException"
        if found["key"] != self._access_key_id:
            return "UnrecognizedClientException"
        date = request.headers.get("x-amz-date", "")
        scope = f"{date[:8]}/{self._region}/sms-voice/aws4_request"
        expected = self._signature(request, found["names"], date, scope)
        genuine = (
            found["scope"] == scope
            and _is_recent(date)
            and hmac.compare_digest(found["signature"], expected)
        )
        return None if genuine else "InvalidSignatureException"

    def _signature(self, request: Request, names: str, date: str, scope: str) -> str:
        document = f"{request.method}\n{request.path}\n{request.query}\n"
        for name in names.split(";"):
            document += f"{name}:{request.headers.get(name, '')}\n"
        document += f"\n{names}\n{hashlib.sha256(request.body).hexdigest()}"
        hashed = hashlib.sha256(document.encode("latin-1")).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}"
        key = b"AWS4" + self._secret.encode()
        for step in [*scope.split("/"), text]:
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        return key.hex()


def _is_recent(date: str) -> bool:
    try:
        moment = time.strptime(date, "%Y%m%dT%H%M%SZ")
    except ValueError:
        return False
    return abs(time.time() - calendar.timegm(moment)) <= _MAX_SKEW_SECONDS
