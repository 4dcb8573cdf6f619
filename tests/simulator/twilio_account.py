"""What Twilio's products have in common: credentials, errors, signatures."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

from tests.simulator.inbox import Code
from tests.simulator.vendor import ReceiptCall
from tests.simulator.wire import Request, Response, json_response, phrase_of

_UNAUTHORIZED = 401


class TwilioAccount:
    """One account's credentials, and its signature."""

    def __init__(self, sid: str, auth_token: str) -> None:
        """Know this account and no other."""
        self.sid = sid
        self._auth_token = auth_token.encode()
        self._credentials = f"{sid}:{auth_token}".encode()

    def authenticates(self, request: Request) -> bool:
        """Tell whether a request has the account's sid and token (RFC 7617)."""
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, self._credentials)

    def call_back(self, url: str, fields: Mapping[str, str]) -> ReceiptCall:
        """Post a form, signed with the account's token.

        https://www.twilio.com/docs/usage/security#validating-requests: HMAC-SHA1 over
        the URL and, sorted by name, every field's name and value.
        """
        signed = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.digest(self._auth_token, signed.encode(), "sha1")
        return ReceiptCall(
            "POST",
            url,
            urlencode(fields).encode(),
            (
                ("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"),
                ("X-Twilio-Signature", base64.b64encode(digest).decode()),
            ),
        )


def not_found(path: str) -> Response:
    """Answer that there is no such resource."""
    return error(404, 20404, f"The requested resource {path} was not found")


def outage(status: int) -> Response:
    """Answer with a bare status; Twilio's generic codes are 20000 + status."""
    return error(status, 20_000 + status, phrase_of(status))


def error(status: int, code: Code, message: str) -> Response:
    """Answer with an error of Twilio's."""
    challenge = ("WWW-Authenticate", 'Basic realm="Twilio API"')
    return json_response(
        status,
        {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        },
        *([challenge] if status == _UNAUTHORIZED else []),
    )
