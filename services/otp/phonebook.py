"""What is known of a phone before Redis is asked: its tag, its codes, its limits."""

from collections.abc import Callable
from dataclasses import replace

from services.errors import VerificationGone
from services.otp.answers import NEXT_WHEN_GONE
from services.otp.codes import (
    CODE_DIGITS,
    Digits,
    Peppers,
    Purpose,
    VerificationId,
    derive_code,
)
from services.otp.numbers import Numbers
from services.otp.records import Attempt, PhoneLimits
from utils.crypto import mac_text, random_text
from utils.phone import PhoneNumber

_OP_BYTES = 6
# Few storefronts share a service; this only tells them apart.
_STOREFRONT_BYTES = 6


class Phonebook:
    """Reads phones and prepares requests about them. Safe to share between threads."""

    def __init__(
        self,
        *,
        numbers: Numbers,
        tag_of: Callable[[str], str],
        peppers: Peppers,
        name_key: bytes,
        limits: PhoneLimits,
    ) -> None:
        """``tag_of`` names a phone in Redis, ``name_key`` keys a storefront's name."""
        self._numbers = numbers
        self._tag_of = tag_of
        self._peppers = peppers
        self._name_key = name_key
        self.limits = limits
        # A test number costs nothing, and the tests that use it log in all day.
        self._test_limits = replace(limits, cooldowns=(), sends=())

    def read(self, text: str, country: str | None) -> tuple[PhoneNumber, str]:
        """Return the number that a text spells, and its tag.

        Raises:
            PhoneInvalid, PhoneNotSupported: no number that we send to.
        """
        phone = self._numbers.read(text, country)
        return phone, self._tag_of(phone.e164)

    def is_test(self, phone: PhoneNumber) -> bool:
        """Tell whether it is a test number: it gets no message, and no limit binds."""
        return self._numbers.test_code(phone) is not None

    def new_id(
        self, tag: str, purpose: Purpose, digits: Digits = CODE_DIGITS
    ) -> VerificationId:
        """Return the id of a new verification, whose code has so many digits.

        Test numbers have six-digit codes of their own, whatever the id says.
        """
        mark = self._peppers.mark
        return VerificationId.new(tag, purpose, mark=mark, digits=digits)

    def known(self, verification: VerificationId) -> VerificationId:
        """Return it, or where its pepper is gone one that nobody has heard of."""
        if self._peppers.find(verification.mark) is not None:
            return verification
        return self._unheard_of(verification, verification.tag)

    def find(self, verification_id: str, tag: str) -> VerificationId:
        """Return the verification that a caller names, if it can be this phone's.

        Another phone's id must take the same way, cost the same limits and get the
        same answer as an unknown one: or whoever holds a tag could find its number.

        Raises:
            VerificationGone: it cannot be one of ours.
        """
        verification = VerificationId.parse(verification_id)
        if verification is None:
            raise VerificationGone(next_step=NEXT_WHEN_GONE)
        if verification.tag == tag:
            return self.known(verification)
        return self._unheard_of(verification, tag)

    def _unheard_of(self, verification: VerificationId, tag: str) -> VerificationId:
        """Return an id of the same kind that nobody was told."""
        return self.new_id(tag, verification.purpose, verification.digits)

    def attempt(
        self, verification: VerificationId, phone: PhoneNumber, storefront: str
    ) -> Attempt:
        """Return a new request about a verification."""
        return Attempt(
            id=verification,
            op=random_text(_OP_BYTES),
            storefront=mac_text(
                self._name_key, "storefront", storefront, size=_STOREFRONT_BYTES
            ),
            limits=self._test_limits if self.is_test(phone) else self.limits,
        )

    def code_of(
        self, verification: VerificationId, phone: PhoneNumber, storefront: str
    ) -> str:
        """Return a verification's code.

        Raises:
            VerificationGone: its pepper is gone.
        """
        if code := self._numbers.test_code(phone):
            return code
        pepper = self._peppers.find(verification.mark)
        if pepper is None:
            raise VerificationGone(next_step=NEXT_WHEN_GONE)
        return derive_code(pepper, verification, storefront=storefront, e164=phone.e164)
