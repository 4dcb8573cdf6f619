"""What Twilio's products share: its client over our transport, and their errors."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

import orjson
from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from services.sms.documents import read_object
from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_NUMBER,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Failure, ProviderFailure
from services.sms.transport import Transport, form_body

Domain = Literal["api", "verify"]
T = TypeVar("T")

# https://www.twilio.com/docs/api/errors: one row per code that any product may answer.
COMMON_FAILURES: Mapping[int, Failure] = {
    10001: ACCOUNT,  # account not active
    20001: TRANSIENT_NUMBER,  # invalid parameter value: any, and the number is one
    20003: ACCOUNT,  # wrong credentials
    20004: ACCOUNT,  # wrong method: the address in our settings is wrong
    20005: ACCOUNT,  # account not active
    20008: ACCOUNT,  # test credentials
    20404: ACCOUNT,  # no such account or service: the sid in our settings is wrong
    20429: TRANSIENT,  # too many requests at once
    20500: TRANSIENT,  # internal error
    20503: TRANSIENT,  # service unavailable
    21211: RECIPIENT,  # invalid To
    21212: ACCOUNT_COUNTRY,  # invalid From, which a country may have its own of
    21214: RECIPIENT,  # To cannot be reached
    21217: RECIPIENT,  # To is not a phone number
    21219: ACCOUNT,  # trial account: To is not verified
    21603: ACCOUNT_COUNTRY,  # no From and no Messaging Service
    21604: ACCOUNT_COUNTRY,  # no To
    21609: ACCOUNT,  # the StatusCallback URL in our settings is invalid
}

# The client would fall back on the environment, whose TWILIO_REGION and TWILIO_EDGE
# rewrite the host; an empty mapping counts as none.
_NO_ENVIRONMENT = {"TWILIO_REGION": "", "TWILIO_EDGE": ""}


class TwilioClient:
    """One account's way to one of Twilio's hosts. Safe to share between threads.

    ``failures`` are the codes that this product may answer.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        failures: Mapping[int, Failure],
        domain: Domain = "api",
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._transport = transport
        self._failures = failures
        self._domain = domain
        # Twilio's client imports a product when it is first touched: not in a request.
        _ = self._open(_HttpClient(transport, 0.0))

    def ask(self, question: Callable[[Any], T], deadline: float) -> T:
        """Put one question to the API's newest version, and return its answer.

        Raises:
            ProviderFailure: what Twilio answered means that, or nothing did answer.
        """
        http_client = _HttpClient(self._transport, deadline)
        try:
            return question(self._open(http_client))
        except (TwilioRestException, TwilioServiceException) as error:
            failure = self._failure_for(http_client.status, error.code)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # A 2xx that is not JSON, or not what was asked for.
            failure = error_for(AMBIGUOUS, "unreadable")
        # Outside the except clauses: Twilio's message may repeat the number.
        raise failure

    def _open(self, http_client: HttpClient) -> Any:
        # One per question is how the deadline gets to its HTTP client; it is light.
        client = Client(
            self._account_sid,
            self._auth_token,
            http_client=http_client,
            environment=_NO_ENVIRONMENT,
        )
        domain = getattr(client, self._domain)
        domain.base_url = self._transport.base_url
        return domain.account if self._domain == "api" else domain.v2

    def _failure_for(self, status: int, vendor_code: object) -> ProviderFailure:
        code = read_code(vendor_code)
        known = self._failures.get(code or 0)
        if known is not None:
            return error_for(known, str(code))
        # Without a code of Twilio's, its client gives the HTTP status for one.
        return error_for_status(status, None if code == status else code)


class _HttpClient(HttpClient):  # type: ignore[misc]
    """Twilio's client's way to our transport, for one question."""

    is_async = False

    def __init__(self, transport: Transport, deadline: float) -> None:
        # Not the parent's, which wants a logger: nothing is logged here.
        self._transport = transport
        self._deadline = deadline
        self.status = 0

    def request(self, method: str, uri: str, **options: Any) -> Response:  # noqa: ARG002
        """Post; creating and updating are all that is ever asked for."""
        reply = self._transport.post(
            uri,
            form_body(options["data"]),
            headers=options["headers"],
            auth=options["auth"],
            deadline=self._deadline,
        )
        self.status = reply.status
        # Read here first, and written anew: the client's own parser recurses as deep as
        # a document is nested, and takes numbers that are none.
        document = orjson.dumps(read_object(reply.body)).decode()
        return Response(reply.status, document)
