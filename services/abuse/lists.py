"""The operator's allow and block lists: what an entry may be, and whom it binds.

One block is enough, whatever allows the same send and however exactly it names it: an
operator who blocks wants it to stop. Who would let one phone of a blocked prefix
through blocks less than the prefix.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

import phonenumbers

from services.abuse.overrides import PolicyRefused
from services.abuse.policy import Entry, EntryKind
from utils.phone import PhoneNumber

# A longer one would be a number, which an entry of kind phone names by its tag.
_PREFIX = re.compile(r"\+[1-9][0-9]{0,10}", re.ASCII)

# Within a /64 addresses are free to change, so callers are told apart by no more.
_IPV6_BITS = 64
_ADDRESS_BITS = {4: 32, 6: 128}

# What is wider is most of the Internet: a slip of the hand, and everybody is out.
_WIDEST = {4: 8, 6: 16}

Network = IPv4Network | IPv6Network
_Key = TypeVar("_Key", str, int)


@dataclass(frozen=True, slots=True)
class Listed:
    """What the lists say of a send: by what it is blocked, or else allowed."""

    blocked: EntryKind | None = None
    allowed: frozenset[EntryKind] = frozenset()


_NOTHING = Listed()


class Lists:
    """The entries, found by a few look-ups however many there are. It never changes."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._phones: dict[str, Entry] = {}
        self._countries: dict[str, Entry] = {}
        # By how long the beginning is; by version of IP and length of the range.
        self._prefixes: dict[int, dict[str, Entry]] = {}
        self._ranges: dict[int, dict[int, dict[int, Entry]]] = {4: {}, 6: {}}
        for entry in entries:
            self._add(entry)
        self._is_empty = not entries

    def look(
        self, phone: PhoneNumber, tag: str, caller_networks: Iterable[str], now: float
    ) -> Listed:
        """Return what holds for a send to ``phone`` at ``now``, a Unix time.

        ``caller_networks`` are an IPv4 address, an IPv6 /64 or the like, each maybe
        with the id of a service before it; what is no address is in no range.
        """
        if self._is_empty:
            return _NOTHING
        allowed: set[EntryKind] = set()
        for entry in self._found(phone, tag, caller_networks):
            if not entry.binds_at(now):
                continue
            if entry.verdict == "block":
                return Listed(blocked=entry.kind)
            allowed.add(entry.kind)
        return Listed(allowed=frozenset(allowed)) if allowed else _NOTHING

    def _found(
        self, phone: PhoneNumber, tag: str, networks: Iterable[str]
    ) -> Iterator[Entry]:
        # Who asks comes first: a network that is blocked learns nothing of phones.
        for version, bits, number in filter(None, map(self._read, networks)):
            for length, ranges in self._ranges[version].items():
                if length <= bits:
                    shift = _ADDRESS_BITS[version] - length
                    yield from _one(ranges, number >> shift)
        yield from _one(self._phones, tag)
        for length, prefixes in self._prefixes.items():
            yield from _one(prefixes, phone.e164[:length])
        yield from _one(self._countries, phone.region)

    def _read(self, text: str) -> tuple[int, int, int] | None:
        """Return version, length and number of a caller's network."""
        if not (self._ranges[4] or self._ranges[6]):
            return None
        try:
            network = ip_network(text.rpartition(" ")[2])
        except ValueError:
            return None
        return network.version, network.prefixlen, int(network.network_address)

    def _add(self, entry: Entry) -> None:
        match entry.kind:
            case "phone":
                self._phones[entry.value] = entry
            case "country":
                self._countries[entry.value] = entry
            case "prefix":
                same_length = self._prefixes.setdefault(len(entry.value), {})
                same_length[entry.value] = entry
            case _:
                network = ip_network(entry.value)
                length = network.prefixlen
                number = int(network.network_address) >> (
                    network.max_prefixlen - length
                )
                self._ranges[network.version].setdefault(length, {})[number] = entry


def read_value(kind: EntryKind, text: str) -> str:
    """Return the one spelling of what an entry names; that of a phone is its tag.

    An address becomes a range of one, an IPv6 address its /64.

    Raises:
        PolicyRefused: it is nothing of this kind, or too much.
    """
    match kind:
        case "phone":
            return text
        case "prefix":
            if not _PREFIX.fullmatch(text):
                message = "must be + and 1 to 11 digits, the beginning of numbers"
                raise PolicyRefused("value", message)
            return text
        case "country":
            if text not in phonenumbers.SUPPORTED_REGIONS:
                raise PolicyRefused("value", "must be a country of ISO 3166, as IN")
            return text
        case _:
            return str(_range(text))


def _range(text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        message = "must be an address, or a range in CIDR such as 198.51.100.0/24"
        raise PolicyRefused("value", message) from None
    if isinstance(network, IPv6Network):
        if network.network_address.ipv4_mapped or "%" in text:
            message = "must be an IPv4 address by itself, and have no zone"
            raise PolicyRefused("value", message)
        if network.prefixlen > _IPV6_BITS:
            network = network.supernet(new_prefix=_IPV6_BITS)
    if network.prefixlen < _WIDEST[network.version]:
        message = f"must not be wider than /{_WIDEST[network.version]}"
        raise PolicyRefused("value", message)
    return network


def _one(entries: dict[_Key, Entry], key: _Key) -> Iterator[Entry]:
    if (entry := entries.get(key)) is not None:
        yield entry
