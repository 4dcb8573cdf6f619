"""What Twilio's products share: the client over our transport, errors, signatures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qs

from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.request_validator import (  # type: ignore[import-untyped]
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.rest import Client  # type: ignore[import-untyped]

from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    CONTENT,
    RECIPIENT,
    TRANSIENT,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Failure, ProviderFailure
from services.sms.receipts import BadSignature, Callback
from services.sms.transport import Transport, form_body

Domain = Literal["api", "verify"]
T = TypeVar("T")

# https://www.twilio.com/docs/api/errors: one row per code that any product may answer.
COMMON_FAILURES: Mapping[int, Failure] = {
    10001: ACCOUNT,  # account not active
    20001: CONTENT,  # invalid parameter value
    20003: ACCOUNT,  # wrong credentials
    20004: ACCOUNT,  # wrong method: the address in our settings is wrong
    20005: ACCOUNT,  # account not active
    20008: ACCOUNT,  # test credentials
    20404: ACCOUNT,  # no such account or service: the sid in our settings is wrong
    20429: TRANSIENT,  # too many requests at once
    20500: TRANSIENT,  # internal error
    20503: TRANSIENT,  # service unavailable
    21211: RECIPIENT,  # invalid To
    21212: ACCOUNT,  # invalid From: our settings
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

_ALGORITHMS = frozenset({HMAC_SHA1, HMAC_SHA256})


class TwilioClient:
    """One account's way to one of Twilio's hosts. Safe to share between threads.

    ``failures`` are the codes that this product may answer. ``username`` is the SID of
    an API key, if ``auth_token`` is that key's secret.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        failures: Mapping[int, Failure],
        domain: Domain = "api",
        username: str | None = None,
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._username = username or account_sid
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
            self._username,
            self._auth_token,
            self._account_sid,
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


class SignedForms:
    """Reads the forms that Twilio posts to us and signs with the account's token.

    https://www.twilio.com/docs/usage/security: the signature is over the URL as it was
    given to Twilio and over every field, also over those that we do not know. An API
    key's secret does not sign.
    """

    def __init__(self, auth_token: str) -> None:
        self._validator = RequestValidator(auth_token)

    def read(self, callback: Callback) -> dict[str, str]:
        """Return the fields; the first value of a repeated one counts.

        Raises:
            BadSignature: Twilio did not sign this, or not with this token.
        """
        text = callback.body.decode(errors="replace")
        form = _Form(parse_qs(text, keep_blank_values=True))
        settings = callback.headers.get(SIGNATURE_SETTINGS_HEADER.lower(), "")
        algorithm = get_signature_algorithm(settings).upper()
        signature = callback.headers.get(SIGNATURE_HEADER.lower(), "")
        # The validator would log the name of an algorithm that it does not know.
        if algorithm not in _ALGORITHMS or not self._validator.validate(
            callback.url, form, signature, algorithm
        ):
            raise BadSignature
        return {name: values[0] for name, values in form.items()}


class _Form(dict[str, Sequence[str]]):
    """What the validator asks for the values of a repeated field."""

    def getlist(self, name: str) -> Sequence[str]:
        return self[name]


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
        return Response(reply.status, reply.body.decode(errors="replace"))
