"""The vendors' contract: one suite for all, over HTTP, against their wire formats."""

import socket
import time
from dataclasses import replace
from typing import Any

import pytest

from services.sms.failures import ACCOUNT, AMBIGUOUS, TRANSIENT, UNCLEAR
from services.sms.provider import (
    Ambiguous,
    Failure,
    Provider,
    Reason,
    Refused,
    Scope,
    Unavailable,
)
from services.sms.transport import HttpTransport
from tests.services.sms.contract.all import VENDORS
from tests.services.sms.contract.vendor import (
    NOWHERE,
    Vendor,
    answering,
    assert_shows_nothing,
    failure_from,
    failure_of,
    send,
)
from tests.services.sms.fakes import message_to
from tests.services.sms.posting import CLOCK, SLACK, WAIT, make_transport
from tests.services.sms.raw_server import RawServer, http
from tests.simulator import Simulator
from tests.simulator.inbox import Code

# A dozen vendors wait for what never comes.
BRIEF = 0.25

LABELLED = [(vendor, code) for vendor in VENDORS for code in vendor.failures]
WORDED = [vendor for vendor in VENDORS if not vendor.any_yes]
TERSE = [vendor for vendor in VENDORS if vendor.any_yes]
UNREADABLE = [
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
]


@pytest.fixture(params=VENDORS, ids=lambda vendor: vendor.name)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = request.param
    return found


@pytest.fixture
def provider(vendor: Vendor, simulator: Simulator) -> Provider:
    return vendor.make(make_transport(simulator.url + vendor.base_path))


@pytest.fixture
def impatient(vendor: Vendor, simulator: Simulator) -> Provider:
    url = simulator.url + vendor.base_path
    return vendor.make(make_transport(url, wait_seconds=BRIEF))


# Success


def test_an_accepted_message_arrives_with_the_id_that_is_returned(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    message_id = send(provider, vendor.phone)

    (message,) = simulator.messages(to=vendor.phone.e164, provider=vendor.name)
    assert message.id == message_id
    assert message.outcome == "accepted"
    assert "123456" in message.text


def test_a_code_of_eight_digits_arrives_whole(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    # As codes are while so many are guessed; leading zeros are part of it.
    (channel, *_) = provider.channels
    usual = message_to(vendor.phone, channel=channel)
    long = replace(usual, code="01234567", text="01234567 is your QuickCart code.")

    provider.send(long, CLOCK.monotonic() + WAIT)

    (message,) = simulator.messages(to=vendor.phone.e164, provider=vendor.name)
    assert message.outcome == "accepted"
    assert "01234567" in message.text


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
    vendor: Vendor, code: Code
) -> None:
    status, body = vendor.word_error(code)
    failure = failure_from(vendor, body, status=status)

    assert Failure(failure.reason, failure.scope) == vendor.failures[code]
    assert failure.vendor_code == str(code)
    assert isinstance(failure, Refused) == (
        failure.reason
        in {Reason.RECIPIENT, Reason.ABSENT, Reason.OPTED_OUT, Reason.FRAUD}
    )
    assert isinstance(failure, Ambiguous) == (failure.reason is Reason.AMBIGUOUS)
    assert_shows_nothing(failure)


def test_every_error_of_the_simulator_has_a_label(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    for code in vendor.simulated:
        simulator.clear()
        simulator.add_rule("error", provider=vendor.name, code=code)

        failure = failure_of(provider, vendor.phone)

        assert Failure(failure.reason, failure.scope) == vendor.failures[code]
        assert failure.vendor_code == str(code)


# Errors without one


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, UNCLEAR),
        (401, ACCOUNT),
        (404, ACCOUNT),
        (408, TRANSIENT),
        (422, UNCLEAR),
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
    vendor: Vendor, body: bytes, status: int, expected: Failure
) -> None:
    failure = failure_from(vendor, body, status=f"{status} Oops")

    assert Failure(failure.reason, failure.scope) == expected
    assert isinstance(failure, Ambiguous) == (expected is AMBIGUOUS)
    assert failure.vendor_code == f"http_{status}"


@pytest.mark.parametrize(
    "vendor", [it for it in VENDORS if it.unknown_code], ids=lambda vendor: vendor.name
)
def test_an_unknown_code_is_kept_and_fails_over(vendor: Vendor) -> None:
    status, body = vendor.word_error(vendor.unknown_code)
    failure = failure_from(vendor, body, status=status)

    assert isinstance(failure, Unavailable)
    assert (failure.reason, failure.scope) == (Reason.TRANSIENT, Scope.UNKNOWN)
    assert failure.vendor_code == str(vendor.unknown_code)


@pytest.mark.parametrize("vendor", WORDED, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("body", UNREADABLE)
def test_a_yes_that_cannot_be_read_may_be_one(vendor: Vendor, body: bytes) -> None:
    failure = failure_from(vendor, body)

    assert isinstance(failure, Ambiguous)
    assert_shows_nothing(failure)


@pytest.mark.parametrize("vendor", TERSE, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("body", UNREADABLE)
def test_a_yes_in_any_words_is_one(vendor: Vendor, body: bytes) -> None:
    with answering(vendor, body) as provider:
        assert send(provider, vendor.phone) == message_to().reference


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(vendor: Vendor, status: int) -> None:
    with RawServer(lambda _: None) as elsewhere:

        def script(sock: socket.socket) -> None:
            server.read_request(sock)
            location = f"Location: {elsewhere.url}/"
            sock.sendall(http(b"", status=f"{status} Moved", headers=(location,)))

        with RawServer(script) as server:
            failure = failure_of(vendor.make(make_transport(server.url)), vendor.phone)

    assert isinstance(failure, Unavailable)
    assert failure.reason is Reason.ACCOUNT
    assert elsewhere.connections == 0


def test_a_wrong_key_is_an_account_error(vendor: Vendor, simulator: Simulator) -> None:
    transport = make_transport(simulator.url + vendor.base_path)

    failure = failure_of(vendor.make_stranger(transport), vendor.phone)

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
    impatient: Provider,
    simulator: Simulator,
    rule: dict[str, Any],
    arrived: str,
) -> None:
    simulator.add_rule(provider=vendor.name, **rule)

    started = time.monotonic()
    failure = failure_of(impatient, vendor.phone)
    seconds = time.monotonic() - started

    assert isinstance(failure, Ambiguous)
    assert seconds < BRIEF + SLACK
    assert [message.outcome for message in simulator.messages()] == [arrived]
    assert_shows_nothing(failure)


@pytest.mark.parametrize("vendor", WORDED, ids=lambda vendor: vendor.name)
def test_an_answer_that_is_not_json_may_be_a_yes(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    simulator.add_rule("not_json", provider=vendor.name)

    assert isinstance(failure_of(provider, vendor.phone), Ambiguous)


def test_the_deadline_is_held(vendor: Vendor, simulator: Simulator) -> None:
    simulator.add_rule("hang", provider=vendor.name)
    url = simulator.url + vendor.base_path
    provider = vendor.make(HttpTransport(url, clock=CLOCK))

    started = time.monotonic()
    with pytest.raises(Ambiguous):
        provider.send(message_to(vendor.phone, channel=vendor.channel), started + WAIT)

    assert time.monotonic() - started < WAIT + SLACK


def test_without_a_connection_nothing_has_left(vendor: Vendor) -> None:
    failure = failure_of(vendor.make(make_transport(NOWHERE)), vendor.phone)

    assert isinstance(failure, Unavailable)
    assert failure.vendor_code == "connect"
    assert_shows_nothing(failure)


def test_it_recovers_when_the_vendor_does(
    vendor: Vendor, provider: Provider, simulator: Simulator
) -> None:
    simulator.add_rule("drop_before", provider=vendor.name, times=1)
    failure_of(provider, vendor.phone)

    assert send(provider, vendor.phone)
