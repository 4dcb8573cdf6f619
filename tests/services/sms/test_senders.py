"""Whose name a message comes in."""

from services.sms.senders import Senders
from tests.services.sms.fakes import GERMAN, INDIAN
from utils.phone import PhoneNumber

AMERICAN = PhoneNumber("+12125550123", "US", 1)
JAMAICAN = PhoneNumber("+18765550123", "JM", 1)

SENDERS = Senders(
    [
        ("twilio", "+1", ("+15005550006", "+15005550007")),
        ("twilio", "", ("QuickCart",)),
        ("vonage", "", ("QuickCart", "56789")),
        ("plivo", "+4915", ("MOBILE",)),
        ("plivo", "+49", ("GERMANY",)),
    ]
)


def test_the_longest_prefix_of_the_vendor_counts() -> None:
    assert SENDERS.of("twilio", AMERICAN) == ("+15005550006", "+15005550007")
    assert SENDERS.of("twilio", GERMAN) == ("QuickCart",)
    assert SENDERS.of("plivo", GERMAN) == ("MOBILE",)


def test_where_nothing_is_said_the_vendors_own_setting_counts() -> None:
    assert SENDERS.of("plivo", INDIAN) == ()
    assert SENDERS.of("infobip", INDIAN) == ()
    assert SENDERS.pick("infobip", INDIAN, 0) is None


def test_a_name_for_everywhere_does_not_go_where_names_cannot_send() -> None:
    assert SENDERS.of("vonage", AMERICAN) == ("56789",)
    assert SENDERS.of("vonage", JAMAICAN) == ("QuickCart", "56789")


def test_a_resend_by_the_same_vendor_comes_from_the_next_sender() -> None:
    picked = [SENDERS.pick("twilio", AMERICAN, turn) for turn in range(3)]

    assert picked == ["+15005550006", "+15005550007", "+15005550006"]
