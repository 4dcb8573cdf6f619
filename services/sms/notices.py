"""Writes notices as each vendor needs them, and hands them over."""

from collections.abc import Sequence

from services.sms.outgoing import Delivery, Notice
from services.sms.provider import Message, Provider
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
        messages = {
            name: message
            for name in order
            if (message := self._write(name, notice)) is not None
        }

        def ask(provider: Provider) -> Delivery:
            message = messages[provider.name]
            accepted, _ = self._calls.hand_over(provider, message, deadline)
            return Delivery(provider.name, "sms", provider.status, accepted.message_id)

        return self._calls.first_that_takes(
            list(messages), notice.phone.region, ask, deadline=deadline
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
