"""Hands a planned send to SMS, and puts right in the store what went otherwise."""

from contextlib import suppress
from dataclasses import dataclass, replace

from services.abuse.guard import Room
from services.errors import (
    AuthError,
    DeliveryUnavailable,
    PhoneNotSupported,
    RecipientUnreachable,
    StoreUnavailable,
    Turn,
)
from services.events import DeliveryFailed, Emit
from services.otp.answers import NEXT_WHEN_GONE, next_after
from services.otp.store import Attempt, OtpStore, Record
from services.sms.provider import Message, Reason, Refused
from services.sms.service import NotDelivered, SmsService
from services.sms.templates import Templates
from utils.crypto import fingerprint
from utils.phone import PhoneNumber


@dataclass(frozen=True, slots=True)
class Planned:
    """A send that the store has counted: who gets what, and who is to try first."""

    attempt: Attempt
    record: Record
    phone: PhoneNumber
    room: Room


class CodeSender:
    """Sends codes by SMS. Safe to share between threads."""

    def __init__(
        self, *, store: OtpStore, sms: SmsService, templates: Templates, emit: Emit
    ) -> None:
        self._store = store
        self._sms = sms
        self._templates = templates
        self._emit = emit

    def send(self, planned: Planned, code: str) -> Record:
        """Send, and return the record as it stands after that.

        Raises:
            RecipientUnreachable, PhoneNotSupported, DeliveryUnavailable: nothing was
                accepted, and a verification that never had a message is removed.
        """
        record, attempt = planned.record, planned.attempt
        message = Message(
            phone=planned.phone,
            code=code,
            text=self._templates.render(
                code, purpose=attempt.id.purpose, ttl_seconds=record.expires_in
            ),
            ttl_seconds=record.expires_in,
        )
        try:
            delivery = self._sms.send(message, first=record.provider)
        except (Refused, NotDelivered) as failure:
            raise self._undelivered(planned, failure) from failure
        if delivery.provider != record.provider:
            # The message is out: an error now would be the greater lie. What is lost
            # with the store is which provider a resend had better avoid.
            with suppress(StoreUnavailable):
                self._store.settle(attempt, sent=(delivery.provider, delivery.status))
        record.provider, record.delivery = delivery.provider, delivery.status
        return record

    def _undelivered(
        self, planned: Planned, failure: Refused | NotDelivered
    ) -> AuthError:
        """Undo what the start took, as far as the failure allows, and say why.

        An outage costs the person nothing. A text that may have left stays counted, or
        a vendor that is silent after sending could be made to flood a phone. So does
        what a vendor has against the number: no breaker would ever end the asking.
        """
        about_number = isinstance(failure, Refused) or failure.of_number
        keep_count = about_number or failure.may_have_left
        self._emit(
            DeliveryFailed(
                phone_tag=planned.attempt.id.tag,
                verification=fingerprint(str(planned.attempt.id)),
                country=planned.phone.region,
                reason=failure.reason or "no_provider",
                budget_returned=not keep_count,
            )
        )
        next_step = NEXT_WHEN_GONE
        # Without the store the start stays counted; why nothing was sent stays true.
        with suppress(StoreUnavailable):
            record = self._store.settle(
                planned.attempt, keep_count=keep_count, keep_cooldown=about_number
            )
            next_step = next_after(record, planned.room)
        if isinstance(failure, NotDelivered):
            wait = max(failure.retry_after_seconds, next_step.sms.retry_in or 0)
            next_step = replace(next_step, sms=Turn(allowed=True, retry_in=wait))
            outage = DeliveryUnavailable(retry_after=wait, next_step=next_step)
            outage.budget_returned = not keep_count
            return outage
        next_step = replace(next_step, sms=Turn(allowed=False, retry_in=None))
        if failure.reason is Reason.FRAUD:
            return PhoneNotSupported(next_step=next_step)
        return RecipientUnreachable(next_step=next_step)
