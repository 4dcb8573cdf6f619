"""Tells the phone that was an account's that another one is now.

NIST SP 800-63B 6.1.2.1 and OWASP ASVS 6.3.7 want it: whoever took an account over by
its number would otherwise do so in silence.
"""

from collections.abc import Collection
from functools import partial

from services.background import Background
from services.errors import AuthError, StoreUnavailable
from services.events import Emit, NoticeSent
from services.otp.admission import Admission, Admitted
from services.otp.phonebook import Phonebook
from services.sms.outgoing import NotDelivered, Notice
from services.sms.provider import Refused
from services.sms.service import SmsService
from utils.crypto import random_text
from utils.phone import PhoneNumber

_REFERENCE_BYTES = 16

# As many digits as a masked number shows.
_ENDING_DIGITS = 2

_NOBODY = "none"


class NumberNotices:
    """Sends notices, best effort. Safe to share between threads."""

    def __init__(
        self,
        *,
        sms: SmsService,
        carriers: Collection[str],
        admission: Admission,
        phonebook: Phonebook,
        background: Background,
        emit: Emit,
    ) -> None:
        """``carriers`` are the vendors that send whatever text they are given."""
        self._sms = sms
        self._carriers = frozenset(carriers)
        self._admission = admission
        self._phonebook = phonebook
        self._background = background
        self._emit = emit

    def number_changed(self, old: str, new: str) -> None:
        """Tell the phone ``old`` (E.164), soon and elsewhere, how ``new`` ends."""
        self._background.submit(partial(self._tell, old, new[-_ENDING_DIGITS:]))

    def _tell(self, e164: str, ending: str) -> None:
        try:
            phone, tag = self._phonebook.read(e164, None)
        except AuthError:
            # Its country was taken off the list since it logged in.
            self._emit(NoticeSent("", _NOBODY, "not_supported"))
            return
        provider, outcome = self._send(phone, tag, ending)
        self._emit(NoticeSent(phone.region, provider, outcome))

    def _send(self, phone: PhoneNumber, tag: str, ending: str) -> tuple[str, str]:
        """Send it; return who took it, and what came of it."""
        if self._phonebook.is_test(phone):
            return _NOBODY, "test"
        order = [
            name
            for name in self._sms.candidates("sms", phone)
            if name in self._carriers
        ]
        notice = Notice(phone, ending, random_text(_REFERENCE_BYTES))
        admitted = None
        try:
            admitted = self._admission.notice(phone, tag, order)
            if admitted is None:
                return _NOBODY, "limited"
            sent = self._sms.notify(notice, order=order, deadline=self._sms.deadline())
        except StoreUnavailable:
            return _NOBODY, "store_unavailable"
        except (Refused, NotDelivered) as failure:
            self._settle(admitted, failure.billed)
            return _NOBODY, failure.reason or "nobody_to_ask"
        self._settle(admitted, sent.billed)
        return sent.provider, "accepted"

    def _settle(self, admitted: Admitted | None, billed: Collection[str]) -> None:
        self._admission.settle(admitted, [(it, "sms") for it in billed])
