"""Whom an entry binds."""

import itertools

import pytest

from services.abuse.lists import Listed, Lists, read_value
from services.abuse.overrides import PolicyRefused
from services.abuse.policy import Entry, EntryKind, EntryVerdict
from tests.services.abuse.operators import PEER, PHONE, TAG, number
from utils.phone import PhoneNumber

NOW = 1_800_000_000.0


def look(
    *entries: Entry,
    networks: tuple[str, ...] = (PEER,),
    phone: PhoneNumber | None = None,
    now: float = NOW,
) -> Listed:
    return Lists(entries).look(phone or number(), TAG, networks, now)


def block(kind: EntryKind, value: str, until: float | None = None) -> Entry:
    return Entry(kind, value, "block", until)


def allow(kind: EntryKind, value: str) -> Entry:
    return Entry(kind, value, "allow")


def test_empty_lists_say_nothing() -> None:
    assert look() == Listed()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", TAG),
        ("prefix", "+9"),
        ("prefix", "+91987654"),
        ("country", "IN"),
        ("ip", "198.51.100.7/32"),
        ("ip", "198.51.100.0/24"),
        ("ip", "198.0.0.0/8"),
    ],
)
@pytest.mark.parametrize("verdict", ["allow", "block"])
def test_each_kind_binds(kind: EntryKind, value: str, verdict: EntryVerdict) -> None:
    listed = look(Entry(kind, value, verdict))

    if verdict == "block":
        assert listed == Listed(blocked=kind)
    else:
        assert listed == Listed(allowed=frozenset({kind}))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("phone", "another tag"),
        ("prefix", "+919876543211"),
        ("prefix", "+92"),
        ("country", "AE"),
        ("ip", "198.51.100.8/32"),
        ("ip", "198.51.101.0/24"),
        ("ip", "2001:db8::/32"),
    ],
)
def test_others_are_not_bound(kind: EntryKind, value: str) -> None:
    assert look(block(kind, value)) == Listed()


@pytest.mark.parametrize(
    ("network", "value", "is_bound"),
    [
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64", True),
        ("2001:db8:1:2::/64", "2001:db8::/32", True),
        ("2001:db8:1:2::/64", "2001:db8:1:3::/64", False),
        # A wider network is in no range that is narrower.
        ("2001:db8:1::/48", "2001:db8:1:2::/64", False),
        ("svc-shop 198.51.100.7", "198.51.100.0/24", True),
        ("svc-shop 2001:db8:1:2::/64", "2001:db8:1::/48", True),
        ("svc-shop unknown", "198.51.100.0/24", False),
        ("unknown", "198.51.100.0/24", False),
        ("", "198.51.100.0/24", False),
        # Equal numbers of the two versions of IP are not equal addresses.
        ("1.2.3.4", "::/64", False),
    ],
)
def test_a_range_binds_the_networks_in_it(
    network: str, value: str, *, is_bound: bool
) -> None:
    listed = look(block("ip", value), networks=(network,))

    assert listed.blocked == ("ip" if is_bound else None)


def test_any_of_the_callers_networks_is_enough() -> None:
    networks = ("2001:db8:1:2::/64", "198.51.100.7")

    assert look(block("ip", "198.51.100.7/32"), networks=networks).blocked == "ip"


@pytest.mark.parametrize(
    ("blocked", "allowed"),
    list(
        itertools.permutations(
            [
                ("phone", TAG),
                ("prefix", "+91987"),
                ("country", "IN"),
                ("ip", f"{PEER}/32"),
            ],
            2,
        )
    ),
)
def test_a_block_wins_however_exactly_others_allow(
    blocked: tuple[EntryKind, str], allowed: tuple[EntryKind, str]
) -> None:
    both = (block(*blocked), allow(*allowed))

    assert look(*both) == look(*reversed(both)) == Listed(blocked=blocked[0])


def test_a_longer_prefix_is_no_exception_from_a_shorter() -> None:
    listed = look(allow("prefix", "+91987654"), block("prefix", "+91987"))

    assert listed == Listed(blocked="prefix")


def test_who_asks_from_a_blocked_network_learns_nothing_of_phones() -> None:
    listed = look(
        block("phone", TAG), block("country", "IN"), block("ip", "198.0.0.0/8")
    )

    assert listed.blocked == "ip"


def test_all_that_allows_is_told() -> None:
    listed = look(allow("ip", "198.51.100.0/24"), allow("prefix", "+91"))

    assert listed.allowed == {"ip", "prefix"}


def test_an_entry_ends_to_the_second() -> None:
    entry = block("country", "IN", until=NOW + 1)

    assert look(entry).blocked == "country"
    assert look(entry, now=NOW + 0.999).blocked == "country"
    assert look(entry, now=NOW + 1).blocked is None


def test_a_block_that_has_ended_hides_no_other() -> None:
    listed = look(
        block("ip", f"{PEER}/32", until=NOW - 1),
        allow("prefix", "+91"),
        block("country", "IN"),
    )

    assert listed.blocked == "country"


# What an entry may be


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("prefix", "+1", "+1"),
        ("prefix", "+91987654321", "+91987654321"),
        ("country", "IN", "IN"),
        ("ip", "198.51.100.7", "198.51.100.7/32"),
        ("ip", "198.51.100.7/24", "198.51.100.0/24"),
        ("ip", "10.0.0.0/8", "10.0.0.0/8"),
        ("ip", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("ip", "2001:DB8:1:2::/80", "2001:db8:1:2::/64"),
        ("ip", "2001:db8::/32", "2001:db8::/32"),
        ("phone", TAG, TAG),
    ],
)
def test_a_value_has_one_spelling(kind: EntryKind, text: str, value: str) -> None:
    assert read_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("prefix", ""),
        ("prefix", "+"),
        ("prefix", "91987"),
        ("prefix", "+0"),
        ("prefix", PHONE),
        ("prefix", "+91 98"),
        ("prefix", "+91\n"),
        ("prefix", "+९१"),
        ("country", "in"),
        ("country", "XX"),
        ("country", "001"),
        ("country", ""),
        ("ip", ""),
        ("ip", "203.0.113"),
        ("ip", "203.0.113.7/33"),
        ("ip", "203.0.113.7 "),
        ("ip", "0.0.0.0/0"),
        ("ip", "128.0.0.0/7"),
        ("ip", "::/0"),
        ("ip", "2000::/3"),
        ("ip", "::ffff:203.0.113.7"),
        ("ip", "fe80::1%eth0"),
        ("ip", "shop.example"),
        ("ip", "१.२.३.४"),
    ],
)
def test_what_names_nothing_or_nearly_all_is_refused(
    kind: EntryKind, text: str
) -> None:
    with pytest.raises(PolicyRefused) as refused:
        read_value(kind, text)

    assert refused.value.field == "value"
    assert str(refused.value).startswith("must")
    # What was typed is not said again: it may be a number or an address.
    assert len(text) < 5 or text.strip() not in str(refused.value)
