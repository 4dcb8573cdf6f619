"""Tells a phone that its account has another number now."""

from collections.abc import Sequence

from services.sms.outgoing import Delivery, NotDelivered, Notice
from services.sms.provider import Ambiguous, Message, Reason, Unavailable
from services.sms.senders import Senders
from services.sms.templates import Templates
from services.sms.vendor_calls import VendorCalls

# A notice is as good tomorrow; this is as long as every vendor will try.
_NOTICE_SECONDS = 3600


class Notices:
    """Sends notices. Safe to share between threads."""

    def __init__(
        self, calls: VendorCalls, *, senders: Senders, templates: Templates
    ) -> None:
        self._calls = calls
        self._senders = senders
        self._templates = templates

    def send(
        self, notice: Notice, *, order: Sequence[str], deadline: float
    ) -> Delivery:
        """Hand a notice to the first of ``order`` that can and will take it.

        By SMS. It says nothing of a vendor's health: nobody types a code from it.

        Raises:
            Refused: the phone or fraud; the others were not asked and must not be.
            NotDelivered: none took it.
        """
        region = notice.phone.region
        reason: Reason | None = None
        may_have_left = False
        for provider in self._calls.in_order(order, region):
            message = self._write(provider.name, notice)
            if message is None or not self._calls.allow(provider.name, region):
                continue
            try:
                accepted, _ = self._calls.hand_over(provider, message, deadline)
            except (Unavailable, Ambiguous) as failure:
                reason = failure.reason
                may_have_left = may_have_left or failure.may_have_left
            else:
                return Delivery(
                    provider.name, "sms", provider.status, accepted.message_id
                )
        raise NotDelivered(
            reason=reason,
            may_have_left=may_have_left,
            of_message=False,
            retry_after_seconds=self._calls.retry_after(order, region),
        )

    def _write(self, name: str, notice: Notice) -> Message | None:
        phone = notice.phone
        text = self._templates.render_notice(
            notice.ending, vendor=name, region=phone.region
        )
        if text is None:
            return None
        return Message(
            phone=phone,
            code="",
            text=text.text,
            ttl_seconds=_NOTICE_SECONDS,
            locale=text.locale,
            sender=self._senders.pick(name, phone, 0),
            dlt=text.dlt,
            reference=notice.reference,
        )
