"""Fast2SMS alone: its routes, its one country and its ways to say no."""

import pytest

from services.sms.provider import Reason, Refused, Scope, Unavailable
from services.sms.providers.fast2sms import Fast2SmsProvider
from tests.services.sms.fakes import GERMAN
from tests.services.sms.posting import make_transport
from tests.services.sms.vendors import (
    FAST2SMS,
    NOWHERE,
    failure_from,
    failure_of,
    make_fast2sms,
    send,
)
from tests.simulator import Simulator


def test_fast2sms_gets_the_ten_national_digits_and_its_own_wording(
    simulator: Simulator,
) -> None:
    send(make_fast2sms(make_transport(simulator.url), simulator))

    (message,) = simulator.messages()
    assert message.params == {
        "route": "otp",
        "numbers": "9876543210",
        "flash": "0",
        "variables_values": "123456",
    }


def test_fast2sms_fills_the_registered_template(simulator: Simulator) -> None:
    send(
        Fast2SmsProvider(
            simulator.fast2sms_key,
            transport=make_transport(simulator.url),
            route="dlt",
            sender_id="QKCART",
            message_id="111111",
        ),
        ttl_seconds=299,
    )

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.params["sender_id"] == "QKCART"
    assert message.params["message"] == "111111"
    assert message.params["variables_values"] == "123456|4"


def test_fast2sms_sends_our_own_text_on_the_quick_route(simulator: Simulator) -> None:
    send(
        Fast2SmsProvider(
            simulator.fast2sms_key, transport=make_transport(simulator.url), route="q"
        )
    )

    (message,) = simulator.messages()
    assert message.outcome == "accepted"
    assert message.text == "123456 is your QuickCart code."
    assert message.params["language"] == "english"


def test_fast2sms_route_dlt_needs_its_registration() -> None:
    with pytest.raises(ValueError, match="dlt"):
        Fast2SmsProvider("key", transport=make_transport(NOWHERE), route="dlt")


def test_fast2sms_refuses_other_countries_without_asking(simulator: Simulator) -> None:
    provider = make_fast2sms(make_transport(simulator.url), simulator)

    assert isinstance(failure_of(provider, GERMAN), Refused)
    assert simulator.messages() == []


@pytest.mark.parametrize("code", [411, "411"], ids=["number", "text"])
def test_fast2sms_says_no_under_200_too(simulator: Simulator, code: object) -> None:
    body = {"return": False, "status_code": code, "message": "Invalid Numbers"}
    failure = failure_from(FAST2SMS, simulator, body)

    assert isinstance(failure, Refused)


def test_fast2sms_saying_no_without_a_reason_is_no_yes(simulator: Simulator) -> None:
    failure = failure_from(FAST2SMS, simulator, {"return": False})

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.TRANSIENT, Scope.COUNTRY)


def test_a_server_error_at_fast2sms_is_not_its_dlt_error_500(
    simulator: Simulator,
) -> None:
    body = {"return": False, "status_code": 500, "message": "Server Error"}
    failure = failure_from(FAST2SMS, simulator, body, status="500 Oops")

    assert failure.reason is Reason.TRANSIENT
