"""The vendors' contract: one suite for all, over HTTP, against their wire formats."""

import socket
import time
from typing import Any

import pytest

from services.sms.failures import ACCOUNT, AMBIGUOUS, TRANSIENT, TRANSIENT_COUNTRY
from services.sms.provider import (
    Ambiguous,
    Failure,
    Provider,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from services.sms.transport import Transport
from tests.services.sms.fakes import INDIAN, message_to
from tests.services.sms.posting import CLOCK, SLACK, WAIT, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.services.sms.vendors import (
    NOWHERE,
    VENDORS,
    Vendor,
    assert_shows_nothing,
    failure_from,
    failure_of,
    send,
)
from tests.simulator import Simulator

LABELLED = [(vendor, code) for vendor in VENDORS for code in vendor.failures]


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


@pytest.fixture
def provider(vendor: Vendor, simulator: Simulator) -> Provider:
    return vendor.make(make_transport(simulator.url), simulator)


# Success


def test_an_accepted_message_arrives_with_the_id_that_is_returned(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    message_id = send(provider)

    (message,) = simulator.messages(to=INDIAN.e164, provider=vendor.name)
    assert message.id == message_id
    assert message.outcome == "accepted"
    assert "123456" in message.text


def test_it_says_what_it_is(vendor: Vendor, provider: Provider) -> None:
    assert provider.name == vendor.name
    assert provider.status == "accepted"


# Errors with a label


@pytest.mark.parametrize(
    ("vendor", "code"),
    LABELLED,
    ids=[f"{vendor.name}-{code}" for vendor, code in LABELLED],
)
def test_a_labelled_error_is_raised_as_its_label_says(
    vendor: Vendor, code: int, simulator: Simulator
) -> None:
    failure = failure_from(
        vendor, simulator, vendor.word_error(code), status="400 Bad Request"
    )

    assert Failure(failure.reason, failure.scope) == vendor.failures[code]
    assert failure.vendor_code == str(code)
    assert isinstance(failure, Refused) == (
        failure.reason in {Reason.RECIPIENT, Reason.FRAUD}
    )
    assert isinstance(failure, Ambiguous) == (failure.reason is Reason.AMBIGUOUS)
    assert_shows_nothing(failure)


def test_every_error_of_the_simulator_has_a_label(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    for code in vendor.simulated:
        simulator.clear()
        simulator.add_rule("error", provider=vendor.name, code=code)

        failure = failure_of(provider)

        assert Failure(failure.reason, failure.scope) == vendor.failures[code]
        assert failure.vendor_code == str(code)


# Errors without one


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, TRANSIENT_COUNTRY),
        (401, ACCOUNT),
        (404, ACCOUNT),
        (408, TRANSIENT),
        (422, TRANSIENT_COUNTRY),
        (429, TRANSIENT),
        (500, TRANSIENT),
        (502, AMBIGUOUS),
        (503, TRANSIENT),
        (504, AMBIGUOUS),
        (599, AMBIGUOUS),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"code": []}', b"[" * 9999])
def test_an_error_without_a_code_is_judged_by_its_status(
    vendor: Vendor, simulator: Simulator, body: bytes, status: int, expected: Failure
) -> None:
    failure = failure_from(vendor, simulator, body, status=f"{status} Oops")

    assert Failure(failure.reason, failure.scope) == expected
    assert isinstance(failure, Ambiguous) == (expected is AMBIGUOUS)
    assert failure.vendor_code == f"http_{status}"


def test_an_unknown_code_keeps_its_number(vendor: Vendor, simulator: Simulator) -> None:
    failure = failure_from(
        vendor, simulator, vendor.word_error(20999), status="400 Bad Request"
    )

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.TRANSIENT, Scope.COUNTRY)
    assert failure.vendor_code == "20999"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"sid": 5, "return": 1}',
        b'{"sid": null, "return": "true"}',
        b'{"sid": "SM1", "date_created": 5}',
        b'{"sid": "SM1", "date_created": "Thu, 99 Aug 2023 05:01:45 +0000"}',
        b'{"sid": "SM1", "retu',
        b"\xff\xfe\x00",
        b"[" * 9999,
    ],
)
def test_a_yes_that_cannot_be_read_may_be_one(
    vendor: Vendor, simulator: Simulator, body: bytes
) -> None:
    failure = failure_from(vendor, simulator, body)

    assert isinstance(failure, Ambiguous)
    assert_shows_nothing(failure)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    vendor: Vendor, simulator: Simulator, status: int
) -> None:
    with RawServer(lambda _: None) as elsewhere:

        def script(sock: socket.socket) -> None:
            server.read_request(sock)
            location = f"Location: {elsewhere.url}/"
            sock.sendall(http(b"", status=f"{status} Moved", headers=(location,)))

        with RawServer(script) as server:
            failure = failure_of(vendor.make(make_transport(server.url), simulator))

    assert isinstance(failure, Unavailable)
    assert failure.reason is Reason.ACCOUNT
    assert elsewhere.connections == 0


def test_a_wrong_key_is_an_account_error(vendor: Vendor, simulator: Simulator) -> None:
    stranger = Simulator(auth_token="wrong", fast2sms_key="wrong")

    failure = failure_of(vendor.make(make_transport(simulator.url), stranger))

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.ACCOUNT, Scope.PROVIDER)
    (message,) = simulator.messages(provider=vendor.name)
    assert message.outcome == "refused"


# Bad days


@pytest.mark.parametrize(
    ("rule", "arrived"),
    [
        ({"action": "hang"}, "lost"),
        ({"action": "wait", "seconds": 30.0}, "accepted"),
        ({"action": "drip"}, "accepted"),
        ({"action": "drop_before"}, "lost"),
        ({"action": "drop_after_accepting"}, "accepted"),
        ({"action": "html_502"}, "lost"),
        ({"action": "huge"}, "lost"),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else value,
)
def test_without_an_answer_the_message_may_have_left(
    vendor: Vendor,
    provider: Provider,
    simulator: Simulator,
    rule: dict[str, Any],
    arrived: str,
) -> None:
    simulator.add_rule(provider=vendor.name, **rule)

    started = time.monotonic()
    failure = failure_of(provider)
    seconds = time.monotonic() - started

    assert isinstance(failure, Ambiguous)
    assert seconds < WAIT + SLACK
    assert [message.outcome for message in simulator.messages()] == [arrived]
    assert_shows_nothing(failure)


def test_an_answer_that_is_not_json_may_be_a_yes(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    simulator.add_rule("not_json", provider=vendor.name)

    assert isinstance(failure_of(provider), Ambiguous)


def test_the_deadline_is_held(vendor: Vendor, simulator: Simulator) -> None:
    simulator.add_rule("hang", provider=vendor.name)
    provider = vendor.make(Transport(simulator.url, clock=CLOCK), simulator)

    started = time.monotonic()
    with pytest.raises(Ambiguous):
        provider.send(message_to(), started + WAIT)

    assert time.monotonic() - started < WAIT + SLACK


def test_without_a_connection_nothing_has_left(
    vendor: Vendor, simulator: Simulator
) -> None:
    failure = failure_of(vendor.make(make_transport(NOWHERE), simulator))

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "connect"
    assert_shows_nothing(failure)


def test_it_recovers_when_the_vendor_does(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    simulator.add_rule("drop_before", provider=vendor.name, times=1)
    failure_of(provider)

    assert send(provider)
