"""What every vendor shares: messages and failures that show nothing."""

from services.sms.failures import ACCOUNT, error_for
from tests.services.sms.fakes import message_to


def test_a_message_shows_no_number_code_or_text() -> None:
    assert repr(message_to()) == "Message(sms, PhoneNumber(+91********10))"


def test_a_failure_shows_its_reason_and_the_vendors_code() -> None:
    assert str(error_for(ACCOUNT, "20003")) == "account (20003)"
