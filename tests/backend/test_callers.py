"""Whose limits a request spends: what X-Forwarded-For may say, and to whom."""

from ipaddress import ip_network

import pytest

from backend.callers import Callers
from tests.backend.api import PEER, REFUSING, Api, phones
from tests.backend.conftest import MakeApi

PROXIES = [ip_network(it) for it in ("10.0.0.0/8", "2001:db8:ff::/48", "127.0.0.1")]


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "network"),
    [
        # Nobody speaks for a peer that is no proxy of ours.
        ("198.51.100.7", "", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9", "198.51.100.7"),
        ("198.51.100.7", "203.0.113.9, 10.0.0.1", "198.51.100.7"),
        # A proxy of ours speaks for the one before it.
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        # Read from the right, as far as ours reach: what stands before is hearsay.
        ("10.0.0.1", "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.3, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("2001:db8:ff::1", "203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        # IPv6 by /64, whatever the last 64 bits; IPv4 in IPv6 is IPv4.
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "", "2001:db8:1:2::/64"),
        ("10.0.0.1", "2001:DB8:1:2::7", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "", "198.51.100.7"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "", "fe80::/64"),
        # What is no address ends the chain at the last one that is.
        ("10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9:4711", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::1]:443", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9,", "10.0.0.1"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.009", "10.0.0.1"),
        ("10.0.0.1", "0x7f000001", "10.0.0.1"),
        ("10.0.0.1", "\x00\xff", "10.0.0.1"),
        ("10.0.0.1", "1" * 4000, "10.0.0.1"),
        # Not an address at all: a Unix socket.
        ("", "203.0.113.9", "unknown"),
        ("localhost", "203.0.113.9", "unknown"),
    ],
)
def test_who_is_calling(peer: str, forwarded_for: str, network: str) -> None:
    callers = Callers(trusted_proxies=PROXIES, origins=())

    assert callers.network_of(peer, forwarded_for) == network


@pytest.mark.parametrize(
    ("count", "forwarded_for", "network"),
    [
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "192.0.2.1, 203.0.113.9", "203.0.113.9"),
        (2, "192.0.2.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (3, "192.0.2.1, 203.0.113.9, 10.0.0.2", "192.0.2.1"),
        # Fewer than there must be: it did not come through them all.
        (2, "203.0.113.9", "198.51.100.7"),
        (1, "", "198.51.100.7"),
        (1, "unknown", "198.51.100.7"),
    ],
)
def test_proxies_may_be_counted(count: int, forwarded_for: str, network: str) -> None:
    """A14: what stands before the last hops that are ours is hearsay."""
    callers = Callers(trusted_proxies=count, origins=())

    assert callers.network_of("198.51.100.7", forwarded_for) == network


def test_without_proxies_of_ours_nobody_is_believed() -> None:
    callers = Callers(trusted_proxies=(), origins=())

    assert callers.network_of("127.0.0.1", "203.0.113.9") == "127.0.0.1"


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "Forwarded",
        "X-Real-IP",
        "X-Client-IP",
        "CF-Connecting-IP",
        "True-Client-IP",
    ],
)
def test_a_spoofed_address_buys_no_more_sends(make_api: MakeApi, name: str) -> None:
    api = make_api(SENDS_PER_IP="2/10m", RULE_MODES=REFUSING)

    answers = [
        api.send(phone, headers={name: f"203.0.113.{number}"})
        for number, phone in enumerate(phones(4))
    ]

    assert [it.status_code for it in answers] == [202, 202, 429, 429]


def test_behind_a_proxy_of_ours_each_client_has_its_own_limit(
    make_api: MakeApi,
) -> None:
    api = make_api(SENDS_PER_IP="1/10m", TRUSTED_PROXIES=PEER, RULE_MODES=REFUSING)
    first, second, third = phones(3)

    assert (
        api.send(first, headers={"X-Forwarded-For": "203.0.113.1"}).status_code == 202
    )
    assert (
        api.send(second, headers={"X-Forwarded-For": "203.0.113.2"}).status_code == 202
    )
    spoofed = api.send(third, headers={"X-Forwarded-For": "192.0.2.9, 203.0.113.1"})
    assert spoofed.status_code == 429


def test_an_ipv6_subscriber_has_one_limit_for_the_whole_64(make_api: MakeApi) -> None:
    api = make_api(SENDS_PER_IP="1/10m", RULE_MODES=REFUSING)
    first, second, third = phones(3)

    assert api.send(first, peer="2001:db8:1:2::1").status_code == 202
    assert api.send(second, peer="2001:db8:1:2:ffff::9").status_code == 429
    assert api.send(third, peer="2001:db8:1:3::1").status_code == 202


def test_several_headers_are_one_chain(make_api: MakeApi, api: Api) -> None:
    behind = make_api(
        SENDS_PER_IP="1/10m",
        TRUSTED_PROXIES=f"{PEER}, 10.0.0.0/8",
        RULE_MODES=REFUSING,
    )
    first, second = phones(2)

    answers = [
        behind.client.post(
            "/api/send-otp",
            json={"phone": phone},
            headers=[
                ("X-Forwarded-For", f"192.0.2.{number}"),
                ("X-Forwarded-For", "203.0.113.1, 10.0.0.5"),
            ],
            environ_base={"REMOTE_ADDR": PEER},
        )
        for number, phone in enumerate((first, second))
    ]

    assert [it.status_code for it in answers] == [202, 429]
