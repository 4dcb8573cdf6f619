"""Twilio Programmable Messaging, through Twilio's own client over our transport."""

from typing import Any

from twilio.base.exceptions import (  # type: ignore[import-untyped]
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import HttpClient  # type: ignore[import-untyped]
from twilio.http.response import Response  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    CONTENT,
    FRAUD,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    error_for,
    error_for_status,
    read_code,
)
from services.sms.provider import Accepted, Failure, Message, ProviderFailure
from services.sms.transport import Transport

BASE_URL = "https://api.twilio.com"

# https://www.twilio.com/docs/api/errors: one row per code that this request can meet.
# 30xxx usually come in a delivery receipt, some at once.
_FAILURES: dict[int, Failure] = {
    10001: ACCOUNT,  # account not active
    14107: TRANSIENT_NUMBER,  # too many between these two numbers
    20001: CONTENT,  # invalid parameter value
    20003: ACCOUNT,  # wrong credentials
    20004: ACCOUNT,  # wrong method: the address in our settings is wrong
    20005: ACCOUNT,  # account not active
    20008: ACCOUNT,  # test credentials
    20404: ACCOUNT,  # no such account: the sid in our settings is wrong
    20429: TRANSIENT,  # too many requests at once
    20500: TRANSIENT,  # internal error
    20503: TRANSIENT,  # service unavailable
    21211: RECIPIENT,  # invalid To
    21212: ACCOUNT,  # invalid From: our settings
    21214: RECIPIENT,  # To cannot be reached
    21217: RECIPIENT,  # To is not a phone number
    21219: ACCOUNT,  # trial account: To is not verified
    21265: RECIPIENT,  # To is a short code
    21266: RECIPIENT,  # To is our own From: anybody may ask for that one
    21408: ACCOUNT_COUNTRY,  # sending to this region is not switched on
    21602: CONTENT,  # no body
    21603: ACCOUNT_COUNTRY,  # no From and no Messaging Service
    21604: ACCOUNT_COUNTRY,  # no To
    21606: ACCOUNT_COUNTRY,  # From cannot send there
    21607: ACCOUNT,  # trial account: From is not its own
    21608: ACCOUNT,  # trial account: To is not verified
    21609: ACCOUNT,  # the StatusCallback URL in our settings is invalid
    21610: RECIPIENT,  # answered STOP: not to be circumvented by another route
    21611: TRANSIENT,  # the queue of From is full
    21612: TRANSIENT_NUMBER,  # no route from From to this To
    21614: RECIPIENT,  # not a mobile
    21617: CONTENT,  # body too long
    21618: CONTENT,  # body blocked
    21619: CONTENT,  # no body
    21635: RECIPIENT,  # landline
    21659: ACCOUNT_COUNTRY,  # From is not ours, or not for this country
    21660: ACCOUNT_COUNTRY,  # From belongs to another account
    21703: ACCOUNT_COUNTRY,  # the Messaging Service has no sender
    21704: ACCOUNT_COUNTRY,  # the Messaging Service has no sender for this country
    21705: ACCOUNT_COUNTRY,  # no such Messaging Service
    30001: TRANSIENT,  # queue overflow
    30002: ACCOUNT,  # account suspended
    30003: RECIPIENT,  # handset off or out of reach
    30004: RECIPIENT,  # blocked by the recipient or the carrier
    30005: RECIPIENT,  # number unknown or no longer in use
    30006: RECIPIENT,  # landline, or a carrier that cannot be reached
    30007: CONTENT,  # filtered
    30008: TRANSIENT_COUNTRY,  # unknown error at the carrier
    30017: TRANSIENT_COUNTRY,  # carrier congested
    30018: ACCOUNT_COUNTRY,  # sender id not registered
    30022: TRANSIENT_COUNTRY,  # US A2P: rate exceeded
    30023: TRANSIENT_COUNTRY,  # US A2P: daily cap of the campaign
    30024: ACCOUNT_COUNTRY,  # numeric sender not provisioned at the carrier
    30027: TRANSIENT_COUNTRY,  # US A2P: daily cap of the brand
    30032: ACCOUNT_COUNTRY,  # toll-free number not verified
    30034: ACCOUNT_COUNTRY,  # US A2P: number not registered
    30410: TRANSIENT_COUNTRY,  # timeout at the carrier
    30450: FRAUD,  # SMS Pumping Protection
    60410: FRAUD,  # Fraud Guard blocks the prefix
    60605: FRAUD,  # geo permissions of Verify, which block destinations of fraud
}

# Statuses of a message that was created and will not be sent.
_DEAD = frozenset({"failed", "undelivered", "canceled"})

# Twilio takes 1 to 36000 and recommends more than 5.
_MIN_VALIDITY_SECONDS, _MAX_VALIDITY_SECONDS = 6, 36_000

# The client would fall back on the environment, whose TWILIO_REGION and TWILIO_EDGE
# rewrite the host; an empty mapping counts as none.
_NO_ENVIRONMENT = {"TWILIO_REGION": "", "TWILIO_EDGE": ""}


class TwilioProvider:
    """Sends through Twilio, from ``sender`` or from a Messaging Service.

    With both, ``sender`` is to be one of the service's pool.
    ``username`` is the SID of an API key, if ``auth_token`` is that key's secret. Risk
    checks and retention stay as the account has them.
    """

    name = "twilio"
    countries = None
    status = "accepted"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        sender: str | None = None,
        messaging_service_sid: str | None = None,
        status_callback: str | None = None,
        username: str | None = None,
    ) -> None:
        if not (sender or messaging_service_sid):
            raise ValueError("Twilio needs a sender or a Messaging Service")
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._username = username or account_sid
        self._transport = transport
        self._options = {
            name: value
            for name, value in (
                ("from_", sender),
                ("messaging_service_sid", messaging_service_sid),
                ("status_callback", status_callback),
            )
            if value
        }

    def send(self, message: Message, deadline: float) -> Accepted:
        """Hand the message over; see ``Provider.send``."""
        http_client = _HttpClient(self._transport, deadline)
        try:
            return self._create(message, http_client)
        except (TwilioRestException, TwilioServiceException) as error:
            failure = _failure_for(http_client.status, error.code)
        except (ValueError, TypeError, AttributeError, RecursionError):
            # A 2xx that is not JSON, or not a message.
            failure = error_for(AMBIGUOUS, "unreadable")
        # Outside the except clauses: Twilio's message may repeat the number.
        raise failure

    def _create(self, message: Message, http_client: HttpClient) -> Accepted:
        # A client per send is how the deadline gets to its HTTP client; it is light.
        client = Client(
            self._username,
            self._auth_token,
            self._account_sid,
            http_client=http_client,
            environment=_NO_ENVIRONMENT,
        )
        client.api.base_url = self._transport.base_url
        validity = max(message.ttl_seconds, _MIN_VALIDITY_SECONDS)
        created = client.messages.create(
            to=message.phone.e164,
            body=message.text,
            validity_period=min(validity, _MAX_VALIDITY_SECONDS),
            **self._options,
        )
        if created.status in _DEAD or created.error_code:
            code = read_code(created.error_code)
            known = _FAILURES.get(code or 0, TRANSIENT_COUNTRY)
            raise error_for(known, str(code or created.status))
        if not isinstance(created.sid, str):
            raise error_for(AMBIGUOUS, "unreadable")
        return Accepted(created.sid)


def _failure_for(status: int, vendor_code: object) -> ProviderFailure:
    code = read_code(vendor_code)
    known = _FAILURES.get(code or 0)
    if known is not None:
        return error_for(known, str(code))
    # Without a code of Twilio's, its client gives the HTTP status for one.
    return error_for_status(status, None if code == status else code)


class _HttpClient(HttpClient):  # type: ignore[misc]
    """Twilio's client's way to our transport, for one send."""

    is_async = False

    def __init__(self, transport: Transport, deadline: float) -> None:
        # Not the parent's, which wants a logger: nothing is logged here.
        self._transport = transport
        self._deadline = deadline
        self.status = 0

    def request(self, method: str, uri: str, **options: Any) -> Response:  # noqa: ARG002
        """Post; creating a message is all that is ever asked for."""
        reply = self._transport.post(
            uri,
            data=options["data"],
            headers=options["headers"],
            auth=options["auth"],
            deadline=self._deadline,
        )
        self.status = reply.status
        return Response(reply.status, reply.body.decode(errors="replace"))
