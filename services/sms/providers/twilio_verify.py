"""Twilio Verify with a code of ours: its routes, its wording, our checks.

The service must have custom codes enabled, which Twilio does on request. Verify has no
delivery receipts.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.sms.failures import (
    ACCOUNT,
    ACCOUNT_COUNTRY,
    AMBIGUOUS,
    FRAUD,
    RECIPIENT,
    TRANSIENT_NUMBER,
    error_for,
)
from services.sms.languages import nearest
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.providers.twilio_client import COMMON_FAILURES, TwilioClient
from services.sms.transport import Transport

# https://www.twilio.com/docs/api/errors: one row per code that a start can meet.
_FAILURES: Mapping[int, Failure] = {
    **COMMON_FAILURES,
    60006: RECIPIENT,  # To is not a phone number
    60200: TRANSIENT_NUMBER,  # invalid parameter: any, and the number is one
    60202: TRANSIENT_NUMBER,  # too many checks of this number's verification
    60203: TRANSIENT_NUMBER,  # five sends to this number in ten minutes
    60204: ACCOUNT,  # custom codes are not enabled for the service
    60205: RECIPIENT,  # landline
    60212: TRANSIENT_NUMBER,  # several requests for this number at once
    60220: ACCOUNT_COUNTRY,  # China needs vetting of the text
    60223: ACCOUNT,  # channel sms is switched off for the service
    60238: ACCOUNT_COUNTRY,  # account under review, or an embargoed country
    60410: FRAUD,  # Fraud Guard blocks the prefix
    60605: FRAUD,  # geo permissions, which block destinations of fraud
}

# One that is approved, canceled or older than ten minutes cannot be found any more:
# nothing is wrong with the service's sid then.
_REPORT_FAILURES: Mapping[int, Failure] = {**_FAILURES, 20404: TRANSIENT_NUMBER}

# https://www.twilio.com/docs/verify/supported-languages: Verify answers any other with
# 404, and without one goes by the number's country.
_LOCALES = (
    "af ar ca zh zh-CN zh-HK hr cs da nl en en-GB fi fr de el he hi hu id it ja ko ms"
    " nb pl pt pt-BR ro ru es sv tl th tr vi"
)

_PENDING = "pending"


class TwilioVerifyProvider:
    """Sends through one service of Verify, whose template words the text.

    A verification lives ten minutes, however old our code is, and Twilio gives every
    send to a phone within them the same id.
    """

    name = "twilio_verify"
    channels: frozenset[Channel] = frozenset({"sms"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        service_sid: str,
    ) -> None:
        open_client = partial(
            TwilioClient,
            account_sid,
            auth_token,
            transport=transport,
            domain="verify",
        )
        self._client = open_client(failures=_FAILURES)
        self._reports = open_client(failures=_REPORT_FAILURES)
        self._service_sid = service_sid

    def send(self, message: Message, deadline: float) -> Accepted:
        """Start the verification; see ``Provider.send``."""
        return self._client.ask(partial(self._create, message), deadline)

    def report_conversion(
        self, message_id: str, *, converted: bool, deadline: float
    ) -> None:
        """End the verification; see ``ReportsConversion``. Fraud Guard learns by it."""
        status = "approved" if converted else "canceled"
        self._reports.ask(
            lambda verify: (
                verify.services(self._service_sid)
                .verifications(message_id)
                .update(status=status)
            ),
            deadline,
        )

    def _create(self, message: Message, verify: Any) -> Accepted:
        locale = nearest(message.locale, _LOCALES.split())
        created = verify.services(self._service_sid).verifications.create(
            to=message.phone.e164,
            channel="sms",
            custom_code=message.code,
            **({"locale": locale} if locale else {}),
        )
        if not (isinstance(created.sid, str) and created.sid.startswith("VE")):
            raise error_for(AMBIGUOUS, "unreadable")
        if created.status != _PENDING:
            # It ended before it began, and Twilio does not say why.
            raise error_for(TRANSIENT_NUMBER, "ended")
        return Accepted(created.sid)
