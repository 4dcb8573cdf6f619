"""Twilio Programmable Voice: a call that reads the code out, digit by digit."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from twilio.twiml.voice_response import VoiceResponse  # type: ignore[import-untyped]

from services.sms.failures import (
    ABSENT,
    ACCOUNT,
    ACCOUNT_COUNTRY,
    ACCOUNT_NUMBER,
    AMBIGUOUS,
    FRAUD,
    RECIPIENT,
    TRANSIENT,
    TRANSIENT_COUNTRY,
    TRANSIENT_NUMBER,
    error_for,
)
from services.sms.provider import Accepted, Channel, Failure, Message
from services.sms.providers.twilio_client import (
    COMMON_FAILURES,
    TwilioClient,
)
from services.sms.providers.twilio_signature import SignedForms
from services.sms.receipts import Callback, DeliveryStatus, Receipt
from services.sms.transport import Transport
from services.sms.voice_phrases import phrases_for

# https://www.twilio.com/docs/api/errors: one row per code that a call can meet.
_FAILURES: Mapping[int, Failure] = {
    **COMMON_FAILURES,
    10004: TRANSIENT,  # too many calls at once
    10005: ACCOUNT,  # voice is switched off for this account
    13223: RECIPIENT,  # To is not in a number's format
    13224: RECIPIENT,  # To is not a number that can be called
    13225: FRAUD,  # To is on Twilio's list of forbidden numbers
    13226: RECIPIENT,  # To has no such country code
    13227: TRANSIENT_NUMBER,  # calling this country or prefix is not switched on
    21201: ACCOUNT_COUNTRY,  # no To
    21202: RECIPIENT,  # To is a premium number
    21203: ACCOUNT_COUNTRY,  # international calling is not switched on
    21210: ACCOUNT_COUNTRY,  # From is neither ours nor verified
    21213: ACCOUNT_COUNTRY,  # no From
    21215: TRANSIENT_NUMBER,  # calling this country or prefix is not switched on
    21216: FRAUD,  # Twilio blocks To: high risk of fraud, or the law
}

# Under +1 it is as often our account, which calls nobody there without a customer
# profile. Twilio does not say which it is: nothing is held against the country.
_NANP_FAILURES: Mapping[int, Failure] = {**_FAILURES, 21216: ACCOUNT_NUMBER}
_NANP_CODE = 1

# https://www.twilio.com/docs/voice/api/call-resource#call-status-values
_STATUSES: Mapping[str, DeliveryStatus] = {
    "queued": "accepted",
    "initiated": "accepted",
    "ringing": "sent",
    "in-progress": "sent",
    "answered": "sent",
    "completed": "delivered",
}
_DEAD: Mapping[str, Failure] = {
    "busy": ABSENT,
    "no-answer": ABSENT,
    "failed": TRANSIENT_COUNTRY,  # could not be connected
    "canceled": TRANSIENT_COUNTRY,  # ended from our account before it was answered
}

_TIMES = 3

# Twilio suggests 15 where no answering machine shall pick up: a code in a mailbox is
# open to whoever guesses the mailbox's PIN. Somebody has to find the phone, too.
_RING_SECONDS = 20


class TwilioVoiceProvider:
    """Calls from ``caller``, a number of ours in E.164, in the person's language.

    A sender that is a name counts for texts only: nothing but a number can call.
    """

    name = "twilio_voice"
    channels: frozenset[Channel] = frozenset({"voice"})
    countries = None
    status = "accepted"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        transport: Transport,
        caller: str,
        brand: str,
        status_callback: str | None = None,
    ) -> None:
        open_client = partial(
            TwilioClient, account_sid, auth_token, transport=transport
        )
        self._client = open_client(failures=_FAILURES)
        self._nanp_client = open_client(failures=_NANP_FAILURES)
        self._caller = caller
        self._brand = brand
        # Without a choice of events there is one receipt, at the end of the call.
        self._callback = {"status_callback": status_callback} if status_callback else {}

    def send(self, message: Message, deadline: float) -> Accepted:
        """Start the call; see ``Provider.send``."""
        nanp = message.phone.country_code == _NANP_CODE
        client = self._nanp_client if nanp else self._client
        return client.ask(partial(self._create, message), deadline)

    def _create(self, message: Message, account: Any) -> Accepted:
        sender = message.sender or ""
        created = account.calls.create(
            to=message.phone.e164,
            from_=sender if sender.startswith("+") else self._caller,
            twiml=read_out(message.code, locale=message.locale, brand=self._brand),
            timeout=_RING_SECONDS,
            **self._callback,
        )
        if isinstance(created.status, str) and created.status in _DEAD:
            raise error_for(_DEAD[created.status], created.status)
        if not (isinstance(created.sid, str) and created.sid.startswith("CA")):
            raise error_for(AMBIGUOUS, "unreadable")
        return Accepted(created.sid)


class TwilioVoiceReceipts:
    """Reads Twilio's status callbacks about calls.

    https://www.twilio.com/docs/voice/api/call-resource#statuscallback
    """

    def __init__(self, auth_token: str) -> None:
        self._forms = SignedForms(auth_token)

    def read(self, callback: Callback) -> Sequence[Receipt]:
        """Return what Twilio says; see ``ReceiptReader.read``."""
        form = self._forms.read(callback)
        message_id, word = form.get("CallSid"), form.get("CallStatus", "")
        if not message_id:
            return ()
        if word in _DEAD:
            return (Receipt(message_id, "undelivered", _DEAD[word], word),)
        return (Receipt(message_id, _STATUSES.get(word, "unknown")),)


def read_out(code: str, *, locale: str, brand: str) -> str:
    """Write the TwiML of a call: the code three times, with a second after each digit.

    https://www.twilio.com/docs/voice/twiml: a document of at most 4000 characters.
    """
    phrases = phrases_for(locale)
    response = VoiceResponse()
    say = partial(response.say, language=phrases.language, voice=phrases.voice)
    # The phone has yet to get to the ear.
    response.pause(length=1)
    for turn in range(_TIMES):
        say(phrases.again if turn else phrases.intro.format(brand=brand))
        for digit in code:
            say(digit)
            response.pause(length=1)
    say(phrases.goodbye)
    return str(response)
